using System.Collections.Immutable;

namespace FedChain.Node.Peer;

/// <summary>What this peer's home folder holds of a round: all that the decision needs besides the chain.</summary>
public sealed record LocalRound
{
    public static LocalRound Empty { get; } = new();

    /// <summary>The operator has paused the peer: it takes on nothing new.</summary>
    public bool IsPaused { get; init; }

    /// <summary>Since when, in chain seconds, this peer has followed the Rounds contract in use.</summary>
    public ulong FollowsSince { get; init; }

    /// <summary>The round's base adapter is in the home folder.</summary>
    public bool HasBase { get; init; }

    /// <summary>The round's global adapter is in the home folder; true as well if there is none.</summary>
    public bool HasResult { get; init; } = true;

    /// <summary>The loss of the round's global adapter on the own validation set is known; true as well if there is none.</summary>
    public bool IsMeasured { get; init; } = true;

    /// <summary>The own update is trained, sealed and written; once the seat has submitted, the one that it submitted.</summary>
    public bool HasUpdate { get; init; }

    /// <summary>Training for the round diverged: it would again, so this member sits the round out.</summary>
    public bool Diverged { get; init; }

    /// <summary>The own update is served to the others.</summary>
    public bool Exposed { get; init; }

    /// <summary>Submissions that were opened and found valid.</summary>
    public ImmutableSortedSet<int> Held { get; init; } = [];

    /// <summary>Submissions that break a rule provably, from their bytes.</summary>
    public ImmutableSortedSet<int> Refused { get; init; } = [];

    /// <summary>Submitters (by index, this one among them) whose signed holdings are here.</summary>
    public ImmutableSortedSet<int> Holdings { get; init; } = [];

    /// <summary>Turns whose candidate was recomputed, and what came of it.</summary>
    public ImmutableSortedDictionary<int, bool> Verdicts { get; init; } = ImmutableSortedDictionary<int, bool>.Empty;
}

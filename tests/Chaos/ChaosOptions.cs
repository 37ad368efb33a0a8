using System.Collections.Immutable;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.Chaos;

/// <param name="Home">Where the members' homes go; null for a folder that is deleted in the end.</param>
internal sealed record ChaosOptions(int Members, int Rounds, int Seed, string? Home)
{
    /// <summary>Long enough for a phase of this many processes on two cores, so that what ends by its deadline does so because of a fault.</summary>
    private readonly TimeSpan _phase = TimeSpan.FromSeconds(Math.Max(2, Members / 2));

    /// <summary>Deadlines that a member which is down for long misses, and that a busy machine doesn't.</summary>
    public PolicyParams Params => new(
        Training: (uint)(_phase.TotalSeconds * 20), Publishing: (uint)(_phase.TotalSeconds * 10), Attesting: (uint)(_phase.TotalSeconds * 10), Interval: 0,
        Minimum: (uint)((Members / 2) + 1), MaxTurns: 4, Rounds: (uint)Rounds);

    public ImmutableArray<Fault> Faults => Schedule.Of(Seed, Members, Rounds, _phase, TimeSpan.FromSeconds(Params.Publishing));

    /// <summary>How long a member that is ready and has its update may take to submit it, on a busy machine; if its round stays open for longer, it must have.</summary>
    public TimeSpan SubmitPatience => TimeSpan.FromSeconds(Params.Training) / 4;

    /// <summary>The longest that a round can take by its own deadlines, the opening by the last of the members included, and as much again for a busy machine.</summary>
    public TimeSpan LongestRound => 2 * TimeSpan.FromSeconds(Params.Training + (Params.MaxTurns * (Params.Publishing + Params.Attesting)) + ((ulong)Members * Node.Peer.Decision.OpeningStagger));
}

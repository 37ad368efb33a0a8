using FedChain.Protocol;
using FedChain.Protocol.Envelope;
using FedChain.Protocol.Files;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Peer;

/// <summary>In what a lying member departs from the protocol: for tests of what the others make of it. The program never sets it.</summary>
internal sealed class Deceit
{
    /// <summary>Changes to whom it seals its update: with a stranger's key in a member's place, that member has a stanza that it can't open.</summary>
    public Func<RoundId, IReadOnlyList<AgeRecipient>, IReadOnlyList<AgeRecipient>>? SealTo { get; init; }

    /// <summary>Changes the adapter that it publishes.</summary>
    public Func<RoundId, Adapter, Adapter>? Publish { get; init; }

    /// <summary>Changes the velocity that it publishes.</summary>
    public Func<RoundId, StateVector, StateVector>? Carry { get; init; }

    /// <summary>Changes the adapter that it holds another's candidate against: a colluder expects what its accomplices publish.</summary>
    public Func<RoundId, Candidate, Adapter, Task<Adapter>>? Expect { get; init; }
}

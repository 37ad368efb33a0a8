using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Audit;

/// <summary>
/// Replays the log from the deployment on and holds every event against what must have been true before it: who may do it, when, and what follows.
/// The contracts enforce the same rules; an auditor recomputes them, so that neither the contracts' nor the RPC's word is needed. Pure.
/// </summary>
internal sealed class ChainAudit(ulong chainId, Func<ulong, ulong> timeOfBlock, Findings findings)
{
    private readonly MembershipAudit _membership = new(chainId, findings);
    private readonly GovernanceAudit _governance = new(findings);
    private readonly Mandates _mandates = new(findings);
    private readonly RoundAudit _rounds = new(chainId, findings);
    private readonly Dictionary<RoundId, Address> _contracts = [];

    /// <summary>The state after the last event.</summary>
    public FederationState State { get; private set; } = FederationState.Empty;

    /// <summary>Which Rounds contract each round ran in: a successor takes over the numbers.</summary>
    public IReadOnlyDictionary<RoundId, Address> Contracts => _contracts;

    public void Replay(IEnumerable<ChainEvent> events)
    {
        foreach (var e in events)
        {
            var time = timeOfBlock(e.Block);
            _membership.Examine(e, time, State);
            _governance.Examine(e.Event, time, State);
            _mandates.Examine(e, State);
            _rounds.Examine(e.Event, time, State);
            if (e.Event is RoundOpened opened)
            {
                _contracts[opened.Round] = State.RoundsContract;
            }

            State = State.Apply(e.Event);
        }

        _membership.Finish(State);
        _governance.Finish(State);
        _mandates.Finish();
        _rounds.Finish(State);
    }
}

using System.Collections.Immutable;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Abi;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Audit;

/// <summary>
/// Holds every act that only a vote can order (admission, expulsion, recovery, auditors, policy, pause, successor, settings) against a proposal that was
/// executed in the same transaction with exactly the call that has this effect; and every such call of an executed proposal against its effect.
/// </summary>
internal sealed class Mandates(Findings findings)
{
    public const string Name = "mandates";

    /// <summary>The calls whose effect is an event, so that its absence shows.</summary>
    private static readonly HashSet<Selector> Traced =
    [
        .. new[]
        {
            MembershipAbi.Admit, MembershipAbi.Expel, MembershipAbi.Recover, MembershipAbi.GrantAuditor, MembershipAbi.RevokeAuditor, MembershipAbi.SetRounds,
            RoundsAbi.SetPolicy, RoundsAbi.SetPaused, GovernanceAbi.SetVotingDelay, GovernanceAbi.SetVotingPeriod, GovernanceAbi.SetExecutionDelay,
        }.Select(f => f.Selector),
    ];

    private readonly Dictionary<Hash256, (List<ContractCall> Acts, List<Execution> Executed)> _transactions = [];
    private readonly HashSet<(Address Emitter, Type Event)> _seen = [];
    private ImmutableHashSet<Address> _replaced = []; // what they do from then on is no event of the federation

    public void Examine(ChainEvent e, FederationState before)
    {
        if (e.Event is ProposalExecuted executed)
        {
            if (before.Proposal(executed.Proposal) is { } proposal)
            {
                In(e.Transaction).Executed.Add(new(proposal, _replaced));
            }
        }
        else if (OrderFor(e, before) is { } order)
        {
            In(e.Transaction).Acts.Add(order);
        }

        if (e.Event is RoundsReplaced replaced)
        {
            _replaced = _replaced.Add(replaced.Previous);
        }
    }

    public void Finish()
    {
        var matched = 0;
        foreach (var (transaction, (acts, executed)) in _transactions)
        {
            var ordered = executed.Where(x => x.Proposal.Created.Targets.Length == x.Proposal.Created.Calldatas.Length)
                .SelectMany(x => x.Proposal.Proposal.Calls.Select(call => (Call: call, x.Proposal.Id, IsTraced: IsTraced(call) && !x.Replaced.Contains(call.To)))).ToList();
            foreach (var act in acts)
            {
                var index = ordered.FindIndex(o => o.Call.To == act.To && o.Call.Data.Span.SequenceEqual(act.Data.Span));
                findings.Compare(Name, 0, index >= 0, $"transaction {transaction} did what {act.Description} on {act.To} does, but no proposal that was executed in it says so");
                if (index >= 0)
                {
                    ordered.RemoveAt(index);
                    matched++;
                }
            }

            foreach (var (call, id, _) in ordered.Where(o => o.IsTraced))
            {
                findings.Fail(Name, 0, $"proposal {id} was executed in {transaction}, but its call {Convert.ToHexStringLower(call.Data.Span)} to {call.To} had no effect there");
            }
        }

        findings.Say(Name, 0, $"{matched} acts, each as an executed proposal ordered it in the same transaction, and no order without its act");
    }

    private bool IsTraced(ContractCall call) =>
        Selector.TryRead(call.Data.Span, out var selector) && Traced.Contains(selector) && _seen.Any(c => c.Emitter == call.To);

    /// <summary>The call by which governance brings this event about; null for an event that doesn't need a vote.</summary>
    private ContractCall? OrderFor(ChainEvent e, FederationState before)
    {
        if (_seen.Add((e.Emitter, e.Event.GetType())) && e.Event is PolicySet or VotingDelaySet or VotingPeriodSet or ExecutionDelaySet)
        {
            return null; // what the constructor set
        }

        return e.Event switch
        {
            SeatActivated a when a.Id.Value > before.Founders.Length =>
                ContractCall.Of(e.Emitter, MembershipAbi.Admit, a.Id, before.Applications.GetValueOrDefault(a.Id)?.Application ?? default),
            SeatVacated { Expelled: true } a => ContractCall.Of(e.Emitter, MembershipAbi.Expel, a.Id),
            SeatRecovered a => ContractCall.Of(e.Emitter, MembershipAbi.Recover, a.Id, a.Holder),
            AuditorGranted a => ContractCall.Of(e.Emitter, MembershipAbi.GrantAuditor, a.Auditor, a.Recipient),
            AuditorRevoked a => ContractCall.Of(e.Emitter, MembershipAbi.RevokeAuditor, a.Auditor),
            RoundsReplaced a => ContractCall.Of(e.Emitter, MembershipAbi.SetRounds, a.Rounds),
            PolicySet a => ContractCall.Of(e.Emitter, RoundsAbi.SetPolicy, a.Previous, a.Json, RoundsAbi.WriteParams(a.Params), a.Genesis),
            PauseSet a => ContractCall.Of(e.Emitter, RoundsAbi.SetPaused, a.Paused),
            VotingDelaySet a => ContractCall.Of(e.Emitter, GovernanceAbi.SetVotingDelay, a.Seconds),
            VotingPeriodSet a => ContractCall.Of(e.Emitter, GovernanceAbi.SetVotingPeriod, a.Seconds),
            ExecutionDelaySet a => ContractCall.Of(e.Emitter, GovernanceAbi.SetExecutionDelay, a.Seconds),
            _ => null,
        };
    }

    private (List<ContractCall> Acts, List<Execution> Executed) In(Hash256 transaction)
    {
        if (!_transactions.TryGetValue(transaction, out var found))
        {
            _transactions[transaction] = found = ([], []);
        }

        return found;
    }

    /// <param name="Replaced">The Rounds contracts that were no longer the federation's.</param>
    private sealed record Execution(ProposalRecord Proposal, ImmutableHashSet<Address> Replaced);
}

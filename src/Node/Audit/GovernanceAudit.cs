using System.Globalization;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Audit;

/// <summary>
/// Replays the votes: who may propose and vote, when, what passes, and when it may be queued and executed. Rules: docs/protocol.md, "Governance", and
/// OpenZeppelin's Governor, of which an unusual one is that voting opens one second after its start and includes its end.
/// </summary>
internal sealed class GovernanceAudit(Findings findings)
{
    public const string Proposals = "proposals";
    public const string Votes = "votes";

    private const ulong Day = 24 * 3600;
    private const ulong Grace = 14 * Day;
    private const ulong MostDelay = 14 * Day;

    private readonly Electorate _electorate = new();
    private readonly Dictionary<MemberId, ProposalId> _latest = [];
    private ulong? _votingDelay;
    private ulong? _votingPeriod;
    private ulong? _executionDelay;
    private int _votes;

    /// <param name="contractEvent">The next event.</param>
    /// <param name="time">Its block's.</param>
    /// <param name="before">The state that it meets.</param>
    public void Examine(IContractEvent contractEvent, ulong time, FederationState before)
    {
        switch (contractEvent)
        {
            case ProposalCreated e:
                Created(e, time, before);
                break;
            case VoteCast e:
                Voted(e, time, before);
                break;
            case ProposalQueued e:
                Queued(e, time, before);
                break;
            case ProposalExecuted e:
                Executed(e, time, before);
                break;
            case ProposalCanceled e:
                Require(before.Proposal(e.Proposal), p => StateAt(p, time) == ProposalState.Pending, p => $"proposal {e.Proposal} was cancelled at {time}, when it was {StateAt(p, time)}, not pending");
                break;
            case VotingDelaySet e:
                Set("voting delay", ref _votingDelay, e.Previous, e.Seconds, 0, MostDelay);
                break;
            case VotingPeriodSet e:
                Set("voting period", ref _votingPeriod, e.Previous, e.Seconds, 5, 30 * Day);
                break;
            case ExecutionDelaySet e:
                Set("execution delay", ref _executionDelay, e.Previous, e.Seconds, 0, MostDelay);
                break;
            default:
                break;
        }

        _electorate.Follow(contractEvent, time, before);
    }

    public void Finish(FederationState state)
    {
        findings.Say(Proposals, 0, $"{state.Proposals.Count} made, each by a seat's holder, {state.Proposals.Count(p => p.Executed)} executed, each passed, queued and in time");
        findings.Say(Votes, 0, $"{_votes} cast, each by a holder at the snapshot, once, in time");
    }

    private void Created(ProposalCreated e, ulong time, FederationState before)
    {
        var named = new ProposalRecord(e);
        var complete = !e.Targets.IsEmpty && e.Targets.Length == e.Values.Length && e.Targets.Length == e.Calldatas.Length;
        findings.Compare(Proposals, 0, complete, $"proposal {e.Proposal} has {e.Targets.Length} targets, {e.Values.Length} values and {e.Calldatas.Length} calls");
        if (!complete)
        {
            return;
        }

        findings.Compare(Proposals, 0, named.Proposal.Id == e.Proposal, $"proposal {e.Proposal}: its calls and description have the id {named.Proposal.Id}");
        findings.Compare(Proposals, 0, e.Values.All(v => v.IsZero), $"proposal {e.Proposal} would move ETH");
        findings.Compare(Proposals, 0, before.Proposal(e.Proposal) is null, $"proposal {e.Proposal} was made twice");
        findings.Compare(Proposals, 0, before.FoundersActivated == before.Founders.Length || time >= before.FoundingEndsAt, $"proposal {e.Proposal} was made at {time}, while founders were missing");
        findings.Compare(Proposals, 0, e.VoteStart == time + _votingDelay, $"proposal {e.Proposal} of {time} opens its vote at {e.VoteStart}, not {_votingDelay} s after");
        findings.Compare(Proposals, 0, e.VoteEnd == e.VoteStart + _votingPeriod, $"proposal {e.Proposal} ends its vote at {e.VoteEnd}, not {_votingPeriod} s after {e.VoteStart}");

        var seat = before.Seats.Values.FirstOrDefault(s => s.Holder == e.Proposer);
        findings.Compare(Proposals, 0, seat is not null && _electorate.At(time - 1).Contains(e.Proposer), $"proposal {e.Proposal} was made by {e.Proposer}, who held no seat with a vote at {time}");
        if (seat is null)
        {
            return;
        }

        var live = _latest.TryGetValue(seat.Id, out var latest) && before.Proposal(latest) is { } earlier
            && StateAt(earlier, time) is ProposalState.Pending or ProposalState.Active or ProposalState.Succeeded or ProposalState.Queued;
        findings.Compare(Proposals, 0, !live, $"proposal {e.Proposal} was made by member {seat.Id} while its proposal {latest} was alive");
        _latest[seat.Id] = e.Proposal;
    }

    private void Voted(VoteCast e, ulong time, FederationState before)
    {
        _votes++;
        if (before.Proposal(e.Proposal) is not { } proposal)
        {
            findings.Fail(Votes, 0, $"{e.Voter} voted on {e.Proposal}, which nobody had proposed");
            return;
        }

        var snapshot = proposal.Created.VoteStart;
        findings.Compare(Votes, 0, _electorate.At(snapshot).Contains(e.Voter), $"{e.Voter} voted on {e.Proposal}, but held no seat with a vote at its snapshot, {snapshot}");
        findings.Compare(Votes, 0, e.Weight.IsOne, $"the vote of {e.Voter} on {e.Proposal} weighs {e.Weight.ToString(CultureInfo.InvariantCulture)}; a seat has one vote");
        findings.Compare(Votes, 0, !proposal.Votes.ContainsKey(e.Voter), $"{e.Voter} voted twice on {e.Proposal}");
        findings.Compare(Votes, 0, StateAt(proposal, time) == ProposalState.Active, $"{e.Voter} voted on {e.Proposal} at {time}; votes are taken after {snapshot} up to {proposal.Created.VoteEnd}, and it was {StateAt(proposal, time)}");
    }

    private void Queued(ProposalQueued e, ulong time, FederationState before)
    {
        Require(before.Proposal(e.Proposal), p => StateAt(p, time) == ProposalState.Succeeded, p => $"proposal {e.Proposal} was queued at {time} with {Tally(p)}, when it was {StateAt(p, time)}");
        findings.Compare(Proposals, 0, e.Eta == time + _executionDelay, $"proposal {e.Proposal} was queued at {time} for {e.Eta}, not {_executionDelay} s later");
    }

    private void Executed(ProposalExecuted e, ulong time, FederationState before)
    {
        Require(before.Proposal(e.Proposal), p => StateAt(p, time) == ProposalState.Queued, p => $"proposal {e.Proposal} was executed at {time} with {Tally(p)}, when it was {StateAt(p, time)}");
        Require(before.Proposal(e.Proposal), p => p.Eta <= time, p => $"proposal {e.Proposal} was executed at {time}, before its time {p.Eta}");
    }

    private void Require(ProposalRecord? proposal, Func<ProposalRecord, bool> holds, Func<ProposalRecord, string> failure)
    {
        if (proposal is null)
        {
            findings.Fail(Proposals, 0, "a proposal was acted on that nobody had made");
        }
        else if (!holds(proposal))
        {
            findings.Fail(Proposals, 0, failure(proposal));
        }
        else
        {
            findings.Compare(Proposals, 0, holds: true, $"");
        }
    }

    private void Set(string setting, ref ulong? value, ulong previous, ulong next, ulong least, ulong most)
    {
        var known = value;
        findings.Compare(Proposals, 0, previous == (known ?? 0), $"the {setting} was {known} s, but its change says {previous}");
        findings.Compare(Proposals, 0, next >= least && next <= most, $"the {setting} was set to {next} s, outside {least}..{most}");
        value = next;
    }

    private ProposalState StateAt(ProposalRecord p, ulong time)
    {
        if (p.Executed || p.Canceled)
        {
            return p.Executed ? ProposalState.Executed : ProposalState.Canceled;
        }

        if (time <= p.Created.VoteEnd)
        {
            return time <= p.Created.VoteStart ? ProposalState.Pending : ProposalState.Active;
        }

        return p.Count(VoteKind.For) < NeededFor(p) ? ProposalState.Defeated
            : time >= (p.Eta ?? p.Created.VoteEnd) + Grace ? ProposalState.Expired
            : p.Eta is null ? ProposalState.Succeeded : ProposalState.Queued;
    }

    private int NeededFor(ProposalRecord p) => (_electorate.At(p.Created.VoteStart).Count / 2) + 1;

    private string Tally(ProposalRecord p) => $"{p.Count(VoteKind.For)} votes for it of {_electorate.At(p.Created.VoteStart).Count}, where {NeededFor(p)} are needed";
}

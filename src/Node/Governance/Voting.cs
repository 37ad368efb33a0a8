using FedChain.Network.Chain;
using FedChain.Node.Chain;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.Node.Governance;

/// <summary>Says in advance, and with the values, why Governance would refuse a vote, a queueing, an execution or a cancellation.</summary>
internal static class Voting
{
    /// <exception cref="UserErrorException">The vote would be refused, or is given for a description that misleads.</exception>
    public static async Task RequireVoteAsync(
        ChainSession session, ProposalView proposal, Address voter, VoteKind support, bool despiteDescription, CancellationToken cancellationToken)
    {
        var (state, name) = (session.Reader.State, RefusalText.Short(proposal.Id));
        if (proposal.State == ProposalState.Canceled)
        {
            throw new UserErrorException($"Proposal {name} was canceled by its proposer.");
        }

        var seat = state.Seats.Values.FirstOrDefault(s => s.Holder == voter);
        var hasVote = proposal.State == ProposalState.Pending ? seat is { DormantFrom: null }
            : await new MembershipClient(session.Client, session.Federation).HadVoteAsync(voter, proposal.Record.Created.VoteStart, cancellationToken);
        if (!hasVote)
        {
            throw new UserErrorException(
                seat is not null ? $"{voter}, which holds seat {seat.Id}, had no vote when voting on {name} began ({RefusalText.Time(proposal.Record.Created.VoteStart)}): only who held an awake seat then votes on it."
                : state.OperatedBy(voter) is { } operated ? $"{voter} is the operator of seat {operated.Id}; votes are cast by its holder, {operated.Holder}. Use --from."
                : $"{voter} holds no seat of {session.Federation}, and only holders vote. Check --from.");
        }

        if (proposal.Record.Votes.TryGetValue(voter, out var cast))
        {
            throw new UserErrorException($"{voter} has voted {Word(cast.Support)} on {name} already; a vote can't be changed.");
        }

        if (proposal.State != ProposalState.Active)
        {
            throw new UserErrorException(proposal.State == ProposalState.Pending
                ? $"It is too early: voting on {name} begins at {RefusalText.Time(proposal.VotingFrom)} and lasts until {RefusalText.Time(proposal.VotingUntil)}."
                : $"It is too late: voting on {name} ended at {RefusalText.Time(proposal.VotingUntil)}; the proposal is {Word(proposal.State)}.");
        }

        if (support == VoteKind.For && !proposal.IsTrue && !despiteDescription)
        {
            throw new UserErrorException(
                $"The description of {name} disagrees with its calls.\n  It says:  {VisibleText.Line(proposal.Claim)}\n  It does:  {proposal.Words}\nVote against it; or for what it does, with --despite-description.");
        }
    }

    /// <exception cref="UserErrorException">The proposal did not pass, or is beyond queueing.</exception>
    public static void RequireQueueable(ProposalView proposal)
    {
        if (proposal.State != ProposalState.Succeeded)
        {
            throw new UserErrorException(NotReady(proposal) ?? $"Proposal {RefusalText.Short(proposal.Id)} is queued already; it can be executed from {RefusalText.Time(proposal.Record.Eta!.Value)} on.");
        }
    }

    /// <exception cref="UserErrorException">The proposal is not queued, its time has not come, or it is over.</exception>
    public static void RequireExecutable(ProposalView proposal)
    {
        if (proposal.State != ProposalState.Queued)
        {
            throw new UserErrorException(NotReady(proposal)
                ?? $"Proposal {RefusalText.Short(proposal.Id)} passed and has to be queued first, before {RefusalText.Time(proposal.ExpiresAt)}: fedchain queue {RefusalText.Short(proposal.Id)}");
        }
    }

    /// <exception cref="UserErrorException">Only the proposer can cancel, before voting begins.</exception>
    public static void RequireCancelable(ProposalView proposal, Address account)
    {
        var name = RefusalText.Short(proposal.Id);
        if (proposal.Record.Created.Proposer != account)
        {
            throw new UserErrorException($"Proposal {name} can be canceled only by its proposer, {proposal.Record.Created.Proposer}, not by {account}. Check --from.");
        }

        if (proposal.State != ProposalState.Pending)
        {
            throw new UserErrorException($"Proposal {name} is {Word(proposal.State)}; it could be canceled only before voting began at {RefusalText.Time(proposal.VotingFrom)}. Vote against it.");
        }
    }

    public static string Word(VoteKind support) => support.ToString().ToLowerInvariant();

    public static string Word(ProposalState state) => state.ToString().ToLowerInvariant();

    private static string? NotReady(ProposalView proposal)
    {
        var name = RefusalText.Short(proposal.Id);
        var votes = $"{proposal.Record.Count(VoteKind.For)} For of the {proposal.Needed} that it needs";
        return proposal.State switch
        {
            ProposalState.Pending => $"Voting on {name} has not begun: it lasts from {RefusalText.Time(proposal.VotingFrom)} to {RefusalText.Time(proposal.VotingUntil)}.",
            ProposalState.Active => $"Voting on {name} lasts until {RefusalText.Time(proposal.VotingUntil)}; it has {votes}.",
            ProposalState.Defeated => $"Proposal {name} did not pass: voting ended at {RefusalText.Time(proposal.VotingUntil)} with {votes}.",
            ProposalState.Expired => $"Proposal {name} has been expired since {RefusalText.Time(proposal.ExpiresAt)}: nobody {(proposal.Record.Eta is null ? "queued" : "executed")} it in time. It has to be proposed again.",
            ProposalState.Canceled => $"Proposal {name} was canceled by its proposer.",
            ProposalState.Executed => $"Proposal {name} has been executed already.",
            _ => null,
        };
    }
}

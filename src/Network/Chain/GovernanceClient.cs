using System.Numerics;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Abi;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.Network.Chain;

/// <summary>The votes that a proposal has: one per member.</summary>
public sealed record ProposalTally(BigInteger Against, BigInteger For, BigInteger Abstain);

/// <summary>IGovernance and the Governor under it. Times are Unix seconds.</summary>
public sealed class GovernanceClient(ChainClient chain, Address address)
{
    public Address Address => address;

    // ---- by members

    public ContractCall Propose(Proposal proposal) => proposal.Propose(address);

    public ContractCall Vote(ProposalId proposal, VoteKind support, string reason = "") => reason.Length == 0
        ? Call(GovernanceAbi.CastVote, proposal.ToInteger(), (uint)support)
        : Call(GovernanceAbi.CastVoteWithReason, proposal.ToInteger(), (uint)support, reason);

    public ContractCall Cancel(Proposal proposal) => proposal.Cancel(address);

    // ---- by anyone

    public ContractCall Queue(Proposal proposal) => proposal.Queue(address);

    public ContractCall Execute(Proposal proposal) => proposal.Execute(address);

    // ---- by vote

    public ContractCall SetExecutionDelay(uint seconds) => Call(GovernanceAbi.SetExecutionDelay, seconds);

    public ContractCall SetVotingDelay(uint seconds) => Call(GovernanceAbi.SetVotingDelay, seconds);

    public ContractCall SetVotingPeriod(uint seconds) => Call(GovernanceAbi.SetVotingPeriod, seconds);

    // ---- questions

    public async Task<Address> GetMembershipAsync(CancellationToken cancellation = default) => (await AskAsync(GovernanceAbi.Membership, [], cancellation)).Address(0);

    public async Task<ulong> GetExecutionDelayAsync(CancellationToken cancellation = default) => (await AskAsync(GovernanceAbi.ExecutionDelay, [], cancellation)).UInt64(0);

    public async Task<ulong> GetVotingDelayAsync(CancellationToken cancellation = default) => (await AskAsync(GovernanceAbi.VotingDelay, [], cancellation)).UInt64(0);

    public async Task<ulong> GetVotingPeriodAsync(CancellationToken cancellation = default) => (await AskAsync(GovernanceAbi.VotingPeriod, [], cancellation)).UInt64(0);

    public async Task<ulong> GetGracePeriodAsync(CancellationToken cancellation = default) => (await AskAsync(GovernanceAbi.GracePeriod, [], cancellation)).UInt64(0);

    /// <summary>At the time of the block being made. Refused for an unknown proposal.</summary>
    public async Task<ProposalState> GetStateAsync(ProposalId proposal, CancellationToken cancellation = default) =>
        (await chain.CallAsync(address, GovernanceAbi.State, [proposal.ToInteger()], BlockTag.Pending, cancellation)).Enum<ProposalState>(0);

    public async Task<ulong> GetSnapshotAsync(ProposalId proposal, CancellationToken cancellation = default) =>
        (await AskAsync(GovernanceAbi.ProposalSnapshot, [proposal.ToInteger()], cancellation)).UInt64(0);

    public async Task<ulong> GetDeadlineAsync(ProposalId proposal, CancellationToken cancellation = default) =>
        (await AskAsync(GovernanceAbi.ProposalDeadline, [proposal.ToInteger()], cancellation)).UInt64(0);

    /// <summary>The earliest time of execution; 0 before it is queued.</summary>
    public async Task<ulong> GetEtaAsync(ProposalId proposal, CancellationToken cancellation = default) =>
        (await AskAsync(GovernanceAbi.ProposalEta, [proposal.ToInteger()], cancellation)).UInt64(0);

    public async Task<ProposalTally> GetTallyAsync(ProposalId proposal, CancellationToken cancellation = default)
    {
        var votes = await AskAsync(GovernanceAbi.ProposalVotes, [proposal.ToInteger()], cancellation);
        return new ProposalTally(votes.Integer(0), votes.Integer(1), votes.Integer(2));
    }

    public async Task<bool> HasVotedAsync(ProposalId proposal, Address account, CancellationToken cancellation = default) =>
        (await AskAsync(GovernanceAbi.HasVoted, [proposal.ToInteger(), account], cancellation)).Bool(0);

    /// <summary>The member's latest proposal; null if it never made one.</summary>
    public async Task<ProposalId?> GetLatestProposalAsync(MemberId id, CancellationToken cancellation = default) =>
        (await AskAsync(GovernanceAbi.LatestProposal, [id], cancellation)).Integer(0) is { IsZero: false } proposal ? ProposalId.From(proposal) : null;

    private Task<AbiValues> AskAsync(AbiFunction function, IReadOnlyList<object> arguments, CancellationToken cancellation) =>
        chain.CallAsync(address, function, arguments, BlockTag.Latest, cancellation);

    private ContractCall Call(AbiFunction function, params IReadOnlyList<object> arguments) => ContractCall.Of(address, function, arguments);
}

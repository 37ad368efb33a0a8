using System.Collections.Immutable;
using System.Numerics;

namespace FedChain.Protocol.Ethereum.Contracts;

/// <summary>Times are Unix seconds: the votes' clock is the timestamp (ERC-6372).</summary>
public sealed record ProposalCreated(
    ProposalId Proposal,
    Address Proposer,
    ImmutableArray<Address> Targets,
    ImmutableArray<BigInteger> Values,
    ImmutableArray<ReadOnlyMemory<byte>> Calldatas,
    ulong VoteStart,
    ulong VoteEnd,
    string Description) : IContractEvent;

public sealed record VoteCast(Address Voter, ProposalId Proposal, VoteKind Support, BigInteger Weight, string Reason) : IContractEvent;

public sealed record ProposalQueued(ProposalId Proposal, ulong Eta) : IContractEvent;

public sealed record ProposalExecuted(ProposalId Proposal) : IContractEvent;

public sealed record ProposalCanceled(ProposalId Proposal) : IContractEvent;

public sealed record VotingDelaySet(ulong Previous, ulong Seconds) : IContractEvent;

public sealed record VotingPeriodSet(ulong Previous, ulong Seconds) : IContractEvent;

public sealed record ExecutionDelaySet(ulong Previous, ulong Seconds) : IContractEvent;

/// <summary>GovernorCountingSimple's values.</summary>
public enum VoteKind : byte
{
    Against,
    For,
    Abstain,
}

/// <summary>IGovernor's values.</summary>
public enum ProposalState : byte
{
    Pending,
    Active,
    Canceled,
    Defeated,
    Succeeded,
    Queued,
    Expired,
    Executed,
}

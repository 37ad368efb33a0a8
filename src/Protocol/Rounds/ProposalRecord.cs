using System.Collections.Immutable;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.Protocol.Rounds;

/// <summary>A proposal as the chain's events tell it: what it would do, who voted how, and what became of it.</summary>
/// <param name="Created">Its calls, description and voting times.</param>
public sealed record ProposalRecord(ProposalCreated Created)
{
    public ProposalId Id => Created.Proposal;

    /// <summary>Votes by holder, in the order of addresses; each counts 1.</summary>
    public ImmutableSortedDictionary<Address, VoteCast> Votes { get; init; } = ImmutableSortedDictionary<Address, VoteCast>.Empty;

    /// <summary>From when (chain seconds) it can be executed; null before it is queued.</summary>
    public ulong? Eta { get; init; }

    public bool Executed { get; init; }

    public bool Canceled { get; init; }

    /// <summary>The calls with the description: what <c>queue</c> and <c>execute</c> must be given again. A call's own description is left empty.</summary>
    public Proposal Proposal => new([.. Created.Targets.Select((to, i) => new ContractCall(to, Created.Calldatas[i], ""))], Created.Description);

    public int Count(VoteKind kind) => Votes.Values.Count(v => v.Support == kind);
}

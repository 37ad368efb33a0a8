using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Governance;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Governance;

/// <summary>A proposal with what its calls mean and where it stands.</summary>
/// <param name="Record">As the events tell it.</param>
/// <param name="Before">The federation right before it was made.</param>
/// <param name="Actions">Its calls, understood.</param>
/// <param name="Words">What the calls do: what the description's first line should be.</param>
/// <param name="State">Now, by the contract.</param>
/// <param name="Voters">N: the votes at its snapshot, or now if the snapshot is yet to come.</param>
/// <param name="Grace">How long what passed waits to be queued, and then to be executed, in seconds.</param>
internal sealed record ProposalView(
    ProposalRecord Record, FederationState Before, IReadOnlyList<ProposedAction> Actions, string Words, ProposalState State, uint Voters, ulong Grace)
{
    public ProposalId Id => Record.Id;

    /// <summary>What the description's first line says that the calls do.</summary>
    public string Claim => ProposalWords.Claim(Record.Created.Description);

    /// <summary>False if whoever reads only the description is misled.</summary>
    public bool IsTrue => Claim == Words;

    public bool IsLive => State is ProposalState.Pending or ProposalState.Active or ProposalState.Succeeded or ProposalState.Queued;

    /// <summary>How many For it needs.</summary>
    public uint Needed => Quorum.OfVotes(Voters);

    /// <summary>The first second in which votes count.</summary>
    public ulong VotingFrom => Record.Created.VoteStart + 1;

    /// <summary>The last second in which votes count.</summary>
    public ulong VotingUntil => Record.Created.VoteEnd;

    /// <summary>When it expires, or has, if it passed: unless it is queued by then, or executed once it is queued.</summary>
    public ulong ExpiresAt => (Record.Eta ?? Record.Created.VoteEnd) + Grace;
}

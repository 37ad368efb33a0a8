using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Abi;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.Network.Chain;

/// <summary>IMembership: questions are asked at once, changes are calls for a <see cref="TransactionSender"/> or a <see cref="Proposal"/>.</summary>
public sealed class MembershipClient(ChainClient chain, Address address)
{
    public Address Address => address;

    // ---- by founders, applicants and members

    public ContractCall Activate(string profile, Address operatorAddress, Hash256 commitment) => Call(MembershipAbi.Activate, profile, operatorAddress, commitment);

    public ContractCall ApplyForSeat(string profile, Address operatorAddress, Hash256 commitment) => Call(MembershipAbi.ApplyForSeat, profile, operatorAddress, commitment);

    public ContractCall SetOperator(Address operatorAddress, Hash256 commitment) => Call(MembershipAbi.SetOperator, operatorAddress, commitment);

    public ContractCall UpdateProfile(string profile) => Call(MembershipAbi.UpdateProfile, profile);

    public ContractCall Resign() => Call(MembershipAbi.Resign);

    public ContractCall Wake() => Call(MembershipAbi.Wake);

    public ContractCall Dormant(MemberId id) => Call(MembershipAbi.Dormant, id);

    // ---- by vote

    public ContractCall Admit(MemberId id, Hash256 application) => Call(MembershipAbi.Admit, id, application);

    public ContractCall Expel(MemberId id) => Call(MembershipAbi.Expel, id);

    public ContractCall Recover(MemberId id, Address newHolder) => Call(MembershipAbi.Recover, id, newHolder);

    public ContractCall GrantAuditor(Address auditor, string recipient) => Call(MembershipAbi.GrantAuditor, auditor, recipient);

    public ContractCall RevokeAuditor(Address auditor) => Call(MembershipAbi.RevokeAuditor, auditor);

    public ContractCall SetRounds(Address rounds) => Call(MembershipAbi.SetRounds, rounds);

    // ---- questions

    public async Task<Address> GetGovernanceAsync(CancellationToken cancellation = default) => (await AskAsync(MembershipAbi.Governance, [], cancellation)).Address(0);

    public async Task<Address> GetRoundsAsync(CancellationToken cancellation = default) => (await AskAsync(MembershipAbi.Rounds, [], cancellation)).Address(0);

    public async Task<ulong> GetDeploymentBlockAsync(CancellationToken cancellation = default) => (await AskAsync(MembershipAbi.DeploymentBlock, [], cancellation)).UInt64(0);

    public async Task<ulong> GetFoundingEndsAtAsync(CancellationToken cancellation = default) => (await AskAsync(MembershipAbi.FoundingEndsAt, [], cancellation)).UInt64(0);

    public async Task<uint> GetVotersAsync(CancellationToken cancellation = default) => (await AskAsync(MembershipAbi.Voters, [], cancellation)).UInt32(0);

    public async Task<MemberId> GetLastIdAsync(CancellationToken cancellation = default) => (await AskAsync(MembershipAbi.LastId, [], cancellation)).Member(0);

    /// <summary>Null if there is no such seat.</summary>
    public async Task<SeatView?> GetSeatAsync(MemberId id, CancellationToken cancellation = default) =>
        SeatView.Read((await AskAsync(MembershipAbi.SeatById, [id], cancellation)).List(0)) is { Holder.IsZero: false } seat ? seat : null;

    /// <summary>The seat that the account holds or operates; null if none. Founders' seats are theirs before they activate.</summary>
    public async Task<MemberId?> GetSeatOfAsync(Address account, CancellationToken cancellation = default) =>
        OrNull((await AskAsync(MembershipAbi.SeatOf, [account], cancellation)).Member(0));

    /// <summary>The seat that the account operates; null if none.</summary>
    public async Task<MemberId?> GetOperatedByAsync(Address account, CancellationToken cancellation = default) =>
        OrNull((await AskAsync(MembershipAbi.OperatedBy, [account], cancellation)).Member(0));

    /// <summary>The application that waits under this id; null if none.</summary>
    public async Task<Hash256?> GetApplicationAsync(MemberId id, CancellationToken cancellation = default) =>
        OrNull((await AskAsync(MembershipAbi.ApplicationOf, [id], cancellation)).Hash(0));

    /// <summary>The Keccak-256 of the auditor's age recipient; null if the account is none.</summary>
    public async Task<Hash256?> GetAuditorRecipientAsync(Address auditor, CancellationToken cancellation = default) =>
        OrNull((await AskAsync(MembershipAbi.AuditorRecipient, [auditor], cancellation)).Hash(0));

    /// <summary>Whether the account had a vote at a time (Unix seconds) that is over. Refused for one that isn't.</summary>
    public async Task<bool> HadVoteAsync(Address account, ulong time, CancellationToken cancellation = default) =>
        !(await chain.CallAsync(address, MembershipAbi.GetPastVotes, [account, time], BlockTag.Pending, cancellation)).Integer(0).IsZero;

    /// <summary>How many votes there were at a time (Unix seconds) that is over. Refused for one that isn't.</summary>
    public async Task<uint> GetPastVotersAsync(ulong time, CancellationToken cancellation = default) =>
        (await chain.CallAsync(address, MembershipAbi.GetPastTotalSupply, [time], BlockTag.Pending, cancellation)).UInt32(0);

    private static MemberId? OrNull(MemberId id) => id.Value == 0 ? null : id;

    private static Hash256? OrNull(Hash256 hash) => hash.IsZero ? null : hash;

    private Task<AbiValues> AskAsync(AbiFunction function, IReadOnlyList<object> arguments, CancellationToken cancellation) =>
        chain.CallAsync(address, function, arguments, BlockTag.Latest, cancellation);

    private ContractCall Call(AbiFunction function, params IReadOnlyList<object> arguments) => ContractCall.Of(address, function, arguments);
}

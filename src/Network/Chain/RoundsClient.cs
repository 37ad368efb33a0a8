using FedChain.Protocol;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Abi;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.Network.Chain;

/// <summary>IRounds: questions are asked at once, changes are calls for a <see cref="TransactionSender"/> or a <see cref="Proposal"/>.</summary>
public sealed class RoundsClient(ChainClient chain, Address address)
{
    public Address Address => address;

    // ---- by operators

    public ContractCall Open() => Call(RoundsAbi.Open);

    public ContractCall Submit(RoundId round, Hash256 policy, Hash256 baseDigest, Hash256 manifest, Hash256 secret, Hash256 nextCommitment) =>
        Call(RoundsAbi.Submit, round, policy, baseDigest, manifest, secret, nextCommitment);

    /// <param name="round">The current round.</param>
    /// <param name="turn">The turn, from 0.</param>
    /// <param name="manifest">The digest of the global manifest.</param>
    /// <param name="aggregate">The digest of the global adapter; zero says that fewer than the minimum can be included.</param>
    public ContractCall Publish(RoundId round, uint turn, Hash256 manifest, Hash256 aggregate) => Call(RoundsAbi.Publish, round, turn, manifest, aggregate);

    public ContractCall Attest(RoundId round, uint turn, Hash256 candidate, bool valid) => Call(RoundsAbi.Attest, round, turn, candidate, valid);

    public ContractCall AttestBySignatures(RoundId round, uint turn, Hash256 candidate, IEnumerable<(bool Valid, Signature Signature)> attestations) =>
        Call(RoundsAbi.AttestBySignatures, round, turn, candidate, attestations.Select(a => new AbiValues([a.Valid, a.Signature.ToArray()])).ToArray());

    public ContractCall Recommit(Hash256 commitment) => Call(RoundsAbi.Recommit, commitment);

    // ---- by vote

    public ContractCall SetPolicy(Hash256 expected, string json, PolicyParams parameters, Hash256 genesis) =>
        Call(RoundsAbi.SetPolicy, expected, json, RoundsAbi.WriteParams(parameters), genesis);

    public ContractCall SetPaused(bool paused) => Call(RoundsAbi.SetPaused, paused);

    // ---- questions

    public async Task<Address> GetMembershipAsync(CancellationToken cancellation = default) => (await AskAsync(RoundsAbi.Membership, [], cancellation)).Address(0);

    public async Task<Address> GetGovernanceAsync(CancellationToken cancellation = default) => (await AskAsync(RoundsAbi.Governance, [], cancellation)).Address(0);

    /// <summary>The number of the last round that was opened; 0 if none was.</summary>
    public async Task<RoundId> GetCurrentAsync(CancellationToken cancellation = default) => (await AskAsync(RoundsAbi.Current, [], cancellation)).Round(0);

    /// <summary>The current round, at the time of the block being made.</summary>
    public async Task<RoundView> GetRoundAsync(CancellationToken cancellation = default) =>
        RoundView.Read((await chain.CallAsync(address, RoundsAbi.CurrentRound, [], BlockTag.Pending, cancellation)).List(0));

    /// <summary>The current round as it will be at a time (Unix seconds) if nothing happens until then.</summary>
    public async Task<RoundView> GetRoundAtAsync(ulong time, CancellationToken cancellation = default) =>
        RoundView.Read((await AskAsync(RoundsAbi.RoundAt, [time], cancellation)).List(0));

    /// <summary>The aggregators of the turns, in order. Refused while the round trains.</summary>
    public async Task<IReadOnlyList<MemberId>> GetTurnsAsync(CancellationToken cancellation = default)
    {
        var ids = (await chain.CallAsync(address, RoundsAbi.Turns, [], BlockTag.Pending, cancellation)).List(0);
        return [.. Enumerable.Range(0, ids.Count).Select(ids.Member)];
    }

    public async Task<MemberId> GetSubmitterAsync(uint index, CancellationToken cancellation = default) => (await AskAsync(RoundsAbi.Submitter, [index], cancellation)).Member(0);

    public Task<MemberView> GetMemberAsync(MemberId id, CancellationToken cancellation = default) => GetMemberAsync(id, BlockTag.Latest, cancellation);

    /// <summary>The seat as the contract knows it at a block, and at that block's time.</summary>
    public async Task<MemberView> GetMemberAsync(MemberId id, BlockTag at, CancellationToken cancellation = default) =>
        MemberView.Read((await chain.CallAsync(address, RoundsAbi.Member, [id], at, cancellation)).List(0));

    public async Task<PolicyView> GetPolicyAsync(CancellationToken cancellation = default) => PolicyView.Read(await AskAsync(RoundsAbi.Policy, [], cancellation));

    public async Task<Hash256> GetPolicyInForceAsync(CancellationToken cancellation = default) => (await AskAsync(RoundsAbi.PolicyInForce, [], cancellation)).Hash(0);

    public async Task<Hash256> GetBaseAsync(CancellationToken cancellation = default) => (await AskAsync(RoundsAbi.Base, [], cancellation)).Hash(0);

    public async Task<ulong> GetFinalisedAsync(CancellationToken cancellation = default) => (await AskAsync(RoundsAbi.Finalised, [], cancellation)).UInt64(0);

    public async Task<bool> GetPausedAsync(CancellationToken cancellation = default) => (await AskAsync(RoundsAbi.Paused, [], cancellation)).Bool(0);

    private Task<AbiValues> AskAsync(AbiFunction function, IReadOnlyList<object> arguments, CancellationToken cancellation) =>
        chain.CallAsync(address, function, arguments, BlockTag.Latest, cancellation);

    private ContractCall Call(AbiFunction function, params IReadOnlyList<object> arguments) => ContractCall.Of(address, function, arguments);
}

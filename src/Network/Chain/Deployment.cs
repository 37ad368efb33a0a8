using FedChain.Protocol;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.Network.Chain;

/// <summary>Creation bytecode of the three contracts, wherever it comes from.</summary>
public sealed record ContractCode(ReadOnlyMemory<byte> Membership, ReadOnlyMemory<byte> Governance, ReadOnlyMemory<byte> Rounds);

/// <summary>What a new federation starts with.</summary>
/// <param name="Founders">The first holders, in the order of their member ids, which start at 1.</param>
/// <param name="PolicyJson">The first policy's text, canonical JSON.</param>
/// <param name="PolicyParams">The part that the contract follows.</param>
/// <param name="Genesis">The digest of the first base.</param>
public sealed record FederationPlan(IReadOnlyList<Address> Founders, string PolicyJson, PolicyParams PolicyParams, Hash256 Genesis)
{
    /// <summary>Seconds between proposing and voting.</summary>
    public uint VotingDelay { get; init; }

    /// <summary>Seconds for voting, 5 s to 30 days; by default 3 days.</summary>
    public uint VotingPeriod { get; init; } = 3 * 24 * 3600;

    /// <summary>Seconds between queueing and executing, 0 to 14 days; by default 1 day.</summary>
    public uint ExecutionDelay { get; init; } = 24 * 3600;
}

/// <param name="Membership">The one address to remember.</param>
/// <param name="Governance">Its Governance.</param>
/// <param name="Rounds">Its Rounds.</param>
/// <param name="Receipts">Of the three deployments, in this order.</param>
public sealed record Federation(Address Membership, Address Governance, Address Rounds, IReadOnlyList<Receipt> Receipts)
{
    /// <summary>The block that readers start from.</summary>
    public ulong DeploymentBlock => Receipts[0].Block;
}

/// <summary>
/// Deploys Membership, Governance and Rounds, in this order. Membership must know the other two before they exist: their addresses follow from the
/// deployer's nonce, and the constructor of Rounds, the last one, asserts that the three name each other.
/// </summary>
public static class Deployment
{
    /// <exception cref="ChainException">A constructor refused, the node did, or the deployer sent something else meanwhile. Nothing is left in use.</exception>
    public static async Task<Federation> DeployAsync(
        ChainClient chain, TransactionSender deployer, ContractCode code, FederationPlan plan, CancellationToken cancellation = default)
    {
        var nonce = await chain.GetTransactionCountAsync(deployer.Account, BlockTag.Pending, cancellation);
        var membership = ContractAddress.Create(deployer.Account, nonce);
        var governance = ContractAddress.Create(deployer.Account, nonce + 1);
        var rounds = ContractAddress.Create(deployer.Account, nonce + 2);
        var data = CreationData(code, plan, membership, governance, rounds);
        return new Federation(membership, governance, rounds,
        [
            await CreateAsync(deployer, "Membership", membership, data.Membership, cancellation),
            await CreateAsync(deployer, "Governance", governance, data.Governance, cancellation),
            await CreateAsync(deployer, "Rounds", rounds, data.Rounds, cancellation),
        ]);
    }

    /// <summary>What the three transactions carry: creation code and the constructor's arguments.</summary>
    public static ContractCode CreationData(ContractCode code, FederationPlan plan, Address membership, Address governance, Address rounds) => new(
        MembershipAbi.Constructor.Encode(code.Membership.Span, plan.Founders.Cast<object>().ToArray(), governance, rounds),
        GovernanceAbi.Constructor.Encode(code.Governance.Span, membership, plan.VotingDelay, plan.VotingPeriod, plan.ExecutionDelay),
        RoundsAbi.Constructor.Encode(code.Rounds.Span, membership, governance, plan.PolicyJson, RoundsAbi.WriteParams(plan.PolicyParams), plan.Genesis));

    private static async Task<Receipt> CreateAsync(
        TransactionSender deployer, string name, Address expected, ReadOnlyMemory<byte> data, CancellationToken cancellation)
    {
        var receipt = await deployer.SendOrThrowAsync(new TransactionIntent(null, data, $"deploy {name}"), cancellation);
        return receipt.Created == expected
            ? receipt
            : throw new ChainException($"{name} was deployed to {receipt.Created} instead of {expected}: the deployer's key sent something else meanwhile. Deploy again.");
    }
}

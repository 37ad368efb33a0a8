using System.Numerics;

namespace FedChain.Protocol.Ethereum.Transactions;

/// <summary>Type 0: rlp([nonce, gasPrice, gasLimit, to, value, data, v, r, s]), with EIP-155's chain id inside v if there is one.</summary>
public sealed record LegacyTransaction : Transaction
{
    public BigInteger GasPrice { get; init; }

    public override byte Type => 0;

    public override BigInteger MaxGasPrice => GasPrice;

    public override byte[] SerializeUnsigned() =>
        Serialize(ChainId is { } chain ? [.. Fields(), RlpItem.Of(chain), RlpItem.Of(0), RlpItem.Of(0)] : Fields());

    internal override byte[] SerializeSigned(Signature signature)
    {
        BigInteger v = ChainId is { } chain ? 35 + (2 * (BigInteger)chain) : 27;
        return Serialize([.. Fields(), RlpItem.Of(v + signature.YParity), .. SignatureFields(signature)]);
    }

    private protected override List<RlpItem> Fields() => [RlpItem.Of(Nonce), RlpItem.Of(GasPrice), .. CallFields()];
}

/// <summary>Type 1 (EIP-2930): 0x01 | rlp([chainId, nonce, gasPrice, gasLimit, to, value, data, accessList, yParity, r, s]).</summary>
public sealed record AccessListTransaction : Transaction
{
    public BigInteger GasPrice { get; init; }

    public IReadOnlyList<AccessListEntry> AccessList { get; init; } = [];

    public override byte Type => 1;

    public override BigInteger MaxGasPrice => GasPrice;

    private protected override List<RlpItem> Fields() =>
        [RlpItem.Of(ChainId ?? 0), RlpItem.Of(Nonce), RlpItem.Of(GasPrice), .. CallFields(), AccessListEntry.ToRlp(AccessList)];
}

/// <summary>
/// Type 2 (EIP-1559): 0x02 | rlp([chainId, nonce, maxPriorityFeePerGas, maxFeePerGas, gasLimit, to, value, data, accessList, yParity, r, s]).
/// </summary>
public sealed record DynamicFeeTransaction : Transaction
{
    /// <summary>The tip to the block's producer, in wei; at most <see cref="MaxFeePerGas"/>.</summary>
    public BigInteger MaxPriorityFeePerGas { get; init; }

    /// <summary>Base fee and tip together, in wei.</summary>
    public BigInteger MaxFeePerGas { get; init; }

    public IReadOnlyList<AccessListEntry> AccessList { get; init; } = [];

    public override byte Type => 2;

    public override BigInteger MaxGasPrice => MaxFeePerGas;

    private protected override List<RlpItem> Fields() =>
    [
        RlpItem.Of(ChainId ?? 0), RlpItem.Of(Nonce), RlpItem.Of(MaxPriorityFeePerGas), RlpItem.Of(MaxFeePerGas), .. CallFields(),
        AccessListEntry.ToRlp(AccessList),
    ];

    private protected override string? Fault() => base.Fault() ?? (MaxPriorityFeePerGas > MaxFeePerGas ? "the priority fee exceeds the maximum fee" : null);
}

/// <summary>Type 3 (EIP-4844), without the blobs: as type 2, and then [maxFeePerBlobGas, blobVersionedHashes] before the signature.</summary>
public sealed record BlobTransaction : Transaction
{
    public BigInteger MaxPriorityFeePerGas { get; init; }

    public BigInteger MaxFeePerGas { get; init; }

    public IReadOnlyList<AccessListEntry> AccessList { get; init; } = [];

    public BigInteger MaxFeePerBlobGas { get; init; }

    public IReadOnlyList<Hash256> BlobVersionedHashes { get; init; } = [];

    public override byte Type => 3;

    public override BigInteger MaxGasPrice => MaxFeePerGas;

    private protected override List<RlpItem> Fields() =>
    [
        RlpItem.Of(ChainId ?? 0), RlpItem.Of(Nonce), RlpItem.Of(MaxPriorityFeePerGas), RlpItem.Of(MaxFeePerGas), .. CallFields(),
        AccessListEntry.ToRlp(AccessList), RlpItem.Of(MaxFeePerBlobGas), RlpItem.List([.. BlobVersionedHashes.Select(hash => RlpItem.Of(hash.ToArray()))]),
    ];

    private protected override string? Fault() => base.Fault()
        ?? (To is null ? "a blob transaction creates no contract" : null)
        ?? (MaxPriorityFeePerGas > MaxFeePerGas ? "the priority fee exceeds the maximum fee" : null);
}

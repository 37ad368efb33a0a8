using System.Numerics;

namespace FedChain.Protocol.Ethereum.Transactions;

/// <summary>An unsigned transaction. FedChain sends <see cref="DynamicFeeTransaction"/>; the others are read, since blocks contain them.</summary>
public abstract record Transaction
{
    /// <summary>Null only in legacy transactions from before EIP-155, which any chain would take.</summary>
    public ulong? ChainId { get; init; }

    /// <summary>Below 2^64 - 1 (EIP-2681).</summary>
    public ulong Nonce { get; init; }

    public ulong GasLimit { get; init; }

    /// <summary>Null creates a contract.</summary>
    public Address? To { get; init; }

    /// <summary>In wei, 256 bits.</summary>
    public BigInteger Value { get; init; }

    public ReadOnlyMemory<byte> Data { get; init; }

    /// <summary>The EIP-2718 type, 0 for legacy.</summary>
    public abstract byte Type { get; }

    /// <summary>The most that a unit of gas may cost, in wei.</summary>
    public abstract BigInteger MaxGasPrice { get; }

    /// <summary>What is signed: Keccak-256 of the unsigned serialisation.</summary>
    public Hash256 SigningHash => Keccak256.Hash(SerializeUnsigned());

    /// <exception cref="ArgumentException">A field is out of range.</exception>
    public virtual byte[] SerializeUnsigned() => Serialize(Fields());

    /// <exception cref="ArgumentException">A field is out of range.</exception>
    public SignedTransaction Sign(PrivateKey key) => new(this, key.Sign(SigningHash), key.Address);

    /// <summary>In the order of the serialisation, without the signature.</summary>
    private protected abstract List<RlpItem> Fields();

    internal virtual byte[] SerializeSigned(Signature signature) => Serialize([.. Fields(), RlpItem.Of(signature.YParity), .. SignatureFields(signature)]);

    private protected static IEnumerable<RlpItem> SignatureFields(Signature signature) =>
        [RlpItem.Of(new Word(signature.R).ToUnsigned()), RlpItem.Of(new Word(signature.S).ToUnsigned())];

    private protected byte[] Serialize(List<RlpItem> fields)
    {
        Check(this);
        var rlp = Rlp.Encode(RlpItem.List(fields));
        return Type == 0 ? rlp : [Type, .. rlp];
    }

    private protected List<RlpItem> CallFields() =>
        [RlpItem.Of(GasLimit), RlpItem.Of(To?.ToArray() ?? []), RlpItem.Of(Value), RlpItem.Of(Data)];

    /// <summary>Rules that hold on every chain and need no state.</summary>
    private protected virtual string? Fault()
    {
        if (Nonce == ulong.MaxValue)
        {
            return "the nonce is 2^64 - 1 (EIP-2681)";
        }

        if (Value.Sign < 0 || Value.GetBitLength() > 256)
        {
            return "the value is no uint256";
        }

        return MaxGasPrice.Sign < 0 || (MaxGasPrice * GasLimit).GetBitLength() > 256 ? "gas limit times price exceeds 256 bits" : null;
    }

    internal static void Check(Transaction transaction)
    {
        if (transaction.Fault() is { } fault)
        {
            throw new ArgumentException($"No chain takes this transaction: {fault}.", nameof(transaction));
        }
    }
}

/// <summary>Slots announced before they are touched (EIP-2930).</summary>
public sealed record AccessListEntry(Address Address, IReadOnlyList<Hash256> StorageKeys)
{
    internal static RlpItem ToRlp(IReadOnlyList<AccessListEntry> list) => RlpItem.List([.. list.Select(entry =>
        RlpItem.List(RlpItem.Of(entry.Address.ToArray()), RlpItem.List([.. entry.StorageKeys.Select(key => RlpItem.Of(key.ToArray()))])))]);
}

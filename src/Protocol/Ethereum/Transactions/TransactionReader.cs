using System.Numerics;

namespace FedChain.Protocol.Ethereum.Transactions;

/// <summary>Reads signed transactions field by field, in the order that their types document.</summary>
internal sealed class TransactionReader
{
    private const int WordBytes = 32;

    private readonly IReadOnlyList<RlpItem> _fields;
    private int _next;

    private TransactionReader(IReadOnlyList<RlpItem> fields) => _fields = fields;

    public static (Transaction Transaction, Signature Signature) Read(ReadOnlyMemory<byte> raw)
    {
        if (raw.IsEmpty)
        {
            throw new FormatException("A transaction is empty.");
        }

        var type = raw.Span[0];
        var (body, fields) = type switch
        {
            >= 0xc0 => (raw, 9),
            1 => (raw[1..], 11),
            2 => (raw[1..], 12),
            3 => (raw[1..], 14),
            _ => throw new FormatException($"Transactions of type {type} are not known here; known are legacy, 1, 2 and 3."),
        };
        var items = Rlp.Decode(body).Items;
        if (items.Count != fields)
        {
            throw new FormatException($"A transaction of this type has {fields} fields; got {items.Count}.");
        }

        var reader = new TransactionReader(items);
        return type switch
        {
            1 => (reader.AccessList(), reader.TypedSignature()),
            2 => (reader.DynamicFee(), reader.TypedSignature()),
            3 => (reader.Blob(), reader.TypedSignature()),
            _ => reader.Legacy(),
        };
    }

    private (Transaction Transaction, Signature Signature) Legacy()
    {
        var transaction = new LegacyTransaction
        {
            Nonce = UInt64(),
            GasPrice = UInt256(),
            GasLimit = UInt64(),
            To = To(),
            Value = UInt256(),
            Data = Next().Bytes,
        };
        var v = UInt256();
        if (v == 27 || v == 28)
        {
            return (transaction, SignatureOf(v == 28));
        }

        var chain = (v - 35) / 2;
        return v >= 35 && chain <= ulong.MaxValue
            ? (transaction with { ChainId = (ulong)chain }, SignatureOf(v.IsEven))
            : throw new FormatException($"A legacy transaction has v = 27, 28 or from 35 on (EIP-155); got {v}.");
    }

    private AccessListTransaction AccessList() => new()
    {
        ChainId = UInt64(),
        Nonce = UInt64(),
        GasPrice = UInt256(),
        GasLimit = UInt64(),
        To = To(),
        Value = UInt256(),
        Data = Next().Bytes,
        AccessList = Entries(),
    };

    private DynamicFeeTransaction DynamicFee() => new()
    {
        ChainId = UInt64(),
        Nonce = UInt64(),
        MaxPriorityFeePerGas = UInt256(),
        MaxFeePerGas = UInt256(),
        GasLimit = UInt64(),
        To = To(),
        Value = UInt256(),
        Data = Next().Bytes,
        AccessList = Entries(),
    };

    private BlobTransaction Blob() => new()
    {
        ChainId = UInt64(),
        Nonce = UInt64(),
        MaxPriorityFeePerGas = UInt256(),
        MaxFeePerGas = UInt256(),
        GasLimit = UInt64(),
        To = To(),
        Value = UInt256(),
        Data = Next().Bytes,
        AccessList = Entries(),
        MaxFeePerBlobGas = UInt256(),
        BlobVersionedHashes = [.. Next().Items.Select(HashOf)],
    };

    private Signature TypedSignature() => UInt64() is var parity and (0 or 1)
        ? SignatureOf(parity == 1)
        : throw new FormatException("A typed transaction's signature has parity 0 or 1.");

    private Signature SignatureOf(bool yIsOdd)
    {
        var (r, s) = (Word.FromUnsigned(UInt256()).Bits, Word.FromUnsigned(UInt256()).Bits);
        return Signature.IsValid(r, s)
            ? new Signature(r, s, yIsOdd)
            : throw new FormatException("A signature has r in [1, n) and s in [1, n/2]; these are outside.");
    }

    private IReadOnlyList<AccessListEntry> Entries() => [.. Next().Items.Select(entry =>
        entry.Items is [var address, var keys]
            ? new AccessListEntry(AddressOf(address.Bytes), [.. keys.Items.Select(HashOf)])
            : throw new FormatException("An entry of an access list is an address and its storage keys."))];

    private Address? To()
    {
        var bytes = Next().Bytes;
        return bytes.IsEmpty ? null : AddressOf(bytes);
    }

    private ulong UInt64() => (ulong)Next().ToInteger(sizeof(ulong));

    private BigInteger UInt256() => Next().ToInteger(WordBytes);

    private RlpItem Next() => _fields[_next++];

    private static Address AddressOf(ReadOnlyMemory<byte> bytes) => bytes.Length == Address.Size
        ? new Address(bytes.Span)
        : throw new FormatException($"An address is {Address.Size} bytes; got {bytes.Length}.");

    private static Hash256 HashOf(RlpItem item) => item.Bytes.Length == Hash256.Size
        ? new Hash256(item.Bytes.Span)
        : throw new FormatException($"A storage key or blob hash is {Hash256.Size} bytes; got {item.Bytes.Length}.");
}

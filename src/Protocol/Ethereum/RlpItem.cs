using System.Numerics;

namespace FedChain.Protocol.Ethereum;

/// <summary>A node of RLP: a byte string or a list of items.</summary>
public sealed class RlpItem
{
    private readonly IReadOnlyList<RlpItem>? _items;
    private readonly ReadOnlyMemory<byte> _bytes;

    private RlpItem(ReadOnlyMemory<byte> bytes) => _bytes = bytes;

    private RlpItem(IReadOnlyList<RlpItem> items) => _items = items;

    public bool IsList => _items is not null;

    /// <exception cref="FormatException">This is a list.</exception>
    public ReadOnlyMemory<byte> Bytes => IsList ? throw new FormatException("RLP: expected a byte string, got a list.") : _bytes;

    /// <exception cref="FormatException">This is a byte string.</exception>
    public IReadOnlyList<RlpItem> Items => _items ?? throw new FormatException("RLP: expected a list, got a byte string.");

    public static RlpItem Of(ReadOnlyMemory<byte> bytes) => new(bytes);

    /// <summary>An integer: big-endian without leading zeros, zero is the empty string.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public static RlpItem Of(BigInteger value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        return new(value.IsZero ? ReadOnlyMemory<byte>.Empty : value.ToByteArray(isUnsigned: true, isBigEndian: true));
    }

    public static RlpItem List(params IReadOnlyList<RlpItem> items) => new(items);

    /// <summary>Reads an integer.</summary>
    /// <exception cref="FormatException">A list, leading zeros, or more than <paramref name="maxBytes"/> bytes.</exception>
    public BigInteger ToInteger(int maxBytes)
    {
        var bytes = Bytes.Span;
        if (bytes.Length > maxBytes)
        {
            throw new FormatException($"RLP: expected an integer of at most {maxBytes} bytes, got {bytes.Length}.");
        }

        if (bytes.Length > 0 && bytes[0] == 0)
        {
            throw new FormatException("RLP: an integer has leading zeros.");
        }

        return new BigInteger(bytes, isUnsigned: true, isBigEndian: true);
    }
}

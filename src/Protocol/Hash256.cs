using System.Buffers.Binary;

namespace FedChain.Protocol;

/// <summary>A 32-byte hash (Keccak-256 or SHA-256). Written as 0x and 64 lowercase hex digits. The default value is all zeros.</summary>
public readonly record struct Hash256 : IComparable<Hash256>
{
    public const int Size = 32;

    private readonly ulong _a, _b, _c, _d; // big-endian, most significant first

    /// <exception cref="ArgumentException"><paramref name="bytes"/> is not 32 bytes long.</exception>
    public Hash256(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Size)
        {
            throw new ArgumentException($"A hash is {Size} bytes; got {bytes.Length}.", nameof(bytes));
        }

        _a = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        _b = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        _c = BinaryPrimitives.ReadUInt64BigEndian(bytes[16..]);
        _d = BinaryPrimitives.ReadUInt64BigEndian(bytes[24..]);
    }

    private Hash256(ulong a, ulong b, ulong c, ulong d) => (_a, _b, _c, _d) = (a, b, c, d);

    public static Hash256 Zero => default;

    public bool IsZero => this == default;

    /// <summary>Reads 0x and 64 hex digits, either case.</summary>
    /// <exception cref="FormatException">The text is anything else.</exception>
    public static Hash256 Parse(string text) => new(Hex.DecodeFixed(text, Size, "hash"));

    public static bool TryParse(string? text, out Hash256 hash)
    {
        Span<byte> bytes = stackalloc byte[Size];
        var ok = Hex.TryDecodeFixed(text, bytes);
        hash = ok ? new Hash256(bytes) : default;
        return ok;
    }

    public static Hash256 operator ^(Hash256 x, Hash256 y) => new(x._a ^ y._a, x._b ^ y._b, x._c ^ y._c, x._d ^ y._d);

    public static Hash256 Xor(Hash256 x, Hash256 y) => x ^ y;

    public void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, _a);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _b);
        BinaryPrimitives.WriteUInt64BigEndian(destination[16..], _c);
        BinaryPrimitives.WriteUInt64BigEndian(destination[24..], _d);
    }

    public byte[] ToArray()
    {
        var bytes = new byte[Size];
        CopyTo(bytes);
        return bytes;
    }

    /// <summary>Orders as unsigned big-endian integers.</summary>
    public int CompareTo(Hash256 other) => (_a, _b, _c, _d).CompareTo((other._a, other._b, other._c, other._d));

    public override string ToString() => Hex.Encode(ToArray());
}

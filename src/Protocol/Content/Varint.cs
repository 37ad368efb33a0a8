namespace FedChain.Protocol.Content;

/// <summary>
/// Unsigned LEB128 as multiformats fix it (github.com/multiformats/unsigned-varint): seven bits a byte, least significant first, at most
/// nine bytes (63 bits), and only the shortest form. dag-pb and UnixFS are held to the same, so that every message has one encoding.
/// </summary>
internal static class Varint
{
    public const int MaxLength = 9;

    /// <summary>False if the bytes end within the number, or it isn't in its shortest form, or it has more than 63 bits.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out ulong value, out int length)
    {
        value = 0;
        for (length = 0; length < bytes.Length && length < MaxLength; length++)
        {
            var next = bytes[length];
            value |= (ulong)(next & 0x7f) << (7 * length);
            if (next < 0x80)
            {
                var shortest = next != 0 || length == 0;
                length++;
                return shortest;
            }
        }

        return false;
    }

    /// <summary>Writes at most <see cref="MaxLength"/> bytes and returns how many.</summary>
    public static int Write(ulong value, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, (ulong)long.MaxValue);
        var length = 0;
        while (value >= 0x80)
        {
            destination[length++] = (byte)(value | 0x80);
            value >>= 7;
        }

        destination[length++] = (byte)value;
        return length;
    }

    public static int LengthOf(ulong value)
    {
        var bits = 64 - System.Numerics.BitOperations.LeadingZeroCount(value);
        return Math.Max(1, (bits + 6) / 7);
    }
}

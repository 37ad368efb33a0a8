using System.Collections.Immutable;

namespace FedChain.Protocol.Rounds;

/// <summary>
/// A set of submission indices 0..n-1 as the protocol writes it: bit i of byte i / 8, least significant first, ceil(n / 8) bytes, unused bits zero.
/// </summary>
public static class Bitmap
{
    /// <exception cref="ArgumentOutOfRangeException">An index is outside 0..n-1.</exception>
    public static byte[] Encode(IEnumerable<int> indices, int n)
    {
        ArgumentNullException.ThrowIfNull(indices);
        var bytes = new byte[Length(n)];
        foreach (var i in indices)
        {
            if (i < 0 || i >= n)
            {
                throw new ArgumentOutOfRangeException(nameof(indices), i, $"Indices lie in 0..{n - 1}.");
            }

            bytes[i / 8] |= (byte)(1 << (i % 8));
        }

        return bytes;
    }

    /// <summary>False if the length is not ceil(n / 8) or a bit at n or above is set.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, int n, out ImmutableSortedSet<int> indices)
    {
        indices = [];
        if (bytes.Length != Length(n) || (n % 8 != 0 && bytes[^1] >> (n % 8) != 0))
        {
            return false;
        }

        var set = ImmutableSortedSet.CreateBuilder<int>();
        for (var i = 0; i < n; i++)
        {
            if ((bytes[i / 8] >> (i % 8) & 1) != 0)
            {
                set.Add(i);
            }
        }

        indices = set.ToImmutable();
        return true;
    }

    private static int Length(int n) => (n + 7) / 8;
}

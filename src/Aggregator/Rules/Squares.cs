using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace FedChain.Aggregator.Rules;

/// <summary>
/// Sums of squares of differences, exact. Of differences |d| below 2^24 two are less than 2^25 apart, so that 2^10 squares stay below 2^60; what is
/// longer is added up piece by piece in 128 bits.
/// </summary>
internal static class Squares
{
    /// <summary>The most elements that are added up in 64 bits: 4 KiB of an update, so that a hundred updates' pieces stay in the second cache.</summary>
    public const int MaxPiece = 1 << 10;

    /// <summary>sum of a_i^2, of at most <see cref="MaxPiece"/> elements.</summary>
    public static ulong Norm(ReadOnlySpan<int> a)
    {
        var (even, odd) = (Vector512<long>.Zero, Vector512<long>.Zero);
        var wide = MemoryMarshal.Cast<int, Vector512<int>>(a);
        foreach (var x in wide)
        {
            Add(x, ref even, ref odd);
        }

        var sum = Vector512.Sum(even + odd);
        foreach (long x in a[(wide.Length * Vector512<int>.Count)..])
        {
            sum += x * x;
        }

        return (ulong)sum;
    }

    /// <summary>sum of (a_i - b_i)^2, of at most <see cref="MaxPiece"/> elements, as many of the one as of the other.</summary>
    public static ulong Distance(ReadOnlySpan<int> a, ReadOnlySpan<int> b)
    {
        var (even, odd) = (Vector512<long>.Zero, Vector512<long>.Zero);
        var x = MemoryMarshal.Cast<int, Vector512<int>>(a);
        var y = MemoryMarshal.Cast<int, Vector512<int>>(b)[..x.Length];
        for (var i = 0; i < x.Length; i++)
        {
            Add(x[i] - y[i], ref even, ref odd);
        }

        var sum = Vector512.Sum(even + odd);
        for (var i = x.Length * Vector512<int>.Count; i < a.Length; i++)
        {
            long difference = a[i] - b[i];
            sum += difference * difference;
        }

        return (ulong)sum;
    }

    private static void Add(Vector512<int> x, ref Vector512<long> even, ref Vector512<long> odd)
    {
        if (Avx512F.IsSupported)
        {
            // The product of 32-bit lanes takes a third of what one of 64-bit lanes takes.
            var high = (x.AsInt64() >>> 32).AsInt32();
            even += Avx512F.Multiply(x, x);
            odd += Avx512F.Multiply(high, high);
        }
        else
        {
            var (low, high) = Vector512.Widen(x);
            even += low * low;
            odd += high * high;
        }
    }
}

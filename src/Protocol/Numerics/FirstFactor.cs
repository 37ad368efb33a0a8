using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace FedChain.Protocol.Numerics;

/// <summary>
/// A0, the first value of LoRA's factor A, from a hash and not from a framework's random numbers (docs/protocol.md, "First factor"):
/// block j = SHA-256("fedchain/a0" | seed (32) | tensor name | 0x00 | uint64 j) holds elements 4j..4j+3 (row-major) as big-endian uint64 u;
/// bound = isqrt(2^(2f) / fan_in); value = floor(u (2 bound + 1) / 2^64) - bound. The range is that of PEFT's kaiming-uniform. B0 is 0.
/// </summary>
public static class FirstFactor
{
    /// <summary>The largest magnitude of a value: isqrt(2^(2f) / fan_in).</summary>
    /// <param name="fanIn">Columns of A: the adapted layer's inputs; at least 1.</param>
    /// <param name="fractionBits">f.</param>
    public static int Bound(long fanIn, int fractionBits)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(fanIn, 1);
        FixedPoint.RequireFractionBits(fractionBits);
        return (int)IntegerMath.SquareRoot((1UL << (2 * fractionBits)) / (ulong)fanIn);
    }

    /// <summary>Fills a factor A, row by row.</summary>
    /// <param name="seed">The genesis seed.</param>
    /// <param name="tensorName">The tensor's PEFT name.</param>
    /// <param name="fanIn">Columns of A.</param>
    /// <param name="fractionBits">f.</param>
    /// <param name="destination">rank x fan_in values.</param>
    public static void Fill(Hash256 seed, string tensorName, long fanIn, int fractionBits, Span<int> destination)
    {
        var bound = Bound(fanIn, fractionBits);
        var range = (2 * (ulong)bound) + 1;
        var name = Encoding.UTF8.GetBytes(tensorName);
        byte[] preimage = [.. "fedchain/a0"u8, .. seed.ToArray(), .. name, 0, .. stackalloc byte[8]];
        Span<byte> block = stackalloc byte[SHA256.HashSizeInBytes];
        for (var i = 0; i < destination.Length; i++)
        {
            if (i % 4 == 0)
            {
                BinaryPrimitives.WriteUInt64BigEndian(preimage.AsSpan(^8), (ulong)(i / 4));
                SHA256.HashData(preimage, block);
            }

            var u = BinaryPrimitives.ReadUInt64BigEndian(block[(i % 4 * 8)..]);
            destination[i] = (int)Math.BigMul(u, range, out _) - bound;
        }
    }
}

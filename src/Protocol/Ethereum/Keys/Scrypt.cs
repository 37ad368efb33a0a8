using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;

namespace FedChain.Protocol.Ethereum.Keys;

/// <summary>
/// scrypt (RFC 7914): B = PBKDF2(P, S, 1, p · 128 · r); each block through ROMix; key = PBKDF2(P, B, 1, dkLen), with HMAC-SHA256.
/// BouncyCastle's refuses r = 1 with N of 2^16 and more, as the RFC does; key files with those parameters exist and geth opens them.
/// </summary>
internal static class Scrypt
{
    /// <summary>The most memory that a foreign file's parameters may ask for.</summary>
    public const long MaxMemory = 1L << 30;

    private const long MaxWork = 1L << 33;

    /// <summary>Whether n, r and p are a power of two above 1 and positive numbers within the bounds of memory (1 GiB) and work (2^33 bytes mixed).</summary>
    public static bool IsBounded(long n, long r, long p) =>
        n is > 1 and <= 1 << 24 && BitOperations.IsPow2(n) && r is >= 1 and <= 1 << 20 && p is >= 1 and <= 1 << 20
        && 128 * n * r <= MaxMemory && 128 * n * r * p <= MaxWork && 128 * r * p <= MaxMemory;

    public static byte[] DeriveKey(ReadOnlySpan<byte> password, ReadOnlySpan<byte> salt, int n, int r, int p, int length)
    {
        if (!IsBounded(n, r, p))
        {
            throw new ArgumentOutOfRangeException(nameof(n), $"scrypt takes n a power of two and r, p >= 1 within 1 GiB of memory; got n = {n}, r = {r}, p = {p}.");
        }

        var size = 128 * r;
        var blocks = Rfc2898DeriveBytes.Pbkdf2(password, salt, 1, HashAlgorithmName.SHA256, p * size);
        var memory = new uint[(long)n * size / sizeof(uint)];
        for (var i = 0; i < p; i++)
        {
            RoMix(blocks.AsSpan(i * size, size), n, memory);
        }

        var key = Rfc2898DeriveBytes.Pbkdf2(password, blocks, 1, HashAlgorithmName.SHA256, length);
        CryptographicOperations.ZeroMemory(blocks);
        return key;
    }

    /// <summary>
    /// V[i] = X, X = BlockMix(X), n times; then n times X = BlockMix(X xor V[Integerify(X) mod n]).
    /// The words of each 64-byte block are kept in the order of Salsa20's diagonals, so that a row is one vector; word 0 stays word 0.
    /// </summary>
    private static void RoMix(Span<byte> block, int n, uint[] memory)
    {
        var words = block.Length / sizeof(uint);
        var x = new uint[words];
        var y = new uint[words];
        for (var i = 0; i < words; i++)
        {
            x[i] = BinaryPrimitives.ReadUInt32LittleEndian(block[(4 * Diagonal(i))..]);
        }

        for (var i = 0; i < n; i++)
        {
            x.CopyTo(memory.AsSpan(i * words, words));
            BlockMix(x, y);
            (x, y) = (y, x);
        }

        for (var i = 0; i < n; i++)
        {
            var j = (int)(x[words - 16] & (uint)(n - 1));
            Xor(x, memory.AsSpan(j * words, words));
            BlockMix(x, y);
            (x, y) = (y, x);
        }

        for (var i = 0; i < words; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(block[(4 * Diagonal(i))..], x[i]);
        }
    }

    private static int Diagonal(int i) => (i & ~15) + (i * 5 % 16);

    /// <summary>X = B[2r - 1]; Y[i] = X = Salsa20/8(X xor B[i]); the even Y, then the odd.</summary>
    private static void BlockMix(ReadOnlySpan<uint> input, Span<uint> output)
    {
        var half = output.Length / 2;
        var last = input[^16..];
        var (a, b, c, d) = (Row(last, 0), Row(last, 1), Row(last, 2), Row(last, 3));
        for (var i = 0; i < input.Length; i += 16)
        {
            var block = input.Slice(i, 16);
            Salsa20Of8(ref a, ref b, ref c, ref d, Row(block, 0), Row(block, 1), Row(block, 2), Row(block, 3));
            var to = output[((i / 32 * 16) + (i % 32 == 0 ? 0 : half))..];
            a.CopyTo(to);
            b.CopyTo(to[4..]);
            c.CopyTo(to[8..]);
            d.CopyTo(to[12..]);
        }
    }

    private static Vector128<uint> Row(ReadOnlySpan<uint> block, int row) => Vector128.Create(block.Slice(4 * row, 4));

    /// <summary>x = Salsa20/8(x xor m) on diagonals: four times a round over columns and one over rows.</summary>
    private static void Salsa20Of8(
        ref Vector128<uint> x0, ref Vector128<uint> x1, ref Vector128<uint> x2, ref Vector128<uint> x3,
        Vector128<uint> m0, Vector128<uint> m1, Vector128<uint> m2, Vector128<uint> m3)
    {
        var (a, b, c, d) = (x0 ^ m0, x1 ^ m1, x2 ^ m2, x3 ^ m3);
        (x0, x1, x2, x3) = (a, b, c, d);
        for (var i = 0; i < 4; i++)
        {
            b ^= RotateLeft(a + d, 7);
            c ^= RotateLeft(b + a, 9);
            d ^= RotateLeft(c + b, 13);
            a ^= RotateLeft(d + c, 18);
            b = Vector128.Shuffle(b, Vector128.Create(3u, 0, 1, 2));
            c = Vector128.Shuffle(c, Vector128.Create(2u, 3, 0, 1));
            d = Vector128.Shuffle(d, Vector128.Create(1u, 2, 3, 0));
            d ^= RotateLeft(a + b, 7);
            c ^= RotateLeft(d + a, 9);
            b ^= RotateLeft(c + d, 13);
            a ^= RotateLeft(b + c, 18);
            b = Vector128.Shuffle(b, Vector128.Create(1u, 2, 3, 0));
            c = Vector128.Shuffle(c, Vector128.Create(2u, 3, 0, 1));
            d = Vector128.Shuffle(d, Vector128.Create(3u, 0, 1, 2));
        }

        (x0, x1, x2, x3) = (x0 + a, x1 + b, x2 + c, x3 + d);
    }

    private static Vector128<uint> RotateLeft(Vector128<uint> x, int bits) => (x << bits) | (x >>> (32 - bits));

    private static void Xor(Span<uint> x, ReadOnlySpan<uint> other)
    {
        for (var i = 0; i < x.Length; i += 4)
        {
            (Vector128.Create(x.Slice(i, 4)) ^ Vector128.Create(other.Slice(i, 4))).CopyTo(x[i..]);
        }
    }
}

using Org.BouncyCastle.Asn1.X9;
using Org.BouncyCastle.Crypto.EC;
using Org.BouncyCastle.Math;
using Org.BouncyCastle.Math.EC;
using Org.BouncyCastle.Math.EC.Multiplier;

namespace FedChain.Protocol.Ethereum;

/// <summary>The curve y² = x³ + 7 over GF(p) with generator G of prime order n (SEC 2, section 2.4.1).</summary>
internal static class Secp256k1
{
    private static readonly X9ECParameters Parameters = CustomNamedCurves.GetByName("secp256k1");

    public static BigInteger N => Parameters.N;

    public static BigInteger HalfN { get; } = Parameters.N.ShiftRight(1);

    public static ECPoint G => Parameters.G;

    /// <summary>k · G by the fixed-base comb, whose sequence of operations does not depend on k.</summary>
    public static ECPoint MultiplyBase(BigInteger k) => new FixedPointCombMultiplier().Multiply(Parameters.G, k).Normalize();

    /// <summary>The point with this x and the given parity of y, or null where x is on no point.</summary>
    public static ECPoint? Decompress(BigInteger x, bool yIsOdd)
    {
        Span<byte> encoded = stackalloc byte[33];
        encoded[0] = yIsOdd ? (byte)3 : (byte)2;
        WriteScalar(x, encoded[1..]);
        try
        {
            return Parameters.Curve.DecodePoint(encoded);
        }
        catch (ArgumentException) // the library's way to say that x³ + 7 has no root
        {
            return null;
        }
    }

    public static BigInteger ReadScalar(ReadOnlySpan<byte> bytes) => new(1, bytes);

    /// <summary>Right-aligned, big-endian.</summary>
    public static void WriteScalar(BigInteger value, Span<byte> destination)
    {
        destination.Clear();
        var length = value.GetLengthofByteArrayUnsigned();
        value.ToByteArrayUnsigned(destination[(destination.Length - length)..]);
    }

    public static Hash256 ToHash(BigInteger value)
    {
        Span<byte> bytes = stackalloc byte[Hash256.Size];
        WriteScalar(value, bytes);
        return new Hash256(bytes);
    }

    /// <summary>The last 20 bytes of the Keccak-256 of x | y (Yellow Paper, appendix F).</summary>
    public static Address ToAddress(ECPoint publicKey)
    {
        Span<byte> encoded = stackalloc byte[65];
        publicKey.EncodeTo(compressed: false, encoded);
        return new Address(Keccak256.Hash(encoded[1..]).ToArray().AsSpan(12));
    }
}

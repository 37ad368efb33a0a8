namespace FedChain.Protocol.Ethereum;

/// <summary>
/// An ECDSA signature over secp256k1 with the parity of the nonce point's y, from which the signer's address follows.
/// r lies in [1, n), s in [1, n/2] (EIP-2: the other half would be a second signature for the same message).
/// </summary>
public sealed record Signature
{
    /// <summary>r | s | v.</summary>
    public const int Size = 65;

    /// <exception cref="ArgumentOutOfRangeException">r or s is out of range, or s is in the upper half.</exception>
    public Signature(Hash256 r, Hash256 s, bool yIsOdd)
    {
        if (!IsValid(r, s))
        {
            throw new ArgumentOutOfRangeException(nameof(r), "A signature has r in [1, n) and s in [1, n/2].");
        }

        (R, S, YIsOdd) = (r, s, yIsOdd);
    }

    public Hash256 R { get; }

    public Hash256 S { get; }

    public bool YIsOdd { get; }

    /// <summary>0 or 1.</summary>
    public byte YParity => YIsOdd ? (byte)1 : (byte)0;

    public static bool IsValid(Hash256 r, Hash256 s)
    {
        var x = Secp256k1.ReadScalar(r.ToArray());
        var y = Secp256k1.ReadScalar(s.ToArray());
        return x.SignValue > 0 && x.CompareTo(Secp256k1.N) < 0 && y.SignValue > 0 && y.CompareTo(Secp256k1.HalfN) <= 0;
    }

    /// <summary>Reads r | s | v with v = 27 or 28, as contracts and wallets pass it.</summary>
    /// <exception cref="FormatException">Another length, another v, or values out of range.</exception>
    public static Signature Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Size)
        {
            throw new FormatException($"A signature is {Size} bytes, r | s | v; got {bytes.Length}.");
        }

        if (bytes[64] is not (27 or 28))
        {
            throw new FormatException($"A signature ends in v = 27 or 28; got {bytes[64]}.");
        }

        var r = new Hash256(bytes[..32]);
        var s = new Hash256(bytes[32..64]);
        return IsValid(r, s)
            ? new Signature(r, s, bytes[64] == 28)
            : throw new FormatException("A signature has r in [1, n) and s in [1, n/2]; these are outside.");
    }

    /// <summary>r | s | v with v = 27 or 28.</summary>
    public byte[] ToArray()
    {
        var bytes = new byte[Size];
        R.CopyTo(bytes);
        S.CopyTo(bytes.AsSpan(32));
        bytes[64] = (byte)(27 + YParity);
        return bytes;
    }

    /// <summary>The address that signed this digest. Every digest yields some address: compare it with the one that must have signed.</summary>
    /// <exception cref="FormatException">r is the x of no point, so nobody signed this.</exception>
    public Address Recover(Hash256 digest) =>
        TryRecover(digest, out var signer) ? signer : throw new FormatException("No key can have made this signature: r is not on the curve.");

    /// <summary>Q = r⁻¹ (s R - e G) (SEC 1, section 4.1.6).</summary>
    public bool TryRecover(Hash256 digest, out Address signer)
    {
        signer = default;
        var n = Secp256k1.N;
        var r = Secp256k1.ReadScalar(R.ToArray());
        if (Secp256k1.Decompress(r, YIsOdd) is not { } point)
        {
            return false;
        }

        var inverse = r.ModInverse(n);
        var e = Secp256k1.ReadScalar(digest.ToArray()).Mod(n);
        var ofG = n.Subtract(e).Multiply(inverse).Mod(n);
        var ofR = Secp256k1.ReadScalar(S.ToArray()).Multiply(inverse).Mod(n);
        var q = Org.BouncyCastle.Math.EC.ECAlgorithms.SumOfTwoMultiplies(Secp256k1.G, ofG, point, ofR).Normalize();
        if (q.IsInfinity)
        {
            return false;
        }

        signer = Secp256k1.ToAddress(q);
        return true;
    }

    public override string ToString() => Hex.Encode(ToArray());
}

using System.Security.Cryptography;
using Org.BouncyCastle.Crypto.Digests;
using Org.BouncyCastle.Crypto.Signers;
using Org.BouncyCastle.Math;

namespace FedChain.Protocol.Ethereum;

/// <summary>
/// A secp256k1 private key. Signs deterministically (RFC 6979 with SHA-256) with s in the lower half (EIP-2), so that one key and digest have one signature.
/// It is never printed; <see cref="Dispose"/> overwrites the key's bytes (intermediate big integers of the arithmetic are left to the collector).
/// </summary>
public sealed class PrivateKey : IDisposable
{
    public const int Size = 32;

    private readonly byte[] _secret;
    private bool _disposed;

    /// <param name="secret">32 bytes, big-endian, between 1 and n - 1; copied.</param>
    /// <exception cref="ArgumentException">Another length or out of range; the message does not contain the bytes.</exception>
    public PrivateKey(ReadOnlySpan<byte> secret)
    {
        if (secret.Length != Size)
        {
            throw new ArgumentException($"A private key is {Size} bytes; got {secret.Length}.", nameof(secret));
        }

        var d = Secp256k1.ReadScalar(secret);
        if (d.SignValue == 0 || d.CompareTo(Secp256k1.N) >= 0)
        {
            throw new ArgumentException("A private key lies between 1 and the order of secp256k1 minus 1; this one does not.", nameof(secret));
        }

        _secret = secret.ToArray();
        var point = Secp256k1.MultiplyBase(d);
        var encoded = point.GetEncoded(compressed: false);
        PublicKey = encoded.AsMemory(1);
        Address = Secp256k1.ToAddress(point);
    }

    /// <summary>x | y, 64 bytes.</summary>
    public ReadOnlyMemory<byte> PublicKey { get; }

    public Address Address { get; }

    /// <summary>A new random key.</summary>
    public static PrivateKey Create()
    {
        Span<byte> secret = stackalloc byte[Size];
        BigInteger d;
        do
        {
            RandomNumberGenerator.Fill(secret);
            d = Secp256k1.ReadScalar(secret);
        }
        while (d.SignValue == 0 || d.CompareTo(Secp256k1.N) >= 0);

        var key = new PrivateKey(secret);
        CryptographicOperations.ZeroMemory(secret);
        return key;
    }

    /// <summary>Signs a 32-byte digest as it is; hashing is the caller's.</summary>
    public Signature Sign(Hash256 digest)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var n = Secp256k1.N;
        var d = Secp256k1.ReadScalar(_secret);
        var message = digest.ToArray();
        var e = Secp256k1.ReadScalar(message);
        var nonces = new HMacDsaKCalculator(new Sha256Digest());
        nonces.Init(n, d, message);
        while (true)
        {
            var k = nonces.NextK();
            var point = Secp256k1.MultiplyBase(k);
            var x = point.AffineXCoord.ToBigInteger();
            if (x.CompareTo(n) >= 0)
            {
                continue; // r = x - n could not be recovered from one bit of parity; one chance in 2^128
            }

            var s = k.ModInverse(n).Multiply(e.Add(d.Multiply(x))).Mod(n);
            if (x.SignValue == 0 || s.SignValue == 0)
            {
                continue;
            }

            var yIsOdd = point.AffineYCoord.ToBigInteger().TestBit(0);
            return s.CompareTo(Secp256k1.HalfN) > 0
                ? new Signature(Secp256k1.ToHash(x), Secp256k1.ToHash(n.Subtract(s)), !yIsOdd)
                : new Signature(Secp256k1.ToHash(x), Secp256k1.ToHash(s), yIsOdd);
        }
    }

    /// <summary>HKDF-SHA256 (RFC 5869) of the key, without salt: secrets bound to <paramref name="info"/> that a restored node finds again.</summary>
    public Hash256 DeriveSecret(ReadOnlySpan<byte> info)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        Span<byte> secret = stackalloc byte[Hash256.Size];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, _secret, secret, salt: [], info);
        return new Hash256(secret);
    }

    /// <summary>Copies the secret out, for the keystore and for files that hold keys; the caller overwrites its copy.</summary>
    public void CopyTo(Span<byte> destination)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _secret.CopyTo(destination);
    }

    public void Dispose()
    {
        _disposed = true;
        CryptographicOperations.ZeroMemory(_secret);
    }

    public override string ToString() => $"private key of {Address}";
}

using System.Security.Cryptography;
using Org.BouncyCastle.Crypto.Digests;
using Org.BouncyCastle.Crypto.Kems;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Math.EC.Rfc7748;
using Org.BouncyCastle.Security;

namespace FedChain.Protocol.Envelope;

/// <summary>
/// The KEM MLKEM768-X25519, also called X-Wing (c2sp.org/hpke-hybrids; draft-ietf-hpke-pq, draft-irtf-cfrg-concrete-hybrid-kems):
/// <code>
/// seed_M (64) | x (32) = SHAKE256(seed (32), 96);  ek_M, dk_M = ML-KEM-768.KeyGen(seed_M);  ek_X = X25519(x, base)
/// public key = ek_M (1184) | ek_X (32)
/// encapsulation = ct_M (1088) | ct_X (32), ct_X = X25519(e, base)
/// shared = SHA3-256(ss_M | ss_X | ct_X | ek_X | "\.//^\"),  ss_X = X25519(e, ek_X) = X25519(x, ct_X)
/// </code>
/// ML-KEM and X25519 are BouncyCastle's; so are SHA3 and SHAKE, which .NET has only where the operating system has them.
/// </summary>
internal static class HybridKem
{
    public const int SeedSize = 32;
    public const int PublicKeySize = MlKemKeySize + PointSize;
    public const int EncapsulationSize = MlKemCiphertextSize + PointSize;
    public const int SharedSize = 32;

    private const int MlKemKeySize = 1184;
    private const int MlKemCiphertextSize = 1088;
    private const int MlKemSeedSize = 64;
    private const int PointSize = 32;
    private const int Modulus = 3329;
    private const int CoefficientBytes = 1152; // 3 polynomials of 256 coefficients of 12 bits; the matrix's seed follows

    /// <summary>The part of a public key that is an X25519 point.</summary>
    public static ReadOnlySpan<byte> PointOf(ReadOnlySpan<byte> publicKey) => publicKey[MlKemKeySize..];

    /// <summary>FIPS 203 section 7.2, the modulus check: every coefficient of the ML-KEM key is below 3329, so no other text stands for the same key.</summary>
    public static bool IsReduced(ReadOnlySpan<byte> publicKey)
    {
        for (var i = 0; i < CoefficientBytes; i += 3)
        {
            var (low, high) = (publicKey[i] | ((publicKey[i + 1] & 15) << 8), (publicKey[i + 1] >> 4) | (publicKey[i + 2] << 4));
            if (low >= Modulus || high >= Modulus)
            {
                return false;
            }
        }

        return true;
    }

    /// <param name="publicKey">One whose point is not of low order and which <see cref="IsReduced"/>.</param>
    /// <param name="random">Asked twice for 32 bytes: ML-KEM's message, then the ephemeral scalar.</param>
    /// <param name="encapsulation">Gets <see cref="EncapsulationSize"/> bytes.</param>
    /// <param name="shared">Gets <see cref="SharedSize"/> bytes.</param>
    public static void Encapsulate(ReadOnlySpan<byte> publicKey, RandomFill random, Span<byte> encapsulation, Span<byte> shared)
    {
        Span<byte> secrets = stackalloc byte[2 * SharedSize];
        Span<byte> ephemeral = stackalloc byte[PointSize];
        try
        {
            var encapsulator = new MLKemEncapsulator(MLKemParameters.ml_kem_768);
            var key = MLKemPublicKeyParameters.FromEncoding(MLKemParameters.ml_kem_768, publicKey[..MlKemKeySize].ToArray());
            encapsulator.Init(new ParametersWithRandom(key, new Source(random)));
            encapsulator.Encapsulate(encapsulation[..MlKemCiphertextSize], secrets[..SharedSize]);
            random(ephemeral);
            X25519.ScalarMultBase(ephemeral, encapsulation[MlKemCiphertextSize..]);
            if (!X25519.CalculateAgreement(ephemeral, PointOf(publicKey), secrets[SharedSize..]))
            {
                throw new CryptographicException("The agreement with a recipient gave zero, which AgeRecipient should have excluded.");
            }

            Combine(secrets, encapsulation, publicKey, shared);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secrets);
            CryptographicOperations.ZeroMemory(ephemeral);
        }
    }

    private static void Combine(ReadOnlySpan<byte> secrets, ReadOnlySpan<byte> encapsulation, ReadOnlySpan<byte> publicKey, Span<byte> shared)
    {
        var digest = new Sha3Digest(256);
        digest.BlockUpdate(secrets);
        digest.BlockUpdate(encapsulation[MlKemCiphertextSize..]);
        digest.BlockUpdate(PointOf(publicKey));
        digest.BlockUpdate(@"\.//^\"u8);
        digest.DoFinal(shared);
    }

    /// <summary>
    /// A seed, expanded. <see cref="Dispose"/> overwrites the X25519 scalar; the expanded ML-KEM key lies in BouncyCastle's objects, which can't be
    /// overwritten. It is expanded once for this object's life, so that the collector has one such copy to forget and not one for each stanza.
    /// </summary>
    public sealed class PrivateKey : IDisposable
    {
        private readonly byte[] _scalar = GC.AllocateUninitializedArray<byte>(PointSize, pinned: true);
        private readonly byte[] _publicKey = new byte[PublicKeySize];
        private MLKemPrivateKeyParameters? _mlKem;

        public PrivateKey(ReadOnlySpan<byte> seed)
        {
            var expanded = GC.AllocateUninitializedArray<byte>(MlKemSeedSize + PointSize, pinned: true);
            var mlKemSeed = GC.AllocateUninitializedArray<byte>(MlKemSeedSize, pinned: true);
            try
            {
                var shake = new ShakeDigest(256);
                shake.BlockUpdate(seed);
                shake.OutputFinal(expanded);
                expanded.AsSpan(0, MlKemSeedSize).CopyTo(mlKemSeed);
                expanded.AsSpan(MlKemSeedSize).CopyTo(_scalar);
                _mlKem = MLKemPrivateKeyParameters.FromSeed(MLKemParameters.ml_kem_768, mlKemSeed);
                _mlKem.GetPublicKeyEncoded().CopyTo(_publicKey, 0);
                X25519.ScalarMultBase(_scalar, _publicKey.AsSpan(MlKemKeySize));
            }
            finally
            {
                CryptographicOperations.ZeroMemory(expanded);
                CryptographicOperations.ZeroMemory(mlKemSeed);
            }
        }

        public ReadOnlySpan<byte> PublicKey => _publicKey;

        /// <returns>False where the encapsulation's point is of low order, which no honest sender makes.</returns>
        /// <remarks>An encapsulation that was changed or is for somebody else gives some other shared secret (ML-KEM's implicit rejection).</remarks>
        public bool TryDecapsulate(ReadOnlySpan<byte> encapsulation, Span<byte> shared)
        {
            ObjectDisposedException.ThrowIf(_mlKem is null, this);
            Span<byte> secrets = stackalloc byte[2 * SharedSize];
            try
            {
                if (!X25519.CalculateAgreement(_scalar, encapsulation[MlKemCiphertextSize..], secrets[SharedSize..]))
                {
                    return false;
                }

                var decapsulator = new MLKemDecapsulator(MLKemParameters.ml_kem_768);
                decapsulator.Init(_mlKem);
                decapsulator.Decapsulate(encapsulation[..MlKemCiphertextSize], secrets[..SharedSize]);
                Combine(secrets, encapsulation, _publicKey, shared);
                return true;
            }
            finally
            {
                CryptographicOperations.ZeroMemory(secrets);
            }
        }

        public void Dispose()
        {
            CryptographicOperations.ZeroMemory(_scalar);
            _mlKem = null;
        }
    }

    /// <summary>BouncyCastle takes its randomness from an object of this class.</summary>
    private sealed class Source(RandomFill fill) : SecureRandom(generator: null)
    {
        public override void NextBytes(byte[] buf) => fill(buf);

        public override void NextBytes(byte[] buf, int off, int len) => fill(buf.AsSpan(off, len));

        public override void NextBytes(Span<byte> buffer) => fill(buffer);
    }
}

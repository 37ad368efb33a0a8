using CsCheck;
using FedChain.Protocol.Envelope;
using Org.BouncyCastle.Crypto.Parameters;

namespace FedChain.Protocol.Tests.Envelope;

public sealed class HybridKemTests
{
    [Fact]
    public void Both_sides_come_to_the_same_secret() => Gen.Byte.Array[HybridKem.SeedSize].Sample(
        seed =>
        {
            using var key = new HybridKem.PrivateKey(seed);
            var (encapsulation, sent, got) = (new byte[HybridKem.EncapsulationSize], new byte[32], new byte[32]);
            HybridKem.Encapsulate(key.PublicKey, System.Security.Cryptography.RandomNumberGenerator.Fill, encapsulation, sent);
            Assert.True(key.TryDecapsulate(encapsulation, got));
            Assert.Equal(sent, got);
        },
        iter: 50);

    [Fact]
    public void A_change_anywhere_in_the_encapsulation_gives_another_secret()
    {
        using var key = new HybridKem.PrivateKey(new byte[HybridKem.SeedSize]);
        var (whole, sent, got) = (new byte[HybridKem.EncapsulationSize], new byte[32], new byte[32]);
        HybridKem.Encapsulate(key.PublicKey, span => span.Fill(7), whole, sent);
        Gen.Int[0, (8 * HybridKem.EncapsulationSize) - 1].Sample(
            bit =>
            {
                var encapsulation = whole.ToArray();
                encapsulation[bit / 8] ^= (byte)(1 << (bit % 8));
                Assert.True(key.TryDecapsulate(encapsulation, got));
                Assert.NotEqual(sent, got); // even the point's top bit, which X25519 ignores: the point is hashed as it was sent
            },
            iter: 300,
            threads: 1);
    }

    [Fact]
    public void The_modulus_check_is_that_of_FIPS_203_and_agrees_with_BouncyCastles()
    {
        using var identity = AgeIdentity.Generate(AgeKeyKind.MlKem768X25519);
        Gen.Select(Gen.Int[0, 767], Gen.Int[3300, 3360]).Sample((index, coefficient) =>
        {
            var key = WithCoefficient(identity.Recipient, index, coefficient);
            Assert.Equal(coefficient < 3329, HybridKem.IsReduced(key));
            var accepted = Record.Exception(() => MLKemPublicKeyParameters.FromEncoding(MLKemParameters.ml_kem_768, key[..1184])) is null;
            Assert.Equal(coefficient < 3329, accepted);
            Assert.Equal(coefficient < 3329, AgeRecipient.TryParse(Bech32.Encode("age1pq", key), out _));
        });
    }

    /// <summary>A recipient's key with one of its 768 coefficients of 12 bits replaced.</summary>
    internal static byte[] WithCoefficient(AgeRecipient recipient, int index, int value)
    {
        var key = recipient.Key.ToArray();
        for (var bit = 0; bit < 12; bit++)
        {
            var at = (12 * index) + bit;
            key[at / 8] = (byte)((key[at / 8] & ~(1 << (at % 8))) | (((value >> bit) & 1) << (at % 8)));
        }

        return key;
    }
}

using FedChain.Protocol.Envelope;
using Org.BouncyCastle.Crypto.Kems;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Math.EC.Rfc7748;

namespace FedChain.Bench;

/// <summary>
/// What one recipient costs: a file key wrapped and unwrapped, beside BouncyCastle's bare operations of the same kind (the limit). Sealing takes a
/// key pair and an agreement for each recipient, and ML-KEM's encapsulation for a hybrid one; opening an agreement, and ML-KEM's decapsulation.
/// </summary>
internal static class RecipientBenchmark
{
    private const int Count = 500;
    private const int Rounds = 5;

    public static void Run()
    {
        using var x25519 = AgeIdentity.Generate();
        using var hybrid = AgeIdentity.Generate(AgeKeyKind.MlKem768X25519);
        var mlKem = MLKemPrivateKeyParameters.FromSeed(MLKemParameters.ml_kem_768, new byte[64]);
        var (scalar, point, shared) = (new byte[32], new byte[32], new byte[32]);
        scalar[0] = 8;
        X25519.ScalarMultBase(scalar, point);
        var encapsulation = new byte[MLKemParameterSet.ml_kem_768.EncapsulationLength];
        Encapsulate(mlKem.GetPublicKey(), encapsulation, shared);

        new Contest("Wrapping a file key, one core", "1/s", Rounds)
            .Add("X25519 alone: key pair, agreement", Count, () => Repeat(() => Agree(scalar, point, shared)))
            .Add("AgeWriter, X25519", Count, () => Seal(Stream.Null, x25519.Recipient, Count))
            .Add("ML-KEM-768 and X25519 alone", Count, () => Repeat(() =>
            {
                Encapsulate(mlKem.GetPublicKey(), encapsulation, shared);
                Agree(scalar, point, shared);
            }))
            .Add("AgeWriter, mlkem768x25519", Count, () => Seal(Stream.Null, hybrid.Recipient, Count))
            .Print();

        var (forX25519, forHybrid) = (Seal(new MemoryStream(), x25519.Recipient, 1), Seal(new MemoryStream(), hybrid.Recipient, 1));
        new Contest("Unwrapping a file key, one core", "1/s", Rounds)
            .Add("X25519 alone: agreement", Count, () => Repeat(() => X25519.CalculateAgreement(scalar, point, shared)))
            .Add("AgeReader, X25519", Count, () => Repeat(() => Open(forX25519, x25519)))
            .Add("ML-KEM-768 and X25519 alone", Count, () => Repeat(() =>
            {
                var decapsulator = new MLKemDecapsulator(MLKemParameters.ml_kem_768);
                decapsulator.Init(mlKem);
                decapsulator.Decapsulate(encapsulation, shared);
                X25519.CalculateAgreement(scalar, point, shared);
            }))
            .Add("AgeReader, mlkem768x25519", Count, () => Repeat(() => Open(forHybrid, hybrid)))
            .Print();
    }

    private static void Repeat(Action action)
    {
        for (var i = 0; i < Count; i++)
        {
            action();
        }
    }

    private static void Agree(byte[] scalar, byte[] point, byte[] shared)
    {
        X25519.ScalarMultBase(scalar, shared);
        X25519.CalculateAgreement(scalar, point, shared);
    }

    private static void Encapsulate(MLKemPublicKeyParameters key, byte[] encapsulation, byte[] shared)
    {
        var encapsulator = new MLKemEncapsulator(MLKemParameters.ml_kem_768);
        encapsulator.Init(key);
        encapsulator.Encapsulate(encapsulation, shared);
    }

    /// <summary>An empty file, sealed to one recipient again and again.</summary>
    private static T Seal<T>(T destination, AgeRecipient recipient, int count)
        where T : Stream
    {
        using var writer = new AgeWriter(destination, [.. Enumerable.Repeat(recipient, count)], leaveOpen: true);
        writer.Complete();
        return destination;
    }

    private static void Open(MemoryStream file, AgeIdentity identity)
    {
        file.Position = 0;
        using var reader = AgeReader.Open(file, [identity], leaveOpen: true);
        reader.CopyTo(Stream.Null);
    }
}

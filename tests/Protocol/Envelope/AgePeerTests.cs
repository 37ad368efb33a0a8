using System.Text;
using FedChain.Protocol.Envelope;

namespace FedChain.Protocol.Tests.Envelope;

/// <summary>Both ways between the envelope and age-encryption, the age author's TypeScript implementation, which shares no code with BouncyCastle.</summary>
public sealed class AgePeerTests
{
    private const string Passphrase = "correct horse battery staple, ä";
    private const int Chunk = AgeFormat.ChunkSize;

    public static TheoryData<AgeKeyKind, int> Cases
    {
        get
        {
            var cases = new TheoryData<AgeKeyKind, int>();
            foreach (var kind in Enum.GetValues<AgeKeyKind>())
            {
                foreach (var size in (int[])[0, 100, Chunk, (3 * Chunk) + 123])
                {
                    cases.Add(kind, size);
                }
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void What_is_sealed_here_opens_there_for_every_recipient(AgeKeyKind kind, int size)
    {
        Assert.SkipUnless(AgePeers.WhyAbsent is null, AgePeers.WhyAbsent ?? "");
        var (plaintext, identities) = (Plaintext(size), Identities(kind));
        using var file = new MemoryStream();
        using var writer = new AgeWriter(file, [.. identities.Select(i => i.Recipient)], leaveOpen: true);
        writer.Write(plaintext);
        writer.Complete();
        Assert.Equal(plaintext, AgePeers.Run("decrypt", identities.Select(i => i.ExportSecretKey()), file.ToArray()));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void What_is_sealed_there_opens_here_for_every_recipient(AgeKeyKind kind, int size)
    {
        Assert.SkipUnless(AgePeers.WhyAbsent is null, AgePeers.WhyAbsent ?? "");
        var (plaintext, identities) = (Plaintext(size), Identities(kind));
        var recipients = identities.Select(i => i.Recipient).ToList();
        var file = AgePeers.Run("encrypt", recipients.Select(r => r.ToString()), plaintext);
        Assert.Equal(AgeFormat.SealedSize(size, recipients), file.Length);
        Assert.All(identities, identity => Assert.Equal(plaintext, ReadAll(AgeReader.Open(new MemoryStream(file), [identity]))));
    }

    [Theory]
    [InlineData(100, 10)]
    [InlineData((2 * Chunk) + 1, AgePassphrase.DefaultWorkFactor)]
    public void A_passphrase_opens_here_what_was_sealed_there_and_the_other_way_round(int size, int workFactor)
    {
        Assert.SkipUnless(AgePeers.WhyAbsent is null, AgePeers.WhyAbsent ?? "");
        using var passphrase = new AgePassphrase(Passphrase);
        var plaintext = Plaintext(size);
        using var file = new MemoryStream();
        using var writer = new AgeWriter(file, passphrase, workFactor, leaveOpen: true);
        writer.Write(plaintext);
        writer.Complete();
        Assert.Equal(plaintext, AgePeers.Run("decrypt-passphrase", [Passphrase], file.ToArray()));

        var theirs = AgePeers.Run("encrypt-passphrase", [Passphrase, $"{workFactor}"], plaintext);
        Assert.Equal(plaintext, ReadAll(AgeReader.Open(new MemoryStream(theirs), passphrase)));
    }

    [Fact]
    public void An_identity_has_the_same_recipient_there()
    {
        Assert.SkipUnless(AgePeers.WhyAbsent is null, AgePeers.WhyAbsent ?? "");
        var identities = Enumerable.Range(0, 20).Select(i => AgeIdentity.Generate((AgeKeyKind)(i % 2))).ToList();
        var theirs = Encoding.ASCII.GetString(AgePeers.Run("recipients", identities.Select(i => i.ExportSecretKey()), []));
        Assert.Equal(identities.Select(i => i.Recipient.ToString()), theirs.TrimEnd().Split('\n'));
    }

    private static List<AgeIdentity> Identities(AgeKeyKind kind) => [.. Enumerable.Range(0, 3).Select(_ => AgeIdentity.Generate(kind))];

    private static byte[] ReadAll(AgeReader reader)
    {
        using (reader)
        {
            using var plaintext = new MemoryStream();
            reader.CopyTo(plaintext);
            return plaintext.ToArray();
        }
    }

    private static byte[] Plaintext(int size)
    {
        var bytes = new byte[size];
        new Random(size).NextBytes(bytes);
        return bytes;
    }
}

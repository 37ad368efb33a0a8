using CsCheck;
using FedChain.Protocol.Envelope;

namespace FedChain.Protocol.Tests.Envelope;

public sealed class AgeKeyTests
{
    // The example of c2sp.org/age: the identity of 32 bytes 0x42.
    private const string SpecIdentity = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
    private const string SpecHybridIdentity = "AGE-SECRET-KEY-PQ-1XX76JRALNLXDMEW0CRK45QMCCH4X06SE84UN3VPM33W6HWDX0H3SK3ZQFR";
    private const string SpecRecipient = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";

    [Fact]
    public void The_specifications_key_pair_is_read_and_written()
    {
        using var identity = AgeIdentity.Parse(SpecIdentity);
        Assert.Equal(SpecIdentity, identity.ExportSecretKey());
        Assert.Equal(SpecRecipient, identity.Recipient.ToString());
        Assert.Equal(AgeRecipient.Parse(SpecRecipient), identity.Recipient);
    }

    [Fact]
    public void The_specifications_hybrid_key_pair_is_read_and_written()
    {
        using var identity = AgeIdentity.Parse(SpecHybridIdentity);
        Assert.Equal(AgeKeyKind.MlKem768X25519, identity.Kind);
        Assert.Equal(SpecHybridIdentity, identity.ExportSecretKey());
        var text = identity.Recipient.ToString();
        Assert.Equal(1959, text.Length);
        Assert.StartsWith("age1pq1x34nzsvr0rxjsgdn8zgyhfe8j7ceq5r9rdelkjuh3y235jzxshfg87pzf5zrqtzdx", text, StringComparison.Ordinal);
        Assert.EndsWith("qheyty7saeq0d3fzv49zc0k", text, StringComparison.Ordinal); // with the checksum, which covers what is between
        Assert.Equal(AgeRecipient.Parse(text), identity.Recipient);
    }

    [Theory]
    [InlineData(AgeKeyKind.X25519)]
    [InlineData(AgeKeyKind.MlKem768X25519)]
    public void Generated_keys_round_trip(AgeKeyKind kind)
    {
        for (var i = 0; i < 50; i++)
        {
            using var identity = AgeIdentity.Generate(kind);
            using var again = AgeIdentity.Parse(identity.ExportSecretKey());
            Assert.Equal(identity.Recipient, again.Recipient);
            Assert.Equal(identity.Recipient.GetHashCode(), again.Recipient.GetHashCode());
            Assert.True(AgeRecipient.TryParse(identity.Recipient.ToString(), out var recipient));
            Assert.Equal(identity.Recipient, recipient);
            Assert.Equal((kind, kind), (again.Kind, recipient.Kind));
        }
    }

    [Fact]
    public void A_secret_of_either_kind_has_32_bytes()
    {
        using var x25519 = AgeIdentity.FromSecret(new byte[32]);
        using var hybrid = AgeIdentity.FromHybridSeed(new byte[32]);
        Assert.StartsWith("AGE-SECRET-KEY-1", x25519.ExportSecretKey(), StringComparison.Ordinal);
        Assert.StartsWith("AGE-SECRET-KEY-PQ-1", hybrid.ExportSecretKey(), StringComparison.Ordinal);
        Assert.NotEqual(x25519.Recipient, hybrid.Recipient);
        Assert.Throws<ArgumentException>(() => AgeIdentity.FromSecret(new byte[31]));
        Assert.Throws<ArgumentException>(() => AgeIdentity.FromHybridSeed(new byte[64]));
    }

    [Fact]
    public void The_secret_is_in_no_text_but_the_export_and_gone_after_disposal()
    {
        foreach (var text in (string[])[SpecIdentity, SpecHybridIdentity])
        {
            var identity = AgeIdentity.Parse(text);
            using var file = new MemoryStream();
            using var writer = new AgeWriter(file, [identity.Recipient], leaveOpen: true);
            writer.Complete();
            file.Position = 0;
            Assert.DoesNotContain("SECRET", identity.ToString(), StringComparison.OrdinalIgnoreCase);
            var refusal = Assert.Throws<FormatException>(() => AgeIdentity.Parse(text[..^1] + "Y"));
            Assert.DoesNotContain(text[20..25], refusal.Message, StringComparison.Ordinal);
            identity.Dispose();
            Assert.Throws<ObjectDisposedException>(identity.ExportSecretKey);
            Assert.Throws<ObjectDisposedException>(() => AgeReader.Open(file, [identity]));
        }
    }

    [Fact]
    public void Any_other_character_anywhere_makes_a_key_unreadable() =>
        Gen.Select(Gen.Int[0, SpecRecipient.Length - 1], Gen.Char[' ', '~']).Sample((at, c) =>
        {
            if (SpecRecipient[at] != c)
            {
                Assert.False(AgeRecipient.TryParse(SpecRecipient[..at] + c + SpecRecipient[(at + 1)..], out _));
            }

            if (SpecIdentity[at] != c)
            {
                Assert.Throws<FormatException>(() => AgeIdentity.Parse(SpecIdentity[..at] + c + SpecIdentity[(at + 1)..]));
            }
        });

    [Fact]
    public void Any_other_character_anywhere_makes_a_hybrid_recipient_unreadable()
    {
        using var identity = AgeIdentity.Parse(SpecHybridIdentity);
        var text = identity.Recipient.ToString();
        Gen.Select(Gen.Int[0, text.Length - 1], Gen.Char[' ', '~']).Where((at, c) => text[at] != c)
            .Sample((at, c) => Assert.False(AgeRecipient.TryParse(text[..at] + c + text[(at + 1)..], out _)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("age1")]
    [InlineData("age1pq1")]
    [InlineData("age1pq1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj")]
    [InlineData("age1tag1qt8lw0ual6avlwmwatk888yqnmdamm7xfd0wak53ut6elz5c4swx2yqdj4e")]
    [InlineData("AGE1ZVKYG2LQZRAA2LNJVQEJ32NKUU0UES2S82HZRYE869XEEXVN73EQUNUJWJ")] // uppercase
    [InlineData(" age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj")]
    [InlineData("age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj\n")]
    [InlineData("AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX")]
    [InlineData("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public void Anything_else_is_no_recipient(string text)
    {
        Assert.False(AgeRecipient.TryParse(text, out _));
        Assert.Throws<FormatException>(() => AgeRecipient.Parse(text));
    }

    [Fact]
    public void Bech32_with_nonzero_padding_bits_is_refused()
    {
        // 32 bytes are 51 groups of 5 bits and one bit; the other four bits of the last group must be zero. Try every last group under a right checksum.
        var readable = 0;
        Span<byte> payload = stackalloc byte[32];
        for (var last = 0; last < 32; last++)
        {
            var groups = Enumerable.Repeat((byte)3, 51).Append((byte)last).ToArray();
            readable += Bech32.TryDecode(Bech32Text("age", groups), "age", payload) is null ? 1 : 0;
        }

        Assert.Equal(2, readable);
    }

    [Fact]
    public void A_bech32m_checksum_is_refused()
    {
        var groups = Enumerable.Repeat((byte)0, 52).ToArray();
        Span<byte> payload = stackalloc byte[32];
        Assert.Null(Bech32.TryDecode(Bech32Text("age", groups), "age", payload));
        Assert.NotNull(Bech32.TryDecode(Bech32Text("age", groups, 0x2bc830a3), "age", payload));
    }

    [Fact]
    public void A_key_file_as_age_keygen_writes_it_is_read()
    {
        var identities = AgeIdentity.ParseKeyFile($"# created: 2026-11-23T12:00:00Z\r\n# public key: {SpecRecipient}\r\n{SpecIdentity}\r\n\r\n{SpecIdentity}");
        Assert.Equal([SpecRecipient, SpecRecipient], identities.Select(i => i.Recipient.ToString()));
    }

    [Theory]
    [InlineData("", "none")]
    [InlineData("# only a comment\n", "none")]
    [InlineData("# a comment\nAGE-SECRET-KEY-1\n", "Line 2")]
    public void A_key_file_without_an_identity_or_with_a_broken_line_is_refused(string text, string expected) =>
        Assert.Contains(expected, Assert.Throws<FormatException>(() => AgeIdentity.ParseKeyFile(text)).Message, StringComparison.Ordinal);

    /// <summary>BIP 173's encoder written down from its reference, apart from the one under test.</summary>
    internal static string Bech32Text(string hrp, IReadOnlyList<byte> groups, uint constant = 1)
    {
        const string Charset = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
        uint[] generator = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
        uint Polymod(IEnumerable<int> values)
        {
            var chk = 1u;
            foreach (var value in values)
            {
                var top = chk >> 25;
                chk = (chk & 0x1ffffff) << 5 ^ (uint)value;
                for (var i = 0; i < 5; i++)
                {
                    chk ^= (top >> i & 1) == 1 ? generator[i] : 0;
                }
            }

            return chk;
        }

        var expanded = hrp.Select(c => c >> 5).Append(0).Concat(hrp.Select(c => c & 31)).Concat(groups.Select(g => (int)g));
        var checksum = Polymod(expanded.Concat(Enumerable.Repeat(0, 6))) ^ constant;
        return hrp + "1" + string.Concat(groups.Select(g => Charset[g])) + string.Concat(Enumerable.Range(0, 6).Select(i => Charset[(int)(checksum >> 5 * (5 - i) & 31)]));
    }
}

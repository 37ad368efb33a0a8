using CsCheck;
using FedChain.Protocol.Content;

namespace FedChain.Protocol.Tests.Content;

public sealed class CidTests
{
    public static TheoryData<string, string, int, string> Valid => IpfsVectors.Cases(IpfsVectors.Cids, "valid", c => c.Text("name"));

    public static TheoryData<string, string, int, string> Invalid => IpfsVectors.Cases(IpfsVectors.Cids, "invalid", c => c.Text("why"));

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Valid))]
    [Trait("Category", "Vectors")]
    public void A_valid_CID_reads_and_writes_in_every_base(string file, string list, int index, string name)
    {
        var expected = IpfsVectors.Case(file, list, index);
        var bytes = Convert.FromHexString(expected.Text("bytesHex"));
        Assert.True(Cid.TryDecode(bytes, out var cid), name);

        Assert.Equal(expected.Number("version"), cid.Version);
        Assert.Equal(Convert.ToUInt64(expected.Text("codec"), 16), cid.Codec);
        Assert.Equal(Convert.ToUInt64(expected.Text("multihashCode"), 16), cid.HashCode);
        Assert.Equal(expected.Text("digestHex"), Convert.ToHexStringLower(cid.DigestBytes));
        Assert.Equal(bytes, cid.ToArray());
        Assert.Equal(expected.Text(cid.Version == 0 ? "base58btc" : "base32"), cid.ToString());
        foreach (var property in expected.EnumerateObject().Where(p => p.Name.StartsWith("base", StringComparison.Ordinal)))
        {
            var text = property.Value.GetString()!;
            Assert.Equal(cid, Cid.Parse(text));
            Assert.Equal(text, cid.ToString(BaseOf(property.Name)));
        }
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Invalid))]
    [Trait("Category", "Vectors")]
    public void An_invalid_CID_is_refused(string file, string list, int index, string why)
    {
        var text = IpfsVectors.Case(file, list, index).Text("cid");
        Assert.False(Cid.TryParse(text, out _), why);
        Assert.Throws<FormatException>(() => Cid.Parse(text));
    }

    [Fact]
    public void Text_and_bytes_round_trip_for_any_codec_and_digest() =>
        Gen.Select(Gen.ULong[0, long.MaxValue], Gen.ULong[0, long.MaxValue], Gen.Byte.Array[0, Cid.MaxDigestSize]).Sample((codec, hash, digest) =>
        {
            var cid = Build(codec, hash, digest);
            Assert.Equal(digest, cid.DigestBytes);
            Assert.True(Cid.TryDecode(cid.ToArray(), out var decoded));
            Assert.Equal(cid, decoded);
            Assert.Equal(cid.GetHashCode(), decoded.GetHashCode());
            foreach (var @base in Enum.GetValues<CidBase>())
            {
                Assert.Equal(cid, Cid.Parse(cid.ToString(@base)));
            }
        });

    [Fact]
    public void Any_text_is_read_or_refused_and_what_is_read_has_one_spelling() =>
        Gen.Select(Gen.Char["bBfFkKmuzQx"], Gen.OneOf(Gen.String[Gen.Char["abcxyzABCXYZ234567"], 0, 20], Gen.String[Gen.Char[(char)0, (char)130], 0, 20], Gen.String[0, 20])).Sample((prefix, rest) =>
        {
            var text = prefix + rest;
            if (Cid.TryParse(text, out var cid))
            {
                Assert.Equal(text, cid.Version == 0 ? cid.ToString() : cid.ToString((CidBase)prefix));
            }
        }, iter: 2000);

    [Fact]
    public void Any_bytes_are_read_or_refused() =>
        Gen.Byte.Array[0, 200].Sample(bytes =>
        {
            if (Cid.TryRead(bytes, out var cid, out var length))
            {
                Assert.Equal(bytes[..length], cid.ToArray());
            }
        });

    [Theory]
    [InlineData("bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5f")] // the last two bits left over are not zero
    [InlineData("bAFKREIFZJUT3TE2NHYEKKLSS27NH3K72YSCO7Y32KOAO5EEI66WOF36N5E")]
    [InlineData("bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e======")]
    [InlineData(" bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e")]
    [InlineData("f8100551220b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9")] // version 1 in two bytes
    [InlineData("f1220b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9")] // version 0 in base16
    [InlineData("f01551281ffffff7f")] // a digest of 2^28 bytes
    public void Another_spelling_is_refused(string text) => Assert.False(Cid.TryParse(text, out _));

    [Fact]
    public void A_very_long_text_is_refused_at_once() => Assert.False(Cid.TryParse("z" + new string('2', 10_000_000), out _));

    [Fact]
    public void A_digest_on_the_chain_names_a_raw_block()
    {
        var digest = Hash256.Parse("0xb94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9");
        var cid = Cid.RawOf(digest);
        Assert.Equal("bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e", cid.ToString());
        Assert.Equal(digest, cid.Digest);
        Assert.Equal(cid, Cid.OfRawBlock("hello world"u8));
        Assert.True(cid.Matches("hello world"u8));
        Assert.False(cid.Matches("hello worlds"u8));
        Assert.NotEqual(cid, Cid.DagPbOf(digest));
        Assert.NotEqual(Cid.V0Of(digest), Cid.DagPbOf(digest));
    }

    [Fact]
    public void The_default_value_is_a_CID()
    {
        Assert.Equal(Cid.RawOf(Hash256.Zero), default);
        Assert.Equal(default, Cid.Parse(default(Cid).ToString()));
    }

    [Fact]
    public void A_digest_of_another_hash_is_not_taken_for_SHA_256()
    {
        var keccak = Build(Cid.RawCodec, 0x1b, new byte[32]);
        Assert.False(keccak.CanVerify);
        Assert.Throws<InvalidOperationException>(() => keccak.Digest);
        Assert.Throws<NotSupportedException>(() => keccak.Matches([]));
        Assert.False(Build(Cid.RawCodec, Cid.Sha256Code, new byte[20]).CanVerify); // cut short
    }

    private static Cid Build(ulong codec, ulong hash, byte[] digest)
    {
        var bytes = new byte[Cid.MaxSize];
        var length = Varint.Write(1, bytes);
        length += Varint.Write(codec, bytes.AsSpan(length));
        length += Varint.Write(hash, bytes.AsSpan(length));
        length += Varint.Write((ulong)digest.Length, bytes.AsSpan(length));
        digest.CopyTo(bytes, length);
        Assert.True(Cid.TryDecode(bytes.AsSpan(0, length + digest.Length), out var cid));
        return cid;
    }

    private static CidBase BaseOf(string property) => property switch
    {
        "base16" => CidBase.Base16,
        "base16upper" => CidBase.Base16Upper,
        "base32" => CidBase.Base32,
        "base32upper" => CidBase.Base32Upper,
        "base36" => CidBase.Base36,
        "base36upper" => CidBase.Base36Upper,
        "base58btc" => CidBase.Base58Btc,
        "base64" => CidBase.Base64,
        "base64url" => CidBase.Base64Url,
        _ => throw new NotSupportedException($"The vectors have an encoding that isn't known here: {property}."),
    };
}

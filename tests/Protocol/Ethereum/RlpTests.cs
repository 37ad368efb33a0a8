using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using CsCheck;
using FedChain.Protocol.Ethereum;

namespace FedChain.Protocol.Tests.Ethereum;

public sealed class RlpTests
{
    private static readonly Gen<RlpItem> Items = Gen.Recursive<RlpItem>((depth, inner) =>
    {
        var bytes = Gen.Byte.Array[0, 70].Select(b => RlpItem.Of(b));
        return depth >= 4 ? bytes : Gen.Frequency((3, bytes), (1, inner.Array[0, 6].Select(items => RlpItem.List(items))));
    });

    public static IEnumerable<TheoryDataRow<VectorCase>> EthersCases => EthereumVectors.Cases("ethers/rlp.json");

    public static IEnumerable<TheoryDataRow<VectorCase>> OfficialCases => EthereumVectors.Cases("ethereum-tests/rlptest.json");

    public static IEnumerable<TheoryDataRow<VectorCase>> InvalidCases => EthereumVectors.Cases("ethereum-tests/invalidRLPTest.json");

    public static IEnumerable<TheoryDataRow<VectorCase>> RandomCases => EthereumVectors.Cases("ethereum-tests/rlp_random_example.json");

    [Fact]
    public void Every_item_round_trips() => Items.Sample(item =>
    {
        var encoded = Rlp.Encode(item);
        AssertSame(item, Rlp.Decode(encoded));
    });

    [Fact]
    public void Whatever_decodes_encodes_to_the_same_bytes() => Gen.Byte.Array[0, 40].Sample(bytes =>
    {
        try
        {
            Assert.Equal(bytes, Rlp.Encode(Rlp.Decode(bytes)));
        }
        catch (FormatException)
        {
            // refused: nothing to compare, and no other exception escapes
        }
    }, iter: 20_000);

    [Fact]
    public void Changed_encodings_are_refused_or_decode_to_what_encodes_to_them() => Gen.Select(Items, Gen.Int, Gen.Byte).Sample((item, at, b) =>
    {
        var bytes = Rlp.Encode(item);
        bytes[(uint)at % bytes.Length] = b;
        try
        {
            Assert.Equal(bytes, Rlp.Encode(Rlp.Decode(bytes)));
        }
        catch (FormatException)
        {
            // refused: the other allowed outcome, and no other exception escapes
        }
    }, iter: 5000);

    [Theory]
    [InlineData("8100", 0)] // a byte below 0x80 with a prefix
    [InlineData("817f", 0)]
    [InlineData("b801ff", 0)] // a short length in the long form
    [InlineData("b837", 55)]
    [InlineData("f837", 55)]
    [InlineData("b90040", 64)] // a length with leading zeros
    [InlineData("f90040", 64)]
    [InlineData("bf0000000000000040", 64)]
    [InlineData("b838", 55)] // longer than the input
    [InlineData("bfffffffffffffffff", 0)]
    [InlineData("b8", 0)] // ends within a length
    [InlineData("c280", 0)]
    [InlineData("8080", 0)] // something after the item
    [InlineData("", 0)]
    public void Anything_that_the_encoder_would_not_write_is_refused(string hex, int followedBy) =>
        Assert.Throws<FormatException>(() => Rlp.Decode((byte[])[.. Convert.FromHexString(hex), .. Enumerable.Repeat((byte)0xaa, followedBy)]));

    [Fact]
    public void Lists_nested_too_deep_are_refused_not_overflown()
    {
        var deepest = RlpItem.List();
        for (var i = 1; i < Rlp.MaxDepth; i++)
        {
            deepest = RlpItem.List(deepest);
        }

        AssertSame(deepest, Rlp.Decode(Rlp.Encode(deepest)));
        Assert.Throws<ArgumentException>(() => Rlp.Encode(RlpItem.List(deepest)));

        var bomb = new List<byte>();
        for (var size = 0; size < 100_000;)
        {
            var header = Header(size);
            bomb.AddRange(header.Reverse());
            size += header.Length;
        }

        bomb.Reverse();
        Assert.Throws<FormatException>(() => Rlp.Decode(bomb.ToArray()));
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(EthersCases)), Trait("Category", "Vectors")]
    public void Agrees_with_ethers(VectorCase @case)
    {
        var item = FromHexTree(@case.Json.GetProperty("decoded"));
        var encoded = @case.Json.Bytes("encoded");
        Assert.Equal(encoded, Rlp.Encode(item));
        AssertSame(item, Rlp.Decode(encoded));
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(OfficialCases)), Trait("Category", "Vectors")]
    public void Agrees_with_the_official_tests(VectorCase @case)
    {
        var item = FromNaturalTree(@case.Json.GetProperty("in"));
        var encoded = @case.Json.Bytes("out");
        Assert.Equal(encoded, Rlp.Encode(item));
        AssertSame(item, Rlp.Decode(encoded));
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(InvalidCases)), Trait("Category", "Vectors")]
    public void Refuses_every_invalid_encoding(VectorCase @case)
    {
        Assert.Equal("INVALID", @case.Json.Text("in"));
        Assert.Throws<FormatException>(() => Rlp.Decode(@case.Json.Bytes("out")));
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(RandomCases)), Trait("Category", "Vectors")]
    public void Accepts_valid_examples_without_content(VectorCase @case)
    {
        Assert.Equal("VALID", @case.Json.Text("in"));
        Assert.Equal(@case.Json.Bytes("out"), Rlp.Encode(Rlp.Decode(@case.Json.Bytes("out"))));
    }

    internal static void AssertSame(RlpItem expected, RlpItem actual)
    {
        Assert.Equal(expected.IsList, actual.IsList);
        if (!expected.IsList)
        {
            Assert.Equal(expected.Bytes.ToArray(), actual.Bytes.ToArray());
            return;
        }

        Assert.Equal(expected.Items.Count, actual.Items.Count);
        for (var i = 0; i < expected.Items.Count; i++)
        {
            AssertSame(expected.Items[i], actual.Items[i]);
        }
    }

    private static byte[] Header(int size) => size switch
    {
        <= 55 => [(byte)(0xc0 + size)],
        < 1 << 8 => [0xf8, (byte)size],
        < 1 << 16 => [0xf9, (byte)(size >> 8), (byte)size],
        _ => [0xfa, (byte)(size >> 16), (byte)(size >> 8), (byte)size],
    };

    private static RlpItem FromHexTree(JsonElement json) => json.ValueKind == JsonValueKind.Array
        ? RlpItem.List([.. json.EnumerateArray().Select(FromHexTree)])
        : RlpItem.Of(Hex.Decode(json.GetString()!));

    private static RlpItem FromNaturalTree(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Array => RlpItem.List([.. json.EnumerateArray().Select(FromNaturalTree)]),
        JsonValueKind.Number => RlpItem.Of(new BigInteger(json.GetUInt64())),
        _ when json.GetString()!.StartsWith('#') => RlpItem.Of(BigInteger.Parse(json.GetString()!.AsSpan(1), CultureInfo.InvariantCulture)),
        _ => RlpItem.Of(Encoding.Latin1.GetBytes(json.GetString()!)),
    };
}

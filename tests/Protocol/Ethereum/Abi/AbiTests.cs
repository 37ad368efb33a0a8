using System.Numerics;
using CsCheck;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Abi;

namespace FedChain.Protocol.Tests.Ethereum.Abi;

public sealed class AbiTests
{
    private static readonly Gen<string> TypeNames = Gen.Recursive<string>((depth, inner) =>
    {
        var simple = Gen.OneOf(
            Gen.Int[0, 6].Select(i => ((string[])["bool", "address", "bytes", "string", "uint256", "int256", "bytes32"])[i]),
            Gen.Int[1, 32].Select(n => $"uint{8 * n}"), Gen.Int[1, 32].Select(n => $"int{8 * n}"), Gen.Int[1, 32].Select(n => $"bytes{n}"));
        return depth >= 3
            ? simple
            : Gen.Frequency((4, simple), (1, inner.Select(t => t + "[]")), (1, Gen.Select(inner, Gen.Int[1, 3], (t, n) => $"{t}[{n}]")), (1, inner.Array[1, 4].Select(t => $"({string.Join(',', t)})")));
    });

    private static readonly Gen<(AbiType[] Types, AbiValues Values)> Encodables =
        TypeNames.Array[0, 4].SelectMany(names => Gen.Int.Select(seed =>
        {
            var types = names.Select(AbiType.Parse).ToArray();
            var random = new Random(seed);
            return (types, new AbiValues([.. types.Select(t => Value(t, random))]));
        }));

    [Fact]
    public void Every_value_round_trips_and_every_type_prints_as_it_is_read() => Encodables.Sample((types, values) =>
    {
        Assert.All(types, t => Assert.Equal(t.ToString(), AbiType.Parse(t.ToString()).ToString()));
        AbiVectorTests.AssertSame(values, AbiDecoder.Decode(types, AbiEncoder.Encode(types, values)));
    }, iter: 1000);

    [Fact]
    public void Changed_bytes_are_refused_or_decode_to_values_with_those_bytes() => Gen.Select(Encodables, Gen.Int, Gen.Byte).Sample((encodable, at, b) =>
    {
        var bytes = AbiEncoder.Encode(encodable.Types, encodable.Values);
        if (bytes.Length == 0)
        {
            return;
        }

        bytes[(uint)at % bytes.Length] = b;
        try
        {
            Assert.Equal(bytes, AbiEncoder.Encode(encodable.Types, AbiDecoder.Decode(encodable.Types, bytes)));
        }
        catch (FormatException)
        {
            // refused: the other allowed outcome, and no other exception escapes
        }
    }, iter: 3000);

    [Fact]
    public void Every_truncation_and_every_extension_is_refused() => Encodables.Sample((types, values) =>
    {
        var bytes = AbiEncoder.Encode(types, values);
        for (var length = 0; length < bytes.Length; length += length < 96 ? 1 : 31)
        {
            Assert.Throws<FormatException>(() => AbiDecoder.Decode(types, bytes.AsSpan(0, length)));
        }

        Assert.Throws<FormatException>(() => AbiDecoder.Decode(types, [.. bytes, 0]));
    }, iter: 100);

    [Theory]
    [InlineData("uint8", "0000000000000000000000000000000000000000000000000000000000000100")]
    [InlineData("int8", "0000000000000000000000000000000000000000000000000000000000000080")]
    [InlineData("int8", "00000000000000000000000000000000000000000000000000000000000000ff")]
    [InlineData("bool", "0000000000000000000000000000000000000000000000000000000000000002")]
    [InlineData("address", "0000000000000000000000010000000000000000000000000000000000000000")]
    [InlineData("bytes4", "0000000001000000000000000000000000000000000000000000000000000000")]
    [InlineData("bytes", "0000000000000000000000000000000000000000000000000000000000000020" + "0000000000000000000000000000000000000000000000000000000000000001" + "0101000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("string", "0000000000000000000000000000000000000000000000000000000000000020" + "0000000000000000000000000000000000000000000000000000000000000001" + "ff00000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("bytes", "0000000000000000000000000000000000000000000000000000000000000040" + "0000000000000000000000000000000000000000000000000000000000000000" + "0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("uint256[]", "0000000000000000000000000000000000000000000000000000000000000020" + "00000000000000000000000000000000000000000000000000000000ffffffff")]
    [InlineData("uint256[]", "0000000000000000000000000000000000000000000000000000000000000020" + "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff")]
    [InlineData("bytes", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff")]
    public void Bytes_that_the_encoder_would_not_write_are_refused(string type, string hex) =>
        Assert.Throws<FormatException>(() => AbiDecoder.Decode([AbiType.Parse(type)], Convert.FromHexString(hex)));

    [Fact]
    public void Arrays_that_share_their_tails_do_not_multiply()
    {
        // string[][]…: each level names the next one twice, which a lax decoder would expand 2^20 times.
        var type = AbiType.Parse("uint256" + string.Concat(Enumerable.Repeat("[]", 20)));
        var data = new List<byte>(Word.FromUnsigned(32).ToArray());
        for (var i = 0; i < 20; i++)
        {
            data.AddRange(Word.FromUnsigned(2).ToArray());
            data.AddRange(Word.FromUnsigned(64).ToArray());
            data.AddRange(Word.FromUnsigned(64).ToArray());
        }

        Assert.Throws<FormatException>(() => AbiDecoder.Decode([type], data.ToArray()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("uint7")]
    [InlineData("uint08")]
    [InlineData("uint264")]
    [InlineData("uint0")]
    [InlineData("bytes0")]
    [InlineData("bytes33")]
    [InlineData("()")]
    [InlineData("()[]")]
    [InlineData("uint256[0]")]
    [InlineData("uint256[01]")]
    [InlineData("uint256[-1]")]
    [InlineData("uint256[99999999999]")]
    [InlineData("uint256[65536][65536][65536]")]
    [InlineData("uint256[")]
    [InlineData("(uint256")]
    [InlineData("uint256)")]
    [InlineData("uint256 []x")]
    [InlineData("fixed128x18")]
    [InlineData("function")]
    public void What_is_no_type_is_refused(string text) => Assert.Throws<FormatException>(() => AbiType.Parse(text));

    [Fact]
    public void Types_nested_too_deep_are_refused()
    {
        Assert.Throws<FormatException>(() => AbiType.Parse(new string('(', 100_000)));
        Assert.Throws<FormatException>(() => AbiType.Parse("uint8" + string.Concat(Enumerable.Repeat("[]", 100_000))));
    }

    [Fact]
    public void Values_that_do_not_fit_are_misuse()
    {
        Assert.Throws<ArgumentException>(() => AbiEncoder.Encode([AbiType.Parse("uint8")], [256]));
        Assert.Throws<ArgumentException>(() => AbiEncoder.Encode([AbiType.Parse("uint8")], [-1]));
        Assert.Throws<ArgumentException>(() => AbiEncoder.Encode([AbiType.Parse("int8")], [128]));
        Assert.Throws<ArgumentException>(() => AbiEncoder.Encode([AbiType.Parse("bytes4")], [new byte[3]]));
        Assert.Throws<ArgumentException>(() => AbiEncoder.Encode([AbiType.Parse("uint8[2]")], [new object[] { 1 }]));
        Assert.Throws<ArgumentException>(() => AbiEncoder.Encode([AbiType.Parse("bool")], [1]));
        Assert.Throws<ArgumentException>(() => AbiEncoder.Encode([AbiType.Parse("bool")], []));
    }

    [Fact]
    public void Extremes_of_integers_round_trip()
    {
        foreach (var (type, value) in ((string, BigInteger)[])[("int8", -128), ("int8", 127), ("uint8", 255), ("int256", -BigInteger.Pow(2, 255)), ("uint256", BigInteger.Pow(2, 256) - 1)])
        {
            var t = AbiType.Parse(type);
            Assert.Equal(value, AbiDecoder.Decode([t], AbiEncoder.Encode([t], [value])).Integer(0));
        }
    }

    [Fact]
    public void Signatures_are_read_with_names_and_results()
    {
        var f = AbiFunction.Parse("function get(uint256 id, (address who, bytes32[2] h)[] memory list) external view returns (bool ok, string memory text)");
        Assert.Equal("get(uint256,(address,bytes32[2])[])", f.Signature);
        Assert.Equal(["id", "list"], f.Inputs.Select(i => i.Name));
        Assert.Equal(["ok", "text"], f.Outputs.Select(i => i.Name));
        Assert.Equal("who", f.Inputs[1].Type.Element!.Components[0].Name);
        Assert.Throws<FormatException>(() => AbiFunction.Parse("get(uint256"));
        Assert.Throws<FormatException>(() => AbiFunction.Parse("(uint256)"));
    }

    [Fact]
    public void A_log_of_another_event_is_refused()
    {
        var transfer = AbiEvent.Parse("event Transfer(address indexed from, address indexed to, uint256 value)");
        var data = Word.FromUnsigned(5).ToArray();
        var zero = Hash256.Zero;
        Assert.Equal(5, transfer.Decode([transfer.Topic, zero, zero], data).Integer(2));
        Assert.Throws<FormatException>(() => transfer.Decode([Keccak256.Hash("x"), zero, zero], data));
        Assert.Throws<FormatException>(() => transfer.Decode([transfer.Topic, zero], data));
        Assert.Throws<FormatException>(() => transfer.Decode([], data));
        Assert.Throws<FormatException>(() => transfer.Decode([transfer.Topic, zero, Keccak256.Hash("dirty")], data));
    }

    private static object Value(AbiType type, Random random) => type.Kind switch
    {
        AbiKind.UInt => new BigInteger(RandomBytes(random, random.Next(0, (type.Size / 8) + 1)), isUnsigned: true),
        AbiKind.Int => new BigInteger(RandomBytes(random, random.Next(0, (type.Size / 8) + 1))),
        AbiKind.Bool => random.Next(2) == 0,
        AbiKind.Address => new Address(RandomBytes(random, Address.Size)),
        AbiKind.FixedBytes => RandomBytes(random, type.Size),
        AbiKind.Bytes => RandomBytes(random, random.Next(0, 70)),
        AbiKind.String => new string([.. Enumerable.Range(0, random.Next(0, 40)).Select(_ => (char)random.Next(1, 0xd800))]),
        AbiKind.Tuple => new AbiValues([.. type.Components.Select(c => Value(c.Type, random))]),
        _ => new AbiValues([.. Enumerable.Range(0, type.Kind == AbiKind.Array ? random.Next(0, 4) : type.Size).Select(_ => Value(type.Element!, random))]),
    };

    private static byte[] RandomBytes(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }
}

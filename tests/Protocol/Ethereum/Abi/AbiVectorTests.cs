using System.Security.Cryptography;
using System.Text.Json;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Abi;

namespace FedChain.Protocol.Tests.Ethereum.Abi;

[Trait("Category", "Vectors")]
public sealed class AbiVectorTests
{
    public static IEnumerable<TheoryDataRow<VectorCase>> EthersCases => EthereumVectors.Cases("ethers/abi.json");

    public static IEnumerable<TheoryDataRow<VectorCase>> OfficialCases => EthereumVectors.Cases("ethereum-tests/abi_basic.json");

    public static IEnumerable<TheoryDataRow<VectorCase>> Packed => EthereumVectors.Cases("ethers/solidity-hashes.json");

    public static IEnumerable<TheoryDataRow<VectorCase>> Calls => EthereumVectors.Cases("generated/calldata.json");

    public static IEnumerable<TheoryDataRow<VectorCase>> Errors => EthereumVectors.Cases("generated/errors.json");

    public static IEnumerable<TheoryDataRow<VectorCase>> Events => EthereumVectors.Cases("generated/events.json");

    [Theory(SkipTestWithoutData = true), MemberData(nameof(EthersCases))]
    public void Values_encode_and_decode_as_in_ethers(VectorCase @case)
    {
        var type = AbiType.Parse(@case.Json.Text("type"));
        var encoded = @case.Json.Bytes("encoded");
        var value = FromVerbose(type, @case.Json.GetProperty("verbose"));
        AssertSame(value, AbiJson.ReadValue(type, @case.Json.GetProperty("value")));
        Assert.Equal(encoded, AbiEncoder.Encode([type], [value]));
        AssertSame(value, AbiDecoder.Decode([type], encoded)[0]);
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(OfficialCases))]
    public void Values_encode_and_decode_as_in_the_official_tests(VectorCase @case)
    {
        var types = @case.Json.GetProperty("types").EnumerateArray().Select(t => AbiType.Parse(t.GetString()!)).ToArray();
        var encoded = Hex.Decode("0x" + @case.Json.Text("result"));
        // bytesN and bytes are given as text here
        var values = @case.Json.GetProperty("args").EnumerateArray().Select((arg, i) => types[i].Kind is AbiKind.FixedBytes or AbiKind.Bytes && !arg.GetString()!.StartsWith("0x", StringComparison.Ordinal)
            ? System.Text.Encoding.UTF8.GetBytes(arg.GetString()!)
            : AbiJson.ReadValue(types[i], arg)).ToArray();
        Assert.Equal(encoded, AbiEncoder.Encode(types, values));
        AssertSame(new AbiValues(values), AbiDecoder.Decode(types, encoded));
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Packed))]
    public void Packed_values_hash_as_in_ethers(VectorCase @case)
    {
        var types = @case.Json.GetProperty("types").EnumerateArray().Select(t => AbiType.Parse(t.GetString()!)).ToArray();
        var packed = AbiPacked.Encode(types, Arguments(types, @case.Json.GetProperty("values")));
        Assert.Equal(@case.Json.Text("keccak256"), Keccak256.Hash(packed).ToString());
        Assert.Equal(@case.Json.Text("sha256"), Hex.Encode(SHA256.HashData(packed)));
        Assert.Equal(@case.Json.Text("ripemd160"), Hex.Encode([.. HashVectorTests.Ripemd160(packed), .. new byte[12]]));
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Calls))]
    public void Calldata_agrees_with_ethers_and_viem(VectorCase @case)
    {
        foreach (var function in (AbiFunction[])[AbiFunction.Parse(@case.Json.Text("signature")), AbiFunction.FromJson(@case.Json.GetProperty("abi"))])
        {
            var arguments = Arguments([.. function.Inputs.Select(i => i.Type)], @case.Json.GetProperty("args"));
            var calldata = @case.Json.Bytes("calldata");
            Assert.Equal(@case.Json.Text("canonical"), function.Signature);
            Assert.Equal(@case.Json.Text("selector"), function.Selector.ToString());
            Assert.Equal(calldata, function.Encode(arguments));
            AssertSame(new AbiValues(arguments), function.DecodeInput(calldata));
        }
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Errors))]
    public void Errors_agree_with_ethers_and_viem(VectorCase @case)
    {
        var error = AbiError.Parse(@case.Json.Text("signature"));
        var arguments = Arguments([.. error.Inputs.Select(i => i.Type)], @case.Json.GetProperty("args"));
        Assert.Equal(@case.Json.Text("selector"), error.Selector.ToString());
        Assert.Equal(@case.Json.Bytes("data"), error.Encode(arguments));
        AssertSame(new AbiValues(arguments), error.Decode(@case.Json.Bytes("data")));
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Events))]
    public void Events_agree_with_ethers_and_viem(VectorCase @case)
    {
        foreach (var @event in (AbiEvent[])[AbiEvent.Parse(@case.Json.Text("signature")), AbiEvent.FromJson(@case.Json.GetProperty("abi"))])
        {
            Assert.Equal(@case.Json.Text("canonical"), @event.Signature);
            Assert.Equal(@case.Json.Text("topic0"), @event.Topic.ToString());
            var topics = @case.Json.GetProperty("topics").EnumerateArray().Select(t => Hash256.Parse(t.GetString()!)).ToArray();
            var decoded = @event.Decode(topics, @case.Json.Bytes("data"));
            var arguments = @case.Json.GetProperty("args");
            for (var i = 0; i < decoded.Count; i++)
            {
                var given = AbiJson.ReadValue(@event.Inputs[i].Type, arguments[i]);
                AssertSame(
                    (@event.Inputs[i].IsIndexed, @event.Inputs[i].Type.Kind) switch
                    {
                        (true, AbiKind.String) => Keccak256.Hash((string)given).ToArray(),
                        (true, AbiKind.Bytes) => Keccak256.Hash((byte[])given).ToArray(),
                        _ => given,
                    },
                    decoded[i]);
            }
        }
    }

    private static AbiValues Arguments(AbiType[] types, JsonElement values) => new([.. values.EnumerateArray().Select((v, i) => AbiJson.ReadValue(types[i], v))]);

    private static object FromVerbose(AbiType type, JsonElement verbose)
    {
        var value = verbose.GetProperty("value");
        return (verbose.Text("type"), type.Kind) switch
        {
            ("array", AbiKind.Array or AbiKind.FixedArray) => new AbiValues([.. value.EnumerateArray().Select(e => FromVerbose(type.Element!, e))]),
            ("object", AbiKind.Tuple) => new AbiValues([.. value.EnumerateArray().Select((e, i) => FromVerbose(type.Components[i].Type, e))]),
            ("number", AbiKind.UInt or AbiKind.Int) or ("boolean", AbiKind.Bool) or ("address", AbiKind.Address)
                or ("string", AbiKind.String) or ("hexstring", AbiKind.Bytes or AbiKind.FixedBytes) => AbiJson.ReadValue(type, value),
            var unknown => throw new NotSupportedException(unknown.ToString()),
        };
    }

    internal static void AssertSame(object expected, object actual)
    {
        Assert.Equal(expected.GetType(), actual.GetType());
        if (expected is AbiValues list)
        {
            var other = (AbiValues)actual;
            Assert.Equal(list.Count, other.Count);
            for (var i = 0; i < list.Count; i++)
            {
                AssertSame(list[i], other[i]);
            }
        }
        else
        {
            Assert.Equal(expected, actual);
        }
    }
}

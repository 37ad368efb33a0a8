using System.Text.Json;

namespace FedChain.Protocol.Ethereum.Abi;

/// <summary>
/// An event: topic 0 is the hash of its signature (unless anonymous), each indexed argument is a topic, the others are in the data.
/// Of an indexed bytes, string, array or tuple the log holds only a hash; its decoded value is that hash's 32 bytes.
/// </summary>
public sealed class AbiEvent
{
    private readonly AbiType[] _data;

    private AbiEvent(string name, IReadOnlyList<AbiParameter> inputs, bool isAnonymous)
    {
        (Name, Inputs, IsAnonymous) = (name, inputs, isAnonymous);
        _data = [.. inputs.Where(p => !p.IsIndexed).Select(p => p.Type)];
        Signature = $"{name}({string.Join(',', inputs.Select(p => p.Type))})";
        Topic = Keccak256.Hash(Signature);
    }

    public string Name { get; }

    public IReadOnlyList<AbiParameter> Inputs { get; }

    public bool IsAnonymous { get; }

    public string Signature { get; }

    /// <summary>The hash of the signature.</summary>
    public Hash256 Topic { get; }

    /// <exception cref="FormatException">Not a signature.</exception>
    public static AbiEvent Parse(string signature)
    {
        var (name, inputs, _) = AbiParser.ParseSignature(signature, "event");
        return new(name, inputs, isAnonymous: false);
    }

    /// <exception cref="FormatException">Not such an entry of a JSON ABI.</exception>
    public static AbiEvent FromJson(JsonElement json) => new(
        AbiJson.Name(json),
        AbiJson.Parameters(json, "inputs"),
        json.TryGetProperty("anonymous", out var anonymous) && anonymous.ValueKind == JsonValueKind.True);

    /// <summary>All arguments in the order of the signature.</summary>
    /// <exception cref="FormatException">Another event's log, or not canonical.</exception>
    public AbiValues Decode(IReadOnlyList<Hash256> topics, ReadOnlySpan<byte> data)
    {
        var first = IsAnonymous ? 0 : 1;
        var indexed = Inputs.Count - _data.Length;
        if (topics.Count != first + indexed || (!IsAnonymous && topics[0] != Topic))
        {
            throw new FormatException($"ABI: expected event {Signature} with {first + indexed} topics, the first {Topic}; got {topics.Count}: {string.Join(", ", topics)}.");
        }

        var fromData = AbiDecoder.Decode(_data, data);
        var values = new object[Inputs.Count];
        var (topic, position) = (first, 0);
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = Inputs[i].IsIndexed ? ReadTopic(Inputs[i].Type, topics[topic++]) : fromData[position++];
        }

        return new AbiValues(values);
    }

    public override string ToString() => Signature;

    private static object ReadTopic(AbiType type, Hash256 topic) =>
        type.Kind is AbiKind.Bytes or AbiKind.String or AbiKind.Array or AbiKind.FixedArray or AbiKind.Tuple
            ? topic.ToArray()
            : AbiDecoder.ReadWord(type, topic);
}

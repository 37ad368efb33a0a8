using System.Text.Json;

namespace FedChain.Protocol.Ethereum.Abi;

/// <summary>A custom error: selector | abi.encode(arguments) is what a call reverts with.</summary>
public sealed class AbiError
{
    private readonly AbiType[] _inputs;

    private AbiError(string name, IReadOnlyList<AbiParameter> inputs)
    {
        (Name, Inputs) = (name, inputs);
        _inputs = [.. inputs.Select(p => p.Type)];
        Signature = $"{name}({string.Join(',', inputs.Select(p => p.Type))})";
        Selector = Selector.Of(Signature);
    }

    /// <summary>What require and revert with a text throw.</summary>
    public static AbiError Text { get; } = Parse("Error(string message)");

    /// <summary>What assert, overflow, bad index and the like throw.</summary>
    public static AbiError Panic { get; } = Parse("Panic(uint256 code)");

    public string Name { get; }

    public IReadOnlyList<AbiParameter> Inputs { get; }

    public string Signature { get; }

    public Selector Selector { get; }

    /// <exception cref="FormatException">Not a signature.</exception>
    public static AbiError Parse(string signature)
    {
        var (name, inputs, _) = AbiParser.ParseSignature(signature, "error");
        return new(name, inputs);
    }

    /// <exception cref="FormatException">Not such an entry of a JSON ABI.</exception>
    public static AbiError FromJson(JsonElement json) => new(AbiJson.Name(json), AbiJson.Parameters(json, "inputs"));

    public byte[] Encode(params IReadOnlyList<object> arguments) => [.. Selector.ToArray(), .. AbiEncoder.Encode(_inputs, arguments)];

    /// <exception cref="FormatException">Another error's data, or not canonical.</exception>
    public AbiValues Decode(ReadOnlySpan<byte> data) => AbiDecoder.Decode(_inputs, Selector.Strip(data, Signature));

    public override string ToString() => Signature;
}

using System.Text.Json;

namespace FedChain.Protocol.Ethereum.Abi;

/// <summary>A function: selector | abi.encode(arguments) is its calldata.</summary>
public sealed class AbiFunction
{
    private readonly AbiType[] _inputs;
    private readonly AbiType[] _outputs;

    private AbiFunction(string name, IReadOnlyList<AbiParameter> inputs, IReadOnlyList<AbiParameter> outputs)
    {
        (Name, Inputs, Outputs) = (name, inputs, outputs);
        _inputs = [.. inputs.Select(p => p.Type)];
        _outputs = [.. outputs.Select(p => p.Type)];
        Signature = $"{name}({string.Join(',', inputs.Select(p => p.Type))})";
        Selector = Selector.Of(Signature);
    }

    public string Name { get; }

    public IReadOnlyList<AbiParameter> Inputs { get; }

    public IReadOnlyList<AbiParameter> Outputs { get; }

    /// <summary>Canonical, e.g. <c>transfer(address,uint256)</c>.</summary>
    public string Signature { get; }

    public Selector Selector { get; }

    /// <param name="signature">As Solidity writes it, e.g. <c>transfer(address to, uint256 amount) returns (bool)</c>.</param>
    /// <exception cref="FormatException">Not such a signature.</exception>
    public static AbiFunction Parse(string signature)
    {
        var (name, inputs, outputs) = AbiParser.ParseSignature(signature, "function");
        return new(name, inputs, outputs);
    }

    /// <summary>Reads an entry of a JSON ABI.</summary>
    /// <exception cref="FormatException">Not such an entry.</exception>
    public static AbiFunction FromJson(JsonElement json) => new(AbiJson.Name(json), AbiJson.Parameters(json, "inputs"), AbiJson.Parameters(json, "outputs"));

    /// <exception cref="ArgumentException">The arguments do not fit.</exception>
    public byte[] Encode(params IReadOnlyList<object> arguments) => [.. Selector.ToArray(), .. AbiEncoder.Encode(_inputs, arguments)];

    /// <exception cref="FormatException">Another function's calldata, or not canonical.</exception>
    public AbiValues DecodeInput(ReadOnlySpan<byte> calldata) =>
        AbiDecoder.Decode(_inputs, Selector.Strip(calldata, Signature));

    /// <exception cref="FormatException">Not what the function returns.</exception>
    public AbiValues DecodeOutput(ReadOnlySpan<byte> returned) => AbiDecoder.Decode(_outputs, returned);

    public override string ToString() => Signature;
}

using System.Text.Json;

namespace FedChain.Protocol.Ethereum.Abi;

/// <summary>A contract's constructor: creation bytecode | abi.encode(arguments) is what a deployment sends.</summary>
public sealed class AbiConstructor
{
    private readonly AbiType[] _inputs;

    private AbiConstructor(IReadOnlyList<AbiParameter> inputs)
    {
        Inputs = inputs;
        _inputs = [.. inputs.Select(p => p.Type)];
    }

    public IReadOnlyList<AbiParameter> Inputs { get; }

    /// <param name="signature">E.g. <c>constructor(address owner, uint256 cap)</c>.</param>
    /// <exception cref="FormatException">Not a signature.</exception>
    public static AbiConstructor Parse(string signature) => new(AbiParser.ParseSignature(signature, "constructor").Inputs);

    /// <exception cref="FormatException">Not such an entry of a JSON ABI.</exception>
    public static AbiConstructor FromJson(JsonElement json) => new(AbiJson.Parameters(json, "inputs"));

    /// <exception cref="ArgumentException">The arguments do not fit.</exception>
    public byte[] Encode(ReadOnlySpan<byte> creationCode, params IReadOnlyList<object> arguments) => [.. creationCode, .. AbiEncoder.Encode(_inputs, arguments)];

    public override string ToString() => $"constructor({string.Join(',', _inputs.AsEnumerable())})";
}

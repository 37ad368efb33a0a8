using System.Text.Json;
using FedChain.Network.Chain;
using FedChain.Protocol;

namespace FedChain.Node.Chain;

/// <summary>The release build of the contracts, which comes with the program: what is deployed, and what a deployed federation is compared with.</summary>
internal sealed record ContractArtifact(string Name, byte[] Bytecode, byte[] DeployedBytecode, IReadOnlyList<(int Start, int Length)> Immutables)
{
    public static ContractCode Code => new(Load("Membership").Bytecode, Load("Governance").Bytecode, Load("Rounds").Bytecode);

    public static ContractArtifact Load(string name)
    {
        using var stream = typeof(ContractArtifact).Assembly.GetManifestResourceStream($"contracts.{name}.json")
            ?? throw new InvalidOperationException($"The program was built without contracts/release/{name}.json.");
        using var json = JsonDocument.Parse(stream);
        var root = json.RootElement;
        return new ContractArtifact(
            name,
            Hex.Decode(root.GetProperty("bytecode").GetString()!),
            Hex.Decode(root.GetProperty("deployedBytecode").GetString()!),
            [.. root.GetProperty("immutableReferences").EnumerateArray().Select(r => (r.GetProperty("start").GetInt32(), r.GetProperty("length").GetInt32()))]);
    }

    /// <summary>Whether code on a chain is this contract's, whatever its constructor put into the immutables' places.</summary>
    public bool IsDeployedAs(ReadOnlySpan<byte> code)
    {
        if (code.Length != DeployedBytecode.Length)
        {
            return false;
        }

        var actual = code.ToArray();
        var expected = DeployedBytecode.ToArray();
        foreach (var (start, length) in Immutables)
        {
            actual.AsSpan(start, length).Clear();
            expected.AsSpan(start, length).Clear();
        }

        return actual.AsSpan().SequenceEqual(expected);
    }
}

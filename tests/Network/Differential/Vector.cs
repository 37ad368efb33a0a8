using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Tests;

namespace FedChain.Network.Tests.Differential;

/// <summary>A call of a vector, and what becomes of it: the lines of <see cref="Outcome"/>, with names (<see cref="Names"/>).</summary>
internal sealed record VectorStep(JsonElement Call, IReadOnlyList<string> Then);

/// <summary>A sequence in a file of tests/vectors/sequences: what happens in it, in words; who founds the federation, and under which terms; the calls.</summary>
internal sealed record Vector(string Description, Founding Founding, IReadOnlyList<VectorStep> Steps)
{
    private static readonly JsonSerializerOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    private static string Folder => Path.Combine(Shared.RepositoryRoot, "tests", "vectors", "sequences");

    /// <summary>The names of all vectors: those of their files.</summary>
    public static IEnumerable<string> All => Directory.EnumerateFiles(Folder, "*.json").Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal);

    public static Vector Read(string name)
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder, name + ".json")));
        var root = json.RootElement;
        return new Vector(
            root.GetProperty("description").GetString()!,
            new Founding(root.GetProperty("founders").GetInt32(), root.GetProperty("policy").Deserialize<PolicyParams>(Options)!),
            [.. root.GetProperty("steps").EnumerateArray().Select(s => new VectorStep(s.Clone(), [.. s.GetProperty("then").EnumerateArray().Select(line => line.GetString()!)]))]);
    }

    /// <summary>Sequence and outcomes in the form of a vector's file.</summary>
    public static string ToJson(string description, Founding founding, IEnumerable<(Operation Operation, Outcome Outcome)> steps, Names names)
    {
        var lines = steps.Select(s =>
        {
            var call = s.Operation.ToJson(names).ToJsonString(Options);
            return $"  {call[..^1]},\n   \"then\":[{string.Join(",\n    ", s.Outcome.Lines.Select(line => JsonValue.Create(names.Explain(line)).ToJsonString(Options)))}]}}";
        });
        return $$"""
            {
             "description": {{JsonValue.Create(description).ToJsonString(Options)}},
             "founders": {{founding.Founders}},
             "policy": {{JsonSerializer.Serialize(founding.Params, Options)}},
             "steps": [
            {{string.Join(",\n", lines)}}
             ]
            }
            """;
    }
}

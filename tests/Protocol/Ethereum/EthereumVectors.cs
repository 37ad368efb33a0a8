using System.Collections.Concurrent;
using System.Text.Json;
using FedChain.Tests;
using Xunit.Sdk;

namespace FedChain.Protocol.Tests.Ethereum;

/// <summary>Reads the JSON files under vectors/ethereum: one theory row per case, whatever cases there are.</summary>
internal static class EthereumVectors
{
    private static readonly ConcurrentDictionary<string, JsonElement> Files = new();

    /// <summary>Every case of every copy of a file, e.g. "ethers/abi.json"; in a file with named groups of cases, those of <paramref name="group"/>.</summary>
    public static IEnumerable<TheoryDataRow<VectorCase>> Cases(string file, string? group = null)
    {
        foreach (var path in Shared.VectorFiles(Path.Combine("ethereum", file)))
        {
            var root = Read(path);
            var cases = group is null ? root : root.GetProperty(group);
            if (cases.ValueKind == JsonValueKind.Array)
            {
                for (var i = 0; i < cases.GetArrayLength(); i++)
                {
                    yield return Row(path, group, i, NameOf(cases[i]));
                }
            }
            else
            {
                var i = 0;
                foreach (var property in cases.EnumerateObject())
                {
                    yield return Row(path, group, i++, property.Name);
                }
            }
        }
    }

    internal static JsonElement Read(string path) => Files.GetOrAdd(path, static p =>
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(p), new JsonDocumentOptions { MaxDepth = 1024 });
        return document.RootElement.Clone();
    });

    private static TheoryDataRow<VectorCase> Row(string path, string? group, int index, string name) =>
        new(new VectorCase(path, group, index, name));

    private static string NameOf(JsonElement @case)
    {
        foreach (var key in (string[])["name", "signature", "sender", "signer"])
        {
            if (@case.TryGetProperty(key, out var name) && name.ValueKind == JsonValueKind.String)
            {
                return name.GetString()!;
            }
        }

        return "unnamed";
    }
}

/// <summary>One case of a vector file; shown as its file and name.</summary>
public sealed class VectorCase : IXunitSerializable
{
    private string _path = "";
    private string? _group;

    public VectorCase()
    {
    }

    public VectorCase(string path, string? group, int index, string name) => (_path, _group, Index, Name) = (path, group, index, name);

    public int Index { get; private set; }

    public string Name { get; private set; } = "";

    public JsonElement Json
    {
        get
        {
            var root = EthereumVectors.Read(_path);
            var cases = _group is null ? root : root.GetProperty(_group);
            return cases.ValueKind == JsonValueKind.Array ? cases[Index] : cases.EnumerateObject().ElementAt(Index).Value;
        }
    }

    public void Deserialize(IXunitSerializationInfo info)
    {
        _path = info.GetValue<string>(nameof(_path))!;
        _group = info.GetValue<string>(nameof(_group));
        Index = info.GetValue<int>(nameof(Index));
        Name = info.GetValue<string>(nameof(Name))!;
    }

    public void Serialize(IXunitSerializationInfo info)
    {
        info.AddValue(nameof(_path), _path);
        info.AddValue(nameof(_group), _group);
        info.AddValue(nameof(Index), Index);
        info.AddValue(nameof(Name), Name);
    }

    public override string ToString() => $"{Path.GetFileName(_path)} {Index}: {Name}";
}

internal static class JsonElementExtensions
{
    public static string Text(this JsonElement json, string property) => json.GetProperty(property).GetString()!;

    public static byte[] Bytes(this JsonElement json, string property) => Hex.Decode(json.Text(property));
}

using System.Text.Json;
using FedChain.Protocol;
using FedChain.Protocol.Files;

namespace FedChain.Node.Adapters;

/// <summary>
/// Which base model an adapter's folder is for: <c>fedchain.json</c>, which an export writes with more in it. PEFT's own configuration names the model,
/// but doesn't say with which weights.
/// </summary>
/// <param name="BaseModel">The base model's digest.</param>
/// <param name="AdapterConfig">Digest of rank, alpha, targets and fraction bits.</param>
internal sealed record AdapterOrigin(Hash256 BaseModel, Hash256 AdapterConfig)
{
    public const string FileName = "fedchain.json";

    public void Write(string folder) => File.WriteAllBytes(
        Path.Combine(folder, FileName),
        [.. CanonicalJson.Serialize(JsonValue.Of(("adapterConfig", AdapterConfig), ("baseModel", BaseModel), ("kind", "imported"), ("v", 1))), (byte)'\n']);

    /// <summary>The base model that the folder names; null if it doesn't say.</summary>
    /// <exception cref="UserErrorException">The file is there and can't be read.</exception>
    public static Hash256? BaseModelOf(string folder)
    {
        var file = Path.Combine(folder, FileName);
        if (!File.Exists(file))
        {
            return null;
        }

        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(file), new JsonDocumentOptions { MaxDepth = 16 });
            return Hash256.Parse(json.RootElement.GetProperty("baseModel").GetString()!);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or ArgumentNullException)
        {
            throw new UserErrorException($"{file} doesn't say which base model the adapter is for: {e.Message} Export the adapter again, or delete the file to go by the shapes alone.", e);
        }
    }
}

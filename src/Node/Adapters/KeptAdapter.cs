using System.Text.Json;
using FedChain.Node.Homes;
using FedChain.Node.Models;
using FedChain.Protocol;

namespace FedChain.Node.Adapters;

/// <summary>Which adapter this institution uses until it says otherwise, whatever later rounds bring: <c>kept.json</c> in the home.</summary>
/// <param name="Round">The round that finalised it; null for an imported one, and for the base model as it is.</param>
/// <param name="Adapter">Its digest, so that nothing, such as a reorganised chain, can put another in its place; null for the base model.</param>
/// <param name="Imported">The name that it was imported under.</param>
public sealed record KeptAdapter(RoundId? Round, Hash256? Adapter, string? Imported = null)
{
    public const string FileName = "kept.json";

    /// <summary>As <c>--adapter</c> would name it.</summary>
    public string Name => Round is { } round ? $"round:{round}" : Imported is not null ? AdapterReference.ImportedPrefix + Imported : "none";

    /// <returns>Null if nothing is kept.</returns>
    /// <exception cref="UserErrorException">The file can't be read.</exception>
    public static KeptAdapter? Read(HomeFolder home)
    {
        var path = Path.Combine(home.Path, FileName);
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            var content = JsonSerializer.Deserialize<Content>(File.ReadAllBytes(path), JsonSerializerOptions.Web)!;
            return content switch
            {
                { Round: { } round, Adapter: { } adapter } => new KeptAdapter(new RoundId(round), Hash256.Parse(adapter)),
                { Imported: { } name, Adapter: { } adapter } => new KeptAdapter(null, Hash256.Parse(adapter), name),
                _ => new KeptAdapter(null, null),
            };
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            throw new UserErrorException($"{path} can't be read: {e.Message} 'fedchain adapter keep' writes it anew.", e);
        }
    }

    public void Write(HomeFolder home) =>
        AtomicFile.Write(Path.Combine(home.Path, FileName), JsonSerializer.SerializeToUtf8Bytes(new Content(Round?.Value, Adapter?.ToString(), Imported), JsonSerializerOptions.Web));

    public static void Clear(HomeFolder home) => File.Delete(Path.Combine(home.Path, FileName));

    private sealed record Content(ulong? Round, string? Adapter, string? Imported);
}

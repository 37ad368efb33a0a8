using System.Text.Json;
using FedChain.Node.Homes;
using FedChain.Protocol;
using FedChain.Protocol.Numerics;

namespace FedChain.Node.Adapters;

/// <summary>The measured losses of a home, on disk: <c>losses.json</c>, written whole after every measurement.</summary>
internal sealed class LossLog
{
    public const string FileName = "losses.json";

    private readonly Lock _lock = new();
    private readonly string _path;
    private readonly Hash256 _set;

    private LossLog(string path, Hash256 set, ValidationLosses losses) => (_path, _set, Losses) = (path, set, losses);

    public ValidationLosses Losses { get; private set; }

    /// <summary>For a peer that measures on this set.</summary>
    public static LossLog Open(HomeFolder home, Hash256 set)
    {
        var path = Path.Combine(home.Path, FileName);
        var read = Read(path);
        return new LossLog(path, set, read?.Set == set ? read : new ValidationLosses(set, []));
    }

    /// <summary>What was measured last, on whatever set.</summary>
    public static ValidationLosses Read(HomeFolder home) => Read(Path.Combine(home.Path, FileName)) ?? new ValidationLosses(default, []);

    public void Note(AdapterLoss loss)
    {
        lock (_lock)
        {
            Losses = Losses.With(_set, loss);
            var content = new Content(Losses.Set.ToString(), [.. Losses.Losses.Select(l => new Entry(l.Round.Value, l.Adapter.ToString(), l.Loss.Value))]);
            AtomicFile.Write(_path, JsonSerializer.SerializeToUtf8Bytes(content, JsonSerializerOptions.Web));
        }
    }

    private static ValidationLosses? Read(string path)
    {
        try
        {
            return File.Exists(path) && JsonSerializer.Deserialize<Content>(File.ReadAllBytes(path), JsonSerializerOptions.Web) is { Set: not null, Losses: not null } content
                ? new ValidationLosses(
                    Hash256.Parse(content.Set), [.. content.Losses.Select(e => new AdapterLoss(new RoundId(e.Round), Hash256.Parse(e.Adapter), new Micronats(e.Micronats)))])
                : null;
        }
        catch (Exception e) when (e is JsonException or FormatException or ArgumentException)
        {
            return null; // nothing but measurements, which are made again
        }
    }

    private sealed record Content(string Set, Entry[] Losses);

    private sealed record Entry(ulong Round, string Adapter, long Micronats);
}

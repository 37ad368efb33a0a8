using System.Collections.Immutable;
using System.Globalization;
using FedChain.Node.Homes;
using FedChain.Protocol;

namespace FedChain.Node.Peer;

/// <summary>
/// One round in the home folder. Each fact is a file of its own, written atomically and after what it speaks of, so that a peer that is killed at any
/// moment finds on restart just what is true: <c>update.safetensors</c> then <c>update.manifest</c>, <c>exposed</c>, <c>held/INDEX</c> (a plaintext's
/// digest), <c>refused/INDEX</c> and <c>verdicts/TURN</c> (a reason), <c>holdings/INDEX</c> (signed JSON).
/// </summary>
public sealed class RoundFolder
{
    private const string Valid = "valid: ";
    private const string Invalid = "invalid: ";

    private readonly string _path;

    public RoundFolder(string roundsFolder, RoundId round)
    {
        _path = Path.Combine(roundsFolder, round.ToString());
        foreach (var kind in new[] { "held", "refused", "holdings", "verdicts" })
        {
            Directory.CreateDirectory(Path.Combine(_path, kind));
        }
    }

    /// <summary>The own update's plaintext.</summary>
    public string UpdatePath => Path.Combine(_path, "update.safetensors");

    /// <summary>The own update's sealed file, which nobody else may see before the close.</summary>
    public string SealedPath => Path.Combine(_path, "update.age");

    private string ManifestPath => Path.Combine(_path, "update.manifest");

    public byte[]? ReadManifest() => File.Exists(ManifestPath) ? File.ReadAllBytes(ManifestPath) : null;

    public void WriteManifest(ReadOnlySpan<byte> manifest) => AtomicFile.Write(ManifestPath, manifest);

    public void MarkExposed() => Put("", "exposed", "");

    public Hash256? Held(int index) => Read("held", index) is { } text ? Hash256.Parse(text) : null;

    public void MarkHeld(int index, Hash256 plaintext) => Put("held", Text(index), plaintext.ToString());

    public string? Refused(int index) => Read("refused", index);

    public void MarkRefused(int index, string reason) => Put("refused", Text(index), reason);

    public byte[]? Holdings(int index) => Path.Combine(_path, "holdings", Text(index)) is var path && File.Exists(path) ? File.ReadAllBytes(path) : null;

    public void WriteHoldings(int index, ReadOnlySpan<byte> json) => AtomicFile.Write(Path.Combine(_path, "holdings", Text(index)), json);

    public (bool Valid, string Reason)? Verdict(int turn) => Read("verdicts", turn) switch
    {
        null => null,
        var text when text.StartsWith(Valid, StringComparison.Ordinal) => (true, text[Valid.Length..]),
        var text => (false, text[Invalid.Length..]),
    };

    public void WriteVerdict(int turn, bool valid, string reason) => Put("verdicts", Text(turn), (valid ? Valid : Invalid) + reason);

    /// <summary>All of it, for the decision.</summary>
    public LocalRound Snapshot(bool hasBase) => new()
    {
        HasBase = hasBase,
        HasUpdate = File.Exists(ManifestPath),
        Exposed = File.Exists(Path.Combine(_path, "exposed")),
        Held = Indices("held"),
        Refused = Indices("refused"),
        Holdings = Indices("holdings"),
        Verdicts = Indices("verdicts").ToImmutableSortedDictionary(turn => turn, turn => Verdict(turn)!.Value.Valid),
    };

    private static string Text(int index) => index.ToString(CultureInfo.InvariantCulture);

    private ImmutableSortedSet<int> Indices(string kind) =>
        [.. Directory.EnumerateFiles(Path.Combine(_path, kind))
            .Select(f => int.TryParse(Path.GetFileName(f), NumberStyles.None, CultureInfo.InvariantCulture, out var i) ? i : -1)
            .Where(i => i >= 0)];

    private string? Read(string kind, int index) => Path.Combine(_path, kind, Text(index)) is var path && File.Exists(path) ? File.ReadAllText(path) : null;

    private void Put(string kind, string name, string text) => AtomicFile.Write(Path.Combine(_path, kind, name), System.Text.Encoding.UTF8.GetBytes(text));
}

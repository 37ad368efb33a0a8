using System.Collections.Immutable;
using System.Globalization;
using FedChain.Node.Homes;
using FedChain.Protocol;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Peer;

/// <summary>
/// One round in the home folder. Each fact is a file of its own, written atomically and after what it speaks of, so that a peer that is killed at any
/// moment finds on restart just what is true: <c>update.safetensors</c> then <c>update.manifest</c>, <c>exposed</c>, <c>held/MANIFEST</c> (a plaintext's
/// digest), <c>refused/MANIFEST</c> and <c>verdicts/CANDIDATE</c> (a reason), <c>holdings/SET-INDEX</c> (signed JSON), <c>published/MANIFEST</c>. The names are digests from the chain,
/// so that what was true of a branch that left the chain isn't taken for true of another.
/// </summary>
public sealed class RoundFolder
{
    private const string Valid = "valid: ";
    private const string Invalid = "invalid: ";
    private const string PublishedKind = "published";

    private const string TrainerName = "trainer";

    private readonly string _path;
    private readonly RoundState _round;
    private readonly Action<string> _damaged;

    /// <param name="damaged">Is told of a file that was damaged and put aside: the fact counts as unknown then.</param>
    public RoundFolder(HomeFolder home, ulong chainId, RoundState round, Action<string>? damaged = null)
    {
        (_round, _damaged) = (round, damaged ?? (_ => { }));
        _path = Path.Combine(home.RoundsPath, string.Create(CultureInfo.InvariantCulture, $"{chainId}-{round.Contract}"), round.Id.ToString());
        foreach (var kind in new[] { "held", "refused", "holdings", "verdicts", PublishedKind })
        {
            Directory.CreateDirectory(Path.Combine(_path, kind));
        }
    }

    /// <summary>The trainer's own folder of this round, made if needed.</summary>
    public string Trainer => Directory.CreateDirectory(Path.Combine(_path, TrainerName)).FullName;

    /// <summary>The trainer's own folders of earlier rounds, the latest first; after this contract's those of the contracts before it.</summary>
    public IEnumerable<string> EarlierTrainers
    {
        get
        {
            var contract = Path.GetDirectoryName(_path)!;
            return TrainersIn(contract, before: _round.Id.Value)
                .Concat(ContractsIn(Path.GetDirectoryName(contract)!).Where(other => other != contract).SelectMany(other => TrainersIn(other, before: ulong.MaxValue)));
        }
    }

    /// <summary>The trainer's own folders of a home, the latest round of the latest contract first.</summary>
    internal static IEnumerable<string> TrainersOf(HomeFolder home) => ContractsIn(home.RoundsPath).SelectMany(contract => TrainersIn(contract, before: ulong.MaxValue));

    /// <summary>What this member trained in the round.</summary>
    internal OwnUpdate Own => new(_path);

    public Hash256? Held(int index) => Read<Hash256?>("held", ManifestOf(index), text => Hash256.Parse(text));

    public void MarkHeld(int index, Hash256 plaintext) => Put("held", ManifestOf(index), plaintext.ToString());

    public string? Refused(int index) => Read("refused", ManifestOf(index), Whole);

    public void MarkRefused(int index, string reason) => Put("refused", ManifestOf(index), reason);

    public byte[]? Holdings(int index)
    {
        var path = HoldingsPath(index);
        return ReadFile(path, bytes =>
        {
            _ = Protocol.Manifests.Holdings.Parse(bytes);
            return bytes;
        });
    }

    public void WriteHoldings(int index, ReadOnlySpan<byte> json) => AtomicFile.Write(HoldingsPath(index), json);

    public (bool Valid, string Reason)? Verdict(int turn) => Read<(bool, string)?>("verdicts", CandidateOf(turn), text =>
        text.StartsWith(Valid, StringComparison.Ordinal) ? (true, Whole(text[Valid.Length..]))
        : text.StartsWith(Invalid, StringComparison.Ordinal) ? (false, Whole(text[Invalid.Length..]))
        : throw new FormatException("no verdict"));

    public void WriteVerdict(int turn, bool valid, string reason) => Put("verdicts", CandidateOf(turn), (valid ? Valid : Invalid) + reason);

    /// <summary>Notes a global manifest that this member makes public: its blocks may be in no other store yet.</summary>
    public void MarkPublished(Hash256 manifest) => Put(PublishedKind, manifest.ToString(), "");

    /// <summary>The global manifests that this member made public in the round.</summary>
    public IEnumerable<Hash256> Published() => PublishedUnder(Path.Combine(_path, PublishedKind));

    /// <summary>All of it, for the decision. An update for another base or policy, of a branch that left the chain, is none, nor is another than the one that was submitted.</summary>
    /// <param name="hasUpdateFile">Whether the plaintext of this digest is in the home.</param>
    public LocalRound Snapshot(bool hasBase, bool hasResult, Func<Hash256, bool> hasUpdateFile) => new()
    {
        HasBase = hasBase,
        HasResult = hasResult,
        HasUpdate = Counts(),
        Exposed = Own.IsExposed,
        Held = Where(i => Held(i) is { } digest && hasUpdateFile(digest)),
        Refused = Where(i => Refused(i) is not null),
        Holdings = Where(i => Holdings(i) is not null),
        Verdicts = _round.Candidates.Where(c => Verdict(c.Turn) is not null).ToImmutableSortedDictionary(c => c.Turn, c => Verdict(c.Turn)!.Value.Valid),
    };

    private bool Counts() => ReadFile(Own.ManifestPath, manifest =>
    {
        var update = UpdateManifest.Parse(manifest);
        return update.Base == _round.Base && update.Policy == _round.Policy
            && (_round.SubmissionOf(update.Member) is not { } submitted || submitted.Manifest == OwnUpdate.DigestOf(manifest));
    });

    /// <summary>The global manifests that this member made public, of every round of a home.</summary>
    internal static IEnumerable<Hash256> PublishedIn(HomeFolder home) =>
        Directory.EnumerateDirectories(home.RoundsPath, PublishedKind, SearchOption.AllDirectories).SelectMany(PublishedUnder);

    private static IEnumerable<Hash256> PublishedUnder(string folder) =>
        Directory.EnumerateFiles(folder).Where(file => Hash256.TryParse(Path.GetFileName(file), out _)).Select(file => Hash256.Parse(Path.GetFileName(file)));

    private static IEnumerable<string> ContractsIn(string rounds) => Directory.EnumerateDirectories(rounds).OrderByDescending(Directory.GetLastWriteTimeUtc);

    private static IEnumerable<string> TrainersIn(string contract, ulong before) =>
        Directory.EnumerateDirectories(contract)
            .Select(folder => (Folder: folder, IsRound: ulong.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id), Id: id))
            .Where(f => f.IsRound && f.Id < before).OrderByDescending(f => f.Id).Select(f => Path.Combine(f.Folder, TrainerName)).Where(Directory.Exists);

    private ImmutableSortedSet<int> Where(Func<int, bool> holds) => [.. _round.Submissions.Select(s => s.Index).Where(holds)];

    private string ManifestOf(int index) => _round.Submissions[index].Manifest.ToString();

    private string CandidateOf(int turn) => _round.CandidateOf(turn)!.Id.ToString();

    private string HoldingsPath(int index) => Path.Combine(_path, "holdings", string.Create(CultureInfo.InvariantCulture, $"{_round.Set}-{index}"));

    private T? Read<T>(string kind, string name, Func<string, T> parse) =>
        ReadFile(Path.Combine(_path, kind, name), bytes => parse(System.Text.Encoding.UTF8.GetString(bytes)));

    /// <summary>What a file holds; nothing if it isn't here, or damaged, as a power failure may leave it.</summary>
    private T? ReadFile<T>(string path, Func<byte[], T> parse)
    {
        if (!File.Exists(path))
        {
            return default;
        }

        try
        {
            return parse(File.ReadAllBytes(path));
        }
        catch (Exception e) when (e is FormatException or InvalidDataException)
        {
            _damaged(AtomicFile.PutAside(path, e.Message));
            return default;
        }
    }

    /// <summary>A torn write leaves nothing, or bytes of zero.</summary>
    private static string Whole(string text) => text.Length > 0 && !text.Contains('\0', StringComparison.Ordinal) ? text : throw new FormatException("it is empty");

    private void Put(string kind, string name, string text) => AtomicFile.Write(Path.Combine(_path, kind, name), System.Text.Encoding.UTF8.GetBytes(text));
}

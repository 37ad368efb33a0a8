using FedChain.Network.Content;
using FedChain.Node.Homes;
using FedChain.Node.Peer;
using FedChain.Protocol.Content;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Retention;

/// <summary>
/// The content of a federation by its history: manifests are named by the chain, and name files. Kept are all manifests and the final global adapters
/// for ever; updates, and what lost a turn, for the last rounds only, since each tells something of one institution's records.
/// </summary>
internal sealed class Inventory
{
    /// <summary>For how many rounds updates are kept, if nothing else is asked for: enough to catch up after days, and to look into an attack.</summary>
    public const int UsualRounds = 8;

    /// <summary>The fewest: the peer still serves the round before the current one.</summary>
    public const int FewestRounds = 2;

    private readonly IContentStore _store;
    private readonly List<NamedRoot> _roots = [];
    private readonly List<NamedRoot> _lost = [];
    private readonly List<string> _oldFiles = [];

    private Inventory(IContentStore store) => _store = store;

    public IReadOnlyList<NamedRoot> Roots => _roots;

    /// <summary>Manifests that were here once, by what the home notes, and aren't in the store: what they name is needed, and not known.</summary>
    public IReadOnlyList<NamedRoot> Lost => _lost;

    /// <summary>Files in the home of updates that are too old to be kept: plaintexts, and what own ones were made from. A manifest comes after what it names.</summary>
    public IEnumerable<string> OldFiles => _oldFiles.Distinct().Where(File.Exists);

    /// <summary>Roots that have to be kept, whatever else they are for.</summary>
    public IReadOnlySet<Cid> Needed => _roots.Where(r => r.IsNeeded).Select(r => r.Cid).ToHashSet();

    /// <param name="rounds">For how many rounds updates are kept.</param>
    /// <exception cref="CorruptBlockException">A manifest is damaged, so that what it names isn't known.</exception>
    public static async Task<Inventory> TakeAsync(HomeFolder home, FederationState federation, ulong chainId, IContentStore store, int rounds, CancellationToken cancellationToken)
    {
        var inventory = new Inventory(store);
        var first = federation.Rounds.Count <= rounds ? 0 : federation.Rounds.Count - rounds;
        for (var i = 0; i < federation.Rounds.Count; i++)
        {
            var (round, isRecent) = (federation.Rounds[i], i >= first);
            var folder = new RoundFolder(home, chainId, round);
            foreach (var submission in round.Submissions)
            {
                await inventory.AddUpdateAsync(home, folder, round, submission, isRecent, cancellationToken);
            }

            if (!isRecent)
            {
                inventory.AddOwnFiles(home, folder.Own); // also of an update that was never submitted
            }

            foreach (var candidate in round.Candidates)
            {
                var isWinner = candidate == round.Winner;
                var wasHere = folder.Verdict(candidate.Turn) is not null || folder.Published().Contains(candidate.Manifest) || (isWinner && File.Exists(home.AdapterFile(candidate.Aggregate)));
                var root = new NamedRoot(Cid.RawOf(candidate.Manifest), round.Id, ContentKind.GlobalManifest, candidate.Aggregator, IsNeeded: true);
                await inventory.AddGlobalAsync(root, isRecent || isWinner, wasHere, cancellationToken);
            }

            // What this member published may reach the chain after this; of a round that is long over it never will.
            foreach (var digest in folder.Published().Where(digest => !round.Candidates.Any(c => c.Manifest == digest)).ToList())
            {
                var cid = Cid.RawOf(digest);
                if (await inventory.ReadAsync(cid, bytes => GlobalManifest.Parse(bytes), cancellationToken) is ({ } own, _))
                {
                    await inventory.AddGlobalAsync(new NamedRoot(cid, round.Id, ContentKind.GlobalManifest, own.Aggregator, isRecent), isRecent, wasHere: false, cancellationToken);
                }
            }
        }

        return inventory;
    }

    private async Task AddUpdateAsync(HomeFolder home, RoundFolder folder, RoundState round, Submission submission, bool isRecent, CancellationToken cancellationToken)
    {
        var root = new NamedRoot(Cid.RawOf(submission.Manifest), round.Id, ContentKind.UpdateManifest, submission.Member, IsNeeded: true);
        _roots.Add(root);
        var (manifest, isHere) = await ReadAsync(root.Cid, bytes => UpdateManifest.Parse(bytes), cancellationToken);
        if (!isHere && isRecent && (folder.Held(submission.Index) is not null || folder.Refused(submission.Index) is not null))
        {
            _lost.Add(root);
        }

        if (manifest is null)
        {
            return;
        }

        _roots.Add(new NamedRoot(manifest.Payload, round.Id, ContentKind.Update, submission.Member, isRecent));
        if (!isRecent)
        {
            _oldFiles.Add(home.UpdateFile(manifest.Plaintext));
        }
    }

    private void AddOwnFiles(HomeFolder home, OwnUpdate own)
    {
        try
        {
            if (own.ReadManifest() is { } bytes)
            {
                _oldFiles.Add(home.UpdateFile(UpdateManifest.Parse(bytes).Plaintext));
            }
        }
        catch (InvalidDataException)
        {
            // damaged, so that nothing was served by it
        }

        _oldFiles.AddRange([own.PlaintextPath, own.SealedPath, own.ManifestPath]);
    }

    private async Task AddGlobalAsync(NamedRoot root, bool isNeeded, bool wasHere, CancellationToken cancellationToken)
    {
        _roots.Add(root);
        var (manifest, isHere) = await ReadAsync(root.Cid, bytes => GlobalManifest.Parse(bytes), cancellationToken);
        if (!isHere && isNeeded && wasHere)
        {
            _lost.Add(root);
        }

        if (manifest?.Payload is { } payload)
        {
            _roots.Add(new NamedRoot(payload, root.Round, ContentKind.Adapter, root.Member, isNeeded));
        }

        if (manifest?.State is { } state)
        {
            _roots.Add(new NamedRoot(state.Payload, root.Round, ContentKind.Velocity, root.Member, isNeeded));
        }
    }

    /// <summary>No manifest where it isn't here, or is none: whoever published it may have put anything there.</summary>
    private async Task<(T? Manifest, bool IsHere)> ReadAsync<T>(Cid cid, Func<byte[], T> parse, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            return await _store.GetAsync(cid, cancellationToken: cancellationToken) is { } bytes ? (parse(bytes.ToArray()), true) : (null, false);
        }
        catch (InvalidDataException)
        {
            return (null, true);
        }
    }
}

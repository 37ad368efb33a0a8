using FedChain.Network.Content;
using FedChain.Node.Homes;
using FedChain.Node.Peer;
using FedChain.Protocol;
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
    private readonly List<OldUpdate> _old = [];

    private Inventory(IContentStore store) => _store = store;

    public IReadOnlyList<NamedRoot> Roots => _roots;

    /// <summary>Updates that are too old to be kept, and whose files still lie in the home.</summary>
    public IReadOnlyList<OldUpdate> OldUpdates => _old;

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
            var folder = new RoundFolder(home, chainId, federation.RoundsContract, round);
            foreach (var submission in round.Submissions)
            {
                await inventory.AddUpdateAsync(home, folder, round, submission, isRecent, cancellationToken);
            }

            foreach (var candidate in round.Candidates)
            {
                await inventory.AddGlobalAsync(round.Id, candidate.Aggregator, candidate.Manifest, isRecent || candidate == round.Winner, cancellationToken);
            }
        }

        // What this member is publishing may reach the chain after this.
        var named = inventory._roots.Select(r => r.Cid).ToHashSet();
        foreach (var digest in RoundFolder.PublishedIn(home).Where(digest => !named.Contains(Cid.RawOf(digest))).ToList())
        {
            if (await inventory.ReadAsync(Cid.RawOf(digest), bytes => GlobalManifest.Parse(bytes), cancellationToken) is { } own)
            {
                await inventory.AddGlobalAsync(own.Round, own.Aggregator, digest, isNeeded: true, cancellationToken);
            }
        }

        return inventory;
    }

    private async Task AddUpdateAsync(HomeFolder home, RoundFolder folder, RoundState round, Submission submission, bool isRecent, CancellationToken cancellationToken)
    {
        var cid = Cid.RawOf(submission.Manifest);
        _roots.Add(new NamedRoot(cid, round.Id, ContentKind.UpdateManifest, submission.Member, IsNeeded: true));
        if (await ReadAsync(cid, bytes => UpdateManifest.Parse(bytes), cancellationToken) is not { } manifest)
        {
            return;
        }

        _roots.Add(new NamedRoot(manifest.Payload, round.Id, ContentKind.Update, submission.Member, isRecent));
        if (!isRecent)
        {
            var own = folder.Own;
            var isOwn = own.ReadManifest() is { } mine && OwnUpdate.DigestOf(mine) == submission.Manifest;
            string[] files = [home.UpdateFile(manifest.Plaintext), .. isOwn ? [own.ManifestPath, own.PlaintextPath, own.SealedPath] : Array.Empty<string>()];
            if (Array.FindAll(files, File.Exists) is { Length: > 0 } here)
            {
                _old.Add(new OldUpdate(round.Id, submission.Member, here));
            }
        }
    }

    private async Task AddGlobalAsync(RoundId round, MemberId aggregator, Hash256 digest, bool isNeeded, CancellationToken cancellationToken)
    {
        var cid = Cid.RawOf(digest);
        _roots.Add(new NamedRoot(cid, round, ContentKind.GlobalManifest, aggregator, IsNeeded: true));
        if (await ReadAsync(cid, bytes => GlobalManifest.Parse(bytes), cancellationToken) is not { } manifest)
        {
            return;
        }

        if (manifest.Payload is { } payload)
        {
            _roots.Add(new NamedRoot(payload, round, ContentKind.Adapter, aggregator, isNeeded));
        }

        if (manifest.State is { } state)
        {
            _roots.Add(new NamedRoot(state.Payload, round, ContentKind.Velocity, aggregator, isNeeded));
        }
    }

    /// <summary>Null where the manifest isn't here, or is none: whoever published it may have put anything there.</summary>
    private async Task<T?> ReadAsync<T>(Cid cid, Func<byte[], T> parse, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            return await _store.GetAsync(cid, cancellationToken: cancellationToken) is { } bytes ? parse(bytes.ToArray()) : null;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }
}

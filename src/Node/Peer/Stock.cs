using FedChain.Network.Content;
using FedChain.Node.Homes;
using FedChain.Node.Retention;
using FedChain.Protocol.Content;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Peer;

/// <summary>
/// Puts again into the store what this member is to serve and what isn't there: after a damaged block was deleted or a collection went wrong, and when
/// the home was given an IPFS node, which begins without any of it. Runs beside the loop, since a move may take long.
/// </summary>
internal sealed class Stock(PeerContext context)
{
    /// <summary>What can't be had is told, and tried again at the next start.</summary>
    public async Task ServeAgainAsync(FederationState federation, CancellationToken cancellationToken)
    {
        IReadOnlySet<Cid>? pins = null;
        if (context.Store is KuboStore node)
        {
            await TryAsync($"moving the content of {context.Home.StorePath} into the IPFS node", () => MoveAsync(federation, node, cancellationToken));
            if (!await TryAsync("asking the IPFS node what it keeps", async () => pins = await node.PinsAsync(cancellationToken)))
            {
                return;
            }
        }

        foreach (var round in federation.Rounds.TakeLast(Inventory.UsualRounds))
        {
            await TryAsync($"serving this member's update of round {round.Id} again", () => ServeOwnAsync(round, pins, cancellationToken));
        }

        await TryAsync("looking for what the store has lost", () => FetchLostAsync(federation, pins, cancellationToken));
    }

    private async Task MoveAsync(FederationState federation, KuboStore node, CancellationToken cancellationToken)
    {
        using var embedded = new BlockStore(context.Home.StorePath);
        if (!embedded.List().Any())
        {
            return;
        }

        var inventory = await Inventory.TakeAsync(context.Home, federation, context.Identity.ChainId, embedded, Inventory.UsualRounds, cancellationToken);
        var (pins, moved) = (await node.PinsAsync(cancellationToken), 0);
        foreach (var root in inventory.Needed.Where(root => !pins.Contains(root)))
        {
            await TryAsync($"moving {root} from {context.Home.StorePath} into the IPFS node", async () =>
            {
                if (await embedded.HasFileAsync(root, cancellationToken))
                {
                    await CopyAsync(embedded, root, node, cancellationToken);
                    moved++;
                }
            });
        }

        TellOf(moved, $"from {context.Home.StorePath}, in whose place the IPFS node is now; if nothing failed, the folder may be deleted");
    }

    private static async Task CopyAsync(BlockStore from, Cid root, KuboStore to, CancellationToken cancellationToken)
    {
        await using var writer = to.BeginWrite();
        await foreach (var cid in from.BlocksOfAsync(root, cancellationToken))
        {
            var block = await from.GetAsync(cid, cancellationToken: cancellationToken) ?? throw new MissingBlockException(cid);
            await writer.PutAsync(cid, block, cancellationToken);
        }

        await writer.CommitAsync(cancellationToken);
        await to.PinAsync(root, cancellationToken);
    }

    private async Task ServeOwnAsync(RoundState round, IReadOnlySet<Cid>? pins, CancellationToken cancellationToken)
    {
        var own = context.FolderOf(round).Own;
        if (!own.IsExposed || !File.Exists(own.SealedPath) || !File.Exists(own.PlaintextPath))
        {
            return;
        }

        var bytes = own.ReadManifest()!;
        if (!await KeepsAsync(Cid.OfRawBlock(bytes), pins, cancellationToken) || !await KeepsAsync(UpdateManifest.Parse(bytes).Payload, pins, cancellationToken))
        {
            await own.ServeAgainAsync(context.Home, context.Store, cancellationToken);
            TellOf(2, $"this member's update of round {round.Id} and its manifest");
        }
    }

    /// <summary>Manifests that were here, and the sealed files of this member's own candidates: these were sealed once, and only who fetched them has them.</summary>
    private async Task FetchLostAsync(FederationState federation, IReadOnlySet<Cid>? pins, CancellationToken cancellationToken)
    {
        var inventory = await Inventory.TakeAsync(context.Home, federation, context.Identity.ChainId, context.Store, Inventory.UsualRounds, cancellationToken);
        var fetched = 0;
        foreach (var lost in inventory.Lost)
        {
            await TryAsync($"fetching the manifest {lost.Cid} of round {lost.Round} again", async () =>
            {
                await context.Content.ManifestAsync(federation.Round(lost.Round)!, lost.Member, lost.Cid.Digest, cancellationToken);
                fetched++;
            });
        }

        var recent = federation.Rounds.TakeLast(Inventory.UsualRounds).ToHashSet();
        foreach (var round in federation.Rounds)
        {
            foreach (var own in round.Candidates.Where(c => c.Aggregator == context.Me && (c == round.Winner || recent.Contains(round))))
            {
                await TryAsync($"fetching the sealed aggregate of round {round.Id} again", async () => fetched += await FetchOwnAsync(round, own, pins, cancellationToken));
            }
        }

        TellOf(fetched, "from the other members");
    }

    /// <returns>How many files were fetched.</returns>
    private async Task<int> FetchOwnAsync(RoundState round, Candidate own, IReadOnlySet<Cid>? pins, CancellationToken cancellationToken)
    {
        if (await context.Store.GetAsync(Cid.RawOf(own.Manifest), cancellationToken: cancellationToken) is not { } bytes)
        {
            return 0; // told of above, if it was ever here
        }

        var manifest = GlobalManifest.Parse(bytes.Span);
        (Cid Payload, long Size)[] files = [.. manifest.Payload is { } adapter ? [(adapter, manifest.Size)] : Array.Empty<(Cid, long)>(), .. manifest.State is { } state ? [(state.Payload, state.Size)] : Array.Empty<(Cid, long)>()];
        var fetched = 0;
        foreach (var (payload, size) in files)
        {
            if (!await KeepsAsync(payload, pins, cancellationToken))
            {
                var result = await context.Content.FetchSealedAsync(round, context.Me, payload, size, maxSize: size, cancellationToken);
                fetched += result.IsComplete ? 1 : throw new ContentUnavailableException($"{payload}: {result}");
            }
        }

        return fetched;
    }

    private async Task<bool> KeepsAsync(Cid root, IReadOnlySet<Cid>? pins, CancellationToken cancellationToken)
    {
        try
        {
            return pins?.Contains(root) ?? await context.Store.HasFileAsync(root, cancellationToken);
        }
        catch (CorruptBlockException)
        {
            return false; // what is put there takes its place
        }
    }

    private void TellOf(int files, string which)
    {
        if (files > 0)
        {
            context.Tell(new PeerEvent.Restocked(files, which));
        }
    }

    /// <returns>Whether it could be done.</returns>
    private async Task<bool> TryAsync(string what, Func<Task> act)
    {
        try
        {
            await act();
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or ContentUnavailableException)
        {
            context.Tell(new PeerEvent.Trouble(what, $"{DiskFault.Of(e) ?? e.Message} It is tried again when the peer is started again.", Final: true));
            return false;
        }
    }
}

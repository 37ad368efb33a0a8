using FedChain.Network;
using FedChain.Network.Content;
using FedChain.Protocol.Content;

namespace FedChain.Node.Retention;

/// <summary>Gives up what nobody needs. The embedded store holds nothing but this federation's content, so all else goes; an IPFS node may serve others,
/// so only what this federation names is unpinned there.</summary>
internal static class Sweep
{
    /// <exception cref="UserErrorException">Blocks that nothing names may belong to manifests that the store has lost.</exception>
    /// <returns>Blocks (of the embedded store) or roots (of an IPFS node) that were given up, or would be.</returns>
    public static Task<IReadOnlyList<Cid>> RunAsync(IContentStore store, Inventory inventory, bool isDry, CancellationToken cancellationToken) => store switch
    {
        BlockStore blocks => OfBlocksAsync(blocks, inventory, isDry, cancellationToken),
        KuboStore node => OfPinsAsync(node, inventory, isDry, cancellationToken),
        _ => throw new ArgumentException($"Unknown store {store}.", nameof(store)),
    };

    private static async Task<IReadOnlyList<Cid>> OfBlocksAsync(BlockStore store, Inventory inventory, bool isDry, CancellationToken cancellationToken)
    {
        var kept = new HashSet<Cid>();
        foreach (var root in inventory.Needed)
        {
            kept.UnionWith(await HereAsync(store, root, cancellationToken));
        }

        var roots = inventory.Roots.Select(r => r.Cid).ToHashSet();
        if (inventory.Lost.Count > 0)
        {
            var named = new HashSet<Cid>(kept);
            foreach (var root in roots)
            {
                named.UnionWith(await HereAsync(store, root, cancellationToken));
            }

            if (store.List().Count(cid => !named.Contains(cid)) is > 0 and var unnamed)
            {
                var lost = inventory.Lost[0];
                throw new UserErrorException(
                    $"The store has lost {inventory.Lost.Count:N0} manifests of what is needed, such as {lost.Cid} of round {lost.Round}, member {lost.Member}, and {unnamed:N0} blocks that nothing else names may belong to them; nothing was given up. "
                    + "Start the peer, which asks the other members for them, and collect once it runs without telling of trouble with them.");
            }
        }

        // Roots last: as long as one is here, the rest of its file can be found and the sweep repeated.
        Cid[] swept = [.. store.List().Where(cid => !kept.Contains(cid)).OrderBy(roots.Contains)];
        foreach (var cid in isDry ? [] : swept)
        {
            await store.DeleteAsync(cid, cancellationToken);
            Crash.At(CrashPoint.BlockDeleted);
        }

        return swept;
    }

    private static async Task<IReadOnlyList<Cid>> OfPinsAsync(KuboStore node, Inventory inventory, bool isDry, CancellationToken cancellationToken)
    {
        var pins = await node.PinsAsync(cancellationToken);
        var needed = inventory.Needed;
        Cid[] swept = [.. inventory.Roots.Select(r => r.Cid).Distinct().Where(cid => !needed.Contains(cid) && pins.Contains(cid))];
        foreach (var cid in isDry ? [] : swept)
        {
            await node.UnpinAsync(cid, cancellationToken);
        }

        return swept;
    }

    /// <summary>The blocks of a file, as far as they can be found here. A damaged node ends the sweep: what lies under it isn't known.</summary>
    private static async Task<List<Cid>> HereAsync(BlockStore store, Cid root, CancellationToken cancellationToken)
    {
        var blocks = new List<Cid>();
        try
        {
            await foreach (var block in store.BlocksOfAsync(root, cancellationToken))
            {
                blocks.Add(block);
            }
        }
        catch (MissingBlockException)
        {
            return blocks; // never fetched, or only in part; it is fetched when it is needed
        }

        return blocks;
    }
}

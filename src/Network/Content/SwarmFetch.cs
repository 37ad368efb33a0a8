using FedChain.Protocol.Content;

namespace FedChain.Network.Content;

/// <summary>Has the operator's IPFS node fetch from its peers. Every failure is a <see cref="FetchException"/>.</summary>
internal static class SwarmFetch
{
    public static async Task<ReadOnlyMemory<byte>> BlockAsync(KuboStore node, Cid cid, long maxSize, CancellationToken cancellationToken)
    {
        try
        {
            var block = await node.SeekAsync(cid, cancellationToken) ?? throw new FetchException(FetchFailure.NotFound, "the IPFS node has not found it in time");
            return block.Length <= maxSize ? block
                : throw new FetchException(FetchFailure.TooLarge, $"block {cid} has {block.Length} bytes; at most {maxSize} are accepted");
        }
        catch (CorruptBlockException e)
        {
            throw new FetchException(FetchFailure.CorruptThere, e.Message, e);
        }
        catch (KuboException e)
        {
            throw new FetchException(FetchFailure.Unreachable, e.Message, e);
        }
    }

    /// <summary>
    /// First the nodes of the file's tree, which show that it is one and how large; then all that they link to, at once. No bytes of the leaves
    /// come here: who reads the file checks them.
    /// </summary>
    /// <returns>False if not all was found in time.</returns>
    public static async Task<bool> FileAsync(KuboStore node, WantedBlocks wanted, CancellationToken cancellationToken)
    {
        var size = wanted.Cids.Sum(wanted.MaxSizeOf);
        for (var next = new Queue<Cid>(wanted.Cids.Where(IsLookedAt)); next.TryDequeue(out var cid);)
        {
            var children = wanted.Accept(cid, await BlockAsync(node, cid, wanted.MaxSizeOf(cid), cancellationToken));
            size += children.Sum(wanted.MaxSizeOf);
            foreach (var child in children.Where(IsLookedAt))
            {
                next.Enqueue(child);
            }
        }

        return await node.PullAsync(wanted.Root, size, cancellationToken);

        bool IsLookedAt(Cid cid) => !cid.IsRaw || cid == wanted.Root;
    }
}

using FedChain.Protocol.Content;

namespace FedChain.Network.Content;

/// <summary>Whole files in a store of blocks.</summary>
public static class ContentFiles
{
    /// <summary>Keeps bytes as one raw block, such as a manifest, whose digest on the chain is its CID.</summary>
    public static async Task<Cid> AddBlockAsync(this IContentStore store, ReadOnlyMemory<byte> block, CancellationToken cancellationToken = default)
    {
        var cid = Cid.OfRawBlock(block.Span);
        await using var writer = store.BeginWrite();
        await writer.PutAsync(cid, block, cancellationToken);
        await writer.CommitAsync(cancellationToken);
        Crash.At(CrashPoint.ContentAdded);
        await store.PinAsync(cid, cancellationToken);
        Crash.At(CrashPoint.ContentPinned);
        return cid;
    }

    /// <summary>Writes the file to a stream and returns its size; exceptions as of <see cref="IContentStore.OpenFile"/>.</summary>
    public static async Task<long> CopyFileAsync(
        this IContentStore store, Cid cid, Stream destination, long maxSize = long.MaxValue, CancellationToken cancellationToken = default)
    {
        await using var file = store.OpenFile(cid, maxSize);
        var buffer = new byte[256 * 1024];
        long copied = 0;
        while (await file.ReadAsync(buffer, cancellationToken) is > 0 and var read)
        {
            await destination.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            copied += read;
        }

        return copied;
    }

    /// <summary>The blocks of a file, in depth-first order, each once. Leaves are not looked for.</summary>
    /// <exception cref="MissingBlockException">The store lacks a node.</exception>
    public static IAsyncEnumerable<Cid> BlocksOfAsync(this IContentStore store, Cid cid, CancellationToken cancellationToken = default) =>
        DagWalk.BlocksAsync(store, cid, cancellationToken);

    /// <summary>Whether all blocks of the file are here. Nodes are read, leaves only looked for.</summary>
    public static async Task<bool> HasFileAsync(this IContentStore store, Cid cid, CancellationToken cancellationToken = default)
    {
        try
        {
            await foreach (var block in DagWalk.BlocksAsync(store, cid, cancellationToken))
            {
                if (!await store.HasAsync(block, cancellationToken))
                {
                    return false;
                }
            }

            return true;
        }
        catch (MissingBlockException)
        {
            return false;
        }
    }
}

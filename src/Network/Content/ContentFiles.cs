using System.Buffers;
using FedChain.Protocol.Content;

namespace FedChain.Network.Content;

/// <summary>Whole files in a store of blocks, named as all peers do (<see cref="UnixFsLayout.Default"/>).</summary>
public static class ContentFiles
{
    /// <summary>Keeps a file and returns its CID and size.</summary>
    public static async Task<(Cid Cid, long Size)> AddAsync(this IContentStore store, Stream content, CancellationToken cancellationToken = default)
    {
        await using var writer = store.BeginWrite();
        var added = await UnixFsImporter.ImportAsync(content, UnixFsLayout.Default, writer.PutAsync, cancellationToken);
        await writer.CommitAsync(cancellationToken);
        return added;
    }

    /// <summary>Keeps what <paramref name="write"/> writes to the stream it is given, such as an envelope while it is sealed.</summary>
    public static async Task<(Cid Cid, long Size)> AddAsync(
        this IContentStore store, Func<Stream, CancellationToken, Task> write, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(write);
        await using var writer = store.BeginWrite();
        var importer = new UnixFsImporter(UnixFsLayout.Default, writer.PutAsync);
        await write(new ImportStream(importer), cancellationToken);
        var cid = await importer.CompleteAsync(cancellationToken);
        await writer.CommitAsync(cancellationToken);
        return (cid, importer.Size);
    }

    /// <summary>Keeps bytes as one raw block, such as a manifest, whose digest on the chain is its CID.</summary>
    public static async Task<Cid> AddBlockAsync(this IContentStore store, ReadOnlyMemory<byte> block, CancellationToken cancellationToken = default)
    {
        var cid = Cid.OfRawBlock(block.Span);
        await using var writer = store.BeginWrite();
        await writer.PutAsync(cid, block, cancellationToken);
        await writer.CommitAsync(cancellationToken);
        return cid;
    }

    /// <summary>The file as a stream to be read forwards; its blocks are checked as they are reached, and the limits as of
    /// <see cref="UnixFsLimits"/>. Reading throws <see cref="MissingBlockException"/>, <see cref="CorruptBlockException"/> or
    /// <see cref="InvalidDataException"/>.</summary>
    public static Stream OpenFile(this IContentStore store, Cid cid, long maxSize = long.MaxValue) => Reader(store, cid, maxSize).AsStream();

    /// <summary>Writes the file to a stream and returns its size; exceptions as when reading <see cref="OpenFile"/>.</summary>
    public static Task<long> CopyFileAsync(
        this IContentStore store, Cid cid, Stream destination, long maxSize = long.MaxValue, CancellationToken cancellationToken = default) =>
        Reader(store, cid, maxSize).CopyToAsync(destination, cancellationToken);

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

    /// <summary>Deletes the blocks of a file, as far as they are here, but none that a file of <paramref name="keep"/> shares.</summary>
    public static async Task DeleteFileAsync(
        this IContentStore store, Cid cid, IEnumerable<Cid> keep, CancellationToken cancellationToken = default)
    {
        var kept = new HashSet<Cid>();
        foreach (var root in keep)
        {
            kept.UnionWith(await BlocksHereAsync(store, root, cancellationToken));
        }

        var blocks = await BlocksHereAsync(store, cid, cancellationToken);
        blocks.Reverse(); // leaves first: as long as the root is here, the rest can be found
        foreach (var block in blocks.Where(block => !kept.Contains(block)))
        {
            await store.DeleteAsync(block, cancellationToken);
        }
    }

    private static async Task<List<Cid>> BlocksHereAsync(IContentStore store, Cid root, CancellationToken cancellationToken)
    {
        var blocks = new List<Cid>();
        try
        {
            await foreach (var block in DagWalk.BlocksAsync(store, root, cancellationToken))
            {
                blocks.Add(block);
            }
        }
        catch (Exception e) when (e is MissingBlockException or CorruptBlockException)
        {
            return blocks; // what lies under a node that can't be read can't be found
        }

        return blocks;
    }

    private static UnixFsReader Reader(IContentStore store, Cid cid, long maxSize)
    {
        var buffer = new ArrayBufferWriter<byte>();
        return new UnixFsReader(cid, (block, cancel) => store.GetAsync(block, buffer, cancel), new UnixFsLimits { MaxSize = maxSize, SourceVerifies = true });
    }
}

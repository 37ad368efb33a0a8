using System.Buffers;
using FedChain.Protocol.Content;

namespace FedChain.Network.Content;

/// <summary>
/// Where a peer keeps its content: the embedded store, or the operator's own IPFS node. It answers for what it has itself and asks nobody
/// else; fetching is <see cref="ContentFetcher"/>'s.
/// </summary>
public interface IContentStore : IDisposable
{
    ValueTask<bool> HasAsync(Cid cid, CancellationToken cancellationToken = default);

    /// <summary>The block, checked against its CID; null where it isn't here.</summary>
    /// <param name="cid">The block's name.</param>
    /// <param name="reuse">A buffer to read into, so that a reader of many blocks needs memory for one; the block is good until it is used
    /// again. Null for memory of its own.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="CorruptBlockException">The store holds other bytes under this name.</exception>
    ValueTask<ReadOnlyMemory<byte>?> GetAsync(Cid cid, ArrayBufferWriter<byte>? reuse = null, CancellationToken cancellationToken = default);

    /// <summary>Begins to take blocks, which are kept for certain once <see cref="IContentWriter.CommitAsync"/> has returned and a root of
    /// theirs is pinned.</summary>
    IContentWriter BeginWrite();

    /// <summary>Keeps a file for certain, named as all peers do (<see cref="UnixFsLayout.Default"/>), and returns its CID and size.</summary>
    Task<(Cid Cid, long Size)> AddAsync(Stream content, CancellationToken cancellationToken = default);

    /// <summary>The file as a stream to be read forwards; its blocks are checked as they are reached, and the limits as of <see cref="UnixFsLimits"/>. Reading
    /// throws <see cref="MissingBlockException"/>, <see cref="CorruptBlockException"/> or <see cref="InvalidDataException"/>.</summary>
    Stream OpenFile(Cid cid, long maxSize = long.MaxValue);

    /// <summary>Keeps all blocks under a root until it is given up. They are here already.</summary>
    Task PinAsync(Cid root, CancellationToken cancellationToken = default);
}

/// <summary>Takes blocks, one at a time. Disposing drops what wasn't committed, as far as it isn't kept yet.</summary>
public interface IContentWriter : IAsyncDisposable
{
    /// <summary>Takes a block that the caller has checked against its CID. A store that holds a corrupted one under this name replaces it.</summary>
    ValueTask PutAsync(Cid cid, ReadOnlyMemory<byte> block, CancellationToken cancellationToken = default);

    /// <summary>Returns when all blocks so far will survive a power failure. More may follow.</summary>
    Task CommitAsync(CancellationToken cancellationToken = default);
}

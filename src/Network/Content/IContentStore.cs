using System.Buffers;
using FedChain.Protocol.Content;

namespace FedChain.Network.Content;

/// <summary>
/// Where a peer keeps its blocks. An interface, and no larger, because a peer's blocks may also lie in the operator's own IPFS node: these
/// are the operations that the embedded store and Kubo's RPC share. Files are made of them by <see cref="ContentFiles"/>.
/// </summary>
public interface IContentStore
{
    ValueTask<bool> HasAsync(Cid cid, CancellationToken cancellationToken = default);

    /// <summary>The block, checked against its CID; null where it isn't here.</summary>
    /// <param name="cid">The block's name.</param>
    /// <param name="reuse">A buffer to read into, so that a reader of many blocks needs memory for one; the block is good until it is used
    /// again. Null for memory of its own.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="CorruptBlockException">The store holds other bytes under this name.</exception>
    ValueTask<ReadOnlyMemory<byte>?> GetAsync(Cid cid, ArrayBufferWriter<byte>? reuse = null, CancellationToken cancellationToken = default);

    /// <summary>Begins to take blocks, which are kept for certain once <see cref="IContentWriter.CommitAsync"/> has returned.</summary>
    IContentWriter BeginWrite();

    /// <summary>Deletes the block; false where it wasn't here.</summary>
    ValueTask<bool> DeleteAsync(Cid cid, CancellationToken cancellationToken = default);
}

/// <summary>Takes blocks, one at a time. Disposing drops what wasn't committed, as far as it isn't kept yet.</summary>
public interface IContentWriter : IAsyncDisposable
{
    /// <summary>Takes a block that the caller has checked against its CID. A store that holds a corrupted one under this name replaces it.</summary>
    ValueTask PutAsync(Cid cid, ReadOnlyMemory<byte> block, CancellationToken cancellationToken = default);

    /// <summary>Returns when all blocks so far will survive a power failure. More may follow.</summary>
    Task CommitAsync(CancellationToken cancellationToken = default);
}

namespace FedChain.Protocol.Content;

/// <summary>
/// Reads a UnixFS file block by block, in order, without holding more than a block and the links still to be followed. Nothing is
/// believed: every block is hashed, every child must be as large as its parent said, and depth, size and number of blocks are bounded.
/// </summary>
public sealed class UnixFsReader
{
    private readonly BlockSource _source;
    private readonly UnixFsLimits _limits;
    private readonly Stack<Pending> _pending = new();
    private long _blocksLeft = long.MaxValue;

    /// <param name="root">The file's CID: raw or dag-pb.</param>
    /// <param name="source">Where the blocks are.</param>
    /// <param name="limits">What is accepted.</param>
    public UnixFsReader(Cid root, BlockSource source, UnixFsLimits limits)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(limits);
        _source = source;
        _limits = limits;
        _pending.Push(new Pending(root, StatedSize: null, Depth: 0));
    }

    /// <summary>The file's size as its root states it; null before the first block is read.</summary>
    public long? Size { get; private set; }

    /// <summary>The next bytes of the file, good until the next call; empty at its end, and only then.</summary>
    /// <exception cref="InvalidDataException">The tree isn't a file, or lies, or is beyond the limits.</exception>
    /// <exception cref="MissingBlockException">The source hasn't got a block.</exception>
    public async ValueTask<ReadOnlyMemory<byte>> ReadAsync(CancellationToken cancellationToken = default)
    {
        while (_pending.TryPop(out var next))
        {
            var block = await OpenAsync(next.Cid, cancellationToken);
            var bytes = Visit(next, block);
            if (!bytes.IsEmpty)
            {
                return bytes;
            }
        }

        return default;
    }

    /// <summary>Writes the rest of the file and returns how many bytes that was. Exceptions as of <see cref="ReadAsync"/>.</summary>
    public async Task<long> CopyToAsync(Stream destination, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(destination);
        long copied = 0;
        while (true)
        {
            var bytes = await ReadAsync(cancellationToken);
            if (bytes.IsEmpty)
            {
                return copied;
            }

            await destination.WriteAsync(bytes, cancellationToken);
            copied += bytes.Length;
        }
    }

    /// <summary>The rest of the file as a stream to be read forwards.</summary>
    /// <param name="owned">Disposed with the stream, such as what the blocks come from.</param>
    public Stream AsStream(IDisposable? owned = null) => new UnixFsStream(this, owned);

    private async ValueTask<ReadOnlyMemory<byte>> OpenAsync(Cid cid, CancellationToken cancellationToken)
    {
        if (_blocksLeft-- == 0)
        {
            throw new InvalidDataException("The file's tree has far more blocks than its size explains.");
        }

        if (!cid.CanVerify)
        {
            throw new InvalidDataException($"{cid} can't be checked: only SHA-256 and identity multihashes are read.");
        }

        if (cid.IsIdentity)
        {
            return cid.DigestBytes;
        }

        var block = await _source(cid, cancellationToken) ?? throw new MissingBlockException(cid);
        if (block.Length > _limits.MaxBlockSize)
        {
            throw new InvalidDataException($"Block {cid} has {block.Length} bytes; at most {_limits.MaxBlockSize} are accepted.");
        }

        return _limits.SourceVerifies || cid.Matches(block.Span)
            ? block
            : throw new InvalidDataException($"Block {cid} holds other bytes than its CID names.");
    }

    private ReadOnlyMemory<byte> Visit(Pending pending, ReadOnlyMemory<byte> block)
    {
        if (pending.Cid.IsRaw)
        {
            CheckSize(pending, (ulong)block.Length);
            return block;
        }

        if (!pending.Cid.IsDagPb)
        {
            throw new InvalidDataException($"{pending.Cid} isn't part of a file: expected a raw block or dag-pb, got codec 0x{pending.Cid.Codec:x}.");
        }

        var node = DagPbNode.Decode(block);
        var file = UnixFsFile.Decode(node.Data ?? throw new InvalidDataException($"Node {pending.Cid} has no UnixFS data."));
        CheckSize(pending, file.FileSize);
        if (file.BlockSizes.Count != node.Links.Count)
        {
            throw new InvalidDataException($"Node {pending.Cid} has {node.Links.Count} links and states {file.BlockSizes.Count} sizes.");
        }

        if (node.Links.Count > 0 && pending.Depth == _limits.MaxDepth)
        {
            throw new InvalidDataException($"The file's tree is deeper than {_limits.MaxDepth}.");
        }

        for (var i = node.Links.Count - 1; i >= 0; i--)
        {
            if (file.BlockSizes[i] == 0)
            {
                throw new InvalidDataException($"Node {pending.Cid} links to a part of 0 bytes.");
            }

            _pending.Push(new Pending(node.Links[i].Cid, file.BlockSizes[i], pending.Depth + 1));
        }

        return file.Data;
    }

    private void CheckSize(Pending pending, ulong size)
    {
        if (pending.StatedSize is { } stated)
        {
            if (size != stated)
            {
                throw new InvalidDataException($"{pending.Cid} has {size} bytes of the file; its parent states {stated}.");
            }

            return;
        }

        if (size > (ulong)_limits.MaxSize)
        {
            throw new InvalidDataException($"The file states {size} bytes; at most {_limits.MaxSize} are accepted.");
        }

        Size = (long)size;
        _blocksLeft = 1024 + (Size.Value / 256 * _limits.BlocksPerQuarterKilobyte);
    }

    private readonly record struct Pending(Cid Cid, ulong? StatedSize, int Depth);
}

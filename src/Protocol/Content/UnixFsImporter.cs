namespace FedChain.Protocol.Content;

/// <summary>Takes a block. Its bytes are only good during the call. A block that occurs twice in a file comes twice.</summary>
public delegate ValueTask BlockSink(Cid cid, ReadOnlyMemory<byte> block, CancellationToken cancellationToken);

/// <summary>
/// Turns a stream of bytes into the blocks of a UnixFS file and names it, in one pass and constant memory: a chunk, and for each level of the
/// tree the links that have no parent yet.
/// </summary>
/// <remarks>
/// Balanced layout (go-unixfs importer/balanced): all leaves are equally deep; a level's links are gathered into a parent whenever there are
/// <see cref="UnixFsLayout.MaxLinks"/>, and at the end from the lowest level up; a lone link at the top is the root. So a file of one leaf
/// is that leaf. Blocks come out leaves first, every parent after its children.
/// </remarks>
public sealed class UnixFsImporter
{
    private readonly UnixFsLayout _layout;
    private readonly BlockSink? _sink;
    private readonly byte[] _chunk;
    private readonly List<List<Child>> _levels = [];
    private int _filled;
    private bool _completed;

    /// <param name="layout">The settings that fix the CID.</param>
    /// <param name="sink">Where the blocks go; null to learn the CID only.</param>
    public UnixFsImporter(UnixFsLayout layout, BlockSink? sink)
    {
        ArgumentNullException.ThrowIfNull(layout);
        _layout = layout;
        _sink = sink;
        _chunk = new byte[layout.ChunkSize];
    }

    /// <summary>Bytes of file taken so far.</summary>
    public long Size { get; private set; }

    /// <summary>Reads a stream to its end and returns the file's CID and size.</summary>
    public static async Task<(Cid Cid, long Size)> ImportAsync(
        Stream content, UnixFsLayout layout, BlockSink? sink, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(content);
        var importer = new UnixFsImporter(layout, sink);
        while (true)
        {
            var read = await content.ReadAtLeastAsync(importer._chunk, importer._chunk.Length, throwOnEndOfStream: false, cancellationToken);
            importer._filled = read;
            importer.Size += read;
            if (read < importer._chunk.Length)
            {
                return (await importer.CompleteAsync(cancellationToken), importer.Size);
            }

            await importer.EmitLeafAsync(cancellationToken);
        }
    }

    /// <summary>Takes the next bytes of the file.</summary>
    /// <exception cref="InvalidOperationException">The file was completed.</exception>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken = default)
    {
        ThrowIfCompleted();
        while (!bytes.IsEmpty)
        {
            var take = Math.Min(bytes.Length, _chunk.Length - _filled);
            bytes[..take].CopyTo(_chunk.AsMemory(_filled));
            _filled += take;
            Size += take;
            bytes = bytes[take..];
            if (_filled == _chunk.Length)
            {
                await EmitLeafAsync(cancellationToken);
            }
        }
    }

    /// <summary>Ends the file and returns its root.</summary>
    /// <exception cref="InvalidOperationException">The file was completed before.</exception>
    public async ValueTask<Cid> CompleteAsync(CancellationToken cancellationToken = default)
    {
        ThrowIfCompleted();
        _completed = true;
        if (_filled > 0 || Size == 0)
        {
            await EmitLeafAsync(cancellationToken);
        }

        for (var level = 0; ; level++)
        {
            var links = _levels[level];
            if (level == _levels.Count - 1 && links.Count == 1)
            {
                return links[0].Cid;
            }

            if (links.Count > 0)
            {
                await EmitParentAsync(level, cancellationToken);
            }
        }
    }

    private async ValueTask EmitLeafAsync(CancellationToken cancellationToken)
    {
        var content = _chunk.AsMemory(0, _filled);
        _filled = 0;
        Cid cid;
        ReadOnlyMemory<byte> block;
        if (_layout.Leaves == UnixFsLeaves.RawV1)
        {
            block = content;
            cid = Cid.OfRawBlock(block.Span);
        }
        else
        {
            block = new DagPbNode([], new UnixFsFile(content, (ulong)content.Length, []).Encode()).Encode();
            cid = NameNode(block.Span);
        }

        await EmitAsync(level: 0, new Child(cid, (ulong)content.Length, (ulong)block.Length), block, cancellationToken);
    }

    private async ValueTask EmitParentAsync(int level, CancellationToken cancellationToken)
    {
        var children = _levels[level];
        ulong fileSize = 0, totalSize = 0;
        foreach (var child in children)
        {
            fileSize += child.FileSize;
            totalSize += child.TotalSize;
        }

        var file = new UnixFsFile(default, fileSize, [.. children.Select(child => child.FileSize)]);
        var node = new DagPbNode([.. children.Select(child => new DagPbLink(child.Cid, "", child.TotalSize))], file.Encode());
        children.Clear();
        var block = node.Encode();
        await EmitAsync(level + 1, new Child(NameNode(block), fileSize, totalSize + (ulong)block.Length), block, cancellationToken);
    }

    private async ValueTask EmitAsync(int level, Child child, ReadOnlyMemory<byte> block, CancellationToken cancellationToken)
    {
        if (_sink is not null)
        {
            await _sink(child.Cid, block, cancellationToken);
        }

        if (level == _levels.Count)
        {
            _levels.Add(new List<Child>(_layout.MaxLinks));
        }

        _levels[level].Add(child);
        if (_levels[level].Count == _layout.MaxLinks)
        {
            await EmitParentAsync(level, cancellationToken);
        }
    }

    private Cid NameNode(ReadOnlySpan<byte> block)
    {
        var digest = Cid.OfRawBlock(block).Digest;
        return _layout.Leaves == UnixFsLeaves.DagPbV0 ? Cid.V0Of(digest) : Cid.DagPbOf(digest);
    }

    private void ThrowIfCompleted()
    {
        if (_completed)
        {
            throw new InvalidOperationException("The file was completed; a new one takes a new importer.");
        }
    }

    private readonly record struct Child(Cid Cid, ulong FileSize, ulong TotalSize);
}

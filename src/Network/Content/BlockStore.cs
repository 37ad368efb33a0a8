using System.Buffers;
using FedChain.Protocol.Content;

namespace FedChain.Network.Content;

/// <summary>
/// The embedded store: one file a block, in a folder of the member's home.
/// <code>
/// blocks/q/bafkrei…qe    a block, named by its CID; the folder is the name's last letter but one
/// tmp/d3f0…/             files that are being written, a folder each process; tmp/d3f0….lock is held while it runs
/// </code>
/// A file appears under its final name only when its bytes are on the disk, so a crash leaves nothing but a folder in <c>tmp</c>, which
/// the next process removes. Several processes may use one store.
/// </summary>
public sealed class BlockStore : IContentStore
{
    /// <summary>The largest block that is kept, in bytes: what IPFS peers exchange at most.</summary>
    public const int MaxBlockSize = 2 << 20;

    private readonly string _blocks;
    private readonly Lazy<StoreSession> _session;

    /// <summary>Opens or creates the store, and removes what crashed writers left.</summary>
    public BlockStore(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        Folder = Path.GetFullPath(folder);
        _blocks = Path.Combine(Folder, "blocks");
        var temporary = Path.Combine(Folder, "tmp");
        Directory.CreateDirectory(_blocks);
        StoreSession.RemoveAbandoned(temporary);
        _session = new Lazy<StoreSession>(() => new StoreSession(temporary)); // only who writes leaves a trace
    }

    public string Folder { get; }

    /// <summary>The file that holds the block, or would.</summary>
    public string PathOf(Cid cid)
    {
        var name = NameOf(cid);
        return Path.Combine(_blocks, name[^2..^1], name);
    }

    public ValueTask<bool> HasAsync(Cid cid, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult(cid.IsIdentity || (cid.IsSha256 && File.Exists(PathOf(cid))));

    public ValueTask<ReadOnlyMemory<byte>?> GetAsync(Cid cid, ArrayBufferWriter<byte>? reuse = null, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(Get(cid, reuse));
    }

    public IContentWriter BeginWrite() => new BlockWriter(this, _session.Value.Folder);

    public async Task<(Cid Cid, long Size)> AddAsync(Stream content, CancellationToken cancellationToken = default)
    {
        await using var writer = BeginWrite();
        var added = await UnixFsImporter.ImportAsync(content, UnixFsLayout.Default, writer.PutAsync, cancellationToken);
        await writer.CommitAsync(cancellationToken);
        return added;
    }

    public Stream OpenFile(Cid cid, long maxSize = long.MaxValue)
    {
        var buffer = new ArrayBufferWriter<byte>();
        return new UnixFsReader(cid, (block, cancel) => GetAsync(block, buffer, cancel), new UnixFsLimits { MaxSize = maxSize, SourceVerifies = true }).AsStream();
    }

    /// <summary>Nothing to do: what is here stays until somebody deletes it.</summary>
    public Task PinAsync(Cid root, CancellationToken cancellationToken = default) => Task.CompletedTask;

    /// <summary>Deletes the block; false where it wasn't here.</summary>
    public ValueTask<bool> DeleteAsync(Cid cid, CancellationToken cancellationToken = default)
    {
        var path = PathOf(cid);
        if (!File.Exists(path))
        {
            return ValueTask.FromResult(false);
        }

        File.Delete(path);
        return ValueTask.FromResult(true);
    }

    /// <summary>The CIDs of all blocks, in version 1; files with other names are passed over.</summary>
    public IEnumerable<Cid> List()
    {
        foreach (var file in Directory.EnumerateFiles(_blocks, "*", SearchOption.AllDirectories))
        {
            if (Cid.TryParse(Path.GetFileName(file), out var cid) && PathOf(cid) == file)
            {
                yield return cid;
            }
        }
    }

    public void Dispose()
    {
        if (_session.IsValueCreated)
        {
            _session.Value.Dispose();
        }
    }

    /// <summary>Whether the block is here and whole.</summary>
    internal bool HasWhole(Cid cid, ArrayBufferWriter<byte> reuse)
    {
        try
        {
            return File.Exists(PathOf(cid)) && Get(cid, reuse) is not null;
        }
        catch (CorruptBlockException)
        {
            return false;
        }
    }

    private ReadOnlyMemory<byte>? Get(Cid cid, ArrayBufferWriter<byte>? reuse)
    {
        if (cid.IsIdentity)
        {
            return cid.DigestBytes;
        }

        if (!cid.IsSha256)
        {
            return null; // never taken, since it couldn't be checked
        }

        var path = PathOf(cid);
        try
        {
            // Reads go straight into the buffer: a block is small enough that waiting for a thread would take longer than the disk does.
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan);
            var length = RandomAccess.GetLength(file);
            if (length > MaxBlockSize)
            {
                throw new CorruptBlockException(cid, path);
            }

            reuse?.ResetWrittenCount();
            var buffer = length == 0 ? default : reuse is null ? new byte[length] : reuse.GetMemory((int)length)[..(int)length];
            var read = 0;
            while (read < buffer.Length && RandomAccess.Read(file, buffer.Span[read..], read) is > 0 and var count)
            {
                read += count;
            }

            return read == buffer.Length && cid.Matches(buffer.Span) ? buffer : throw new CorruptBlockException(cid, path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    // Version 0 and 1 of a dag-pb CID name the same bytes, and base58 would need a file system that tells capitals apart.
    private static string NameOf(Cid cid) => (cid.Version == 0 ? Cid.DagPbOf(cid.Digest) : cid).ToString();
}

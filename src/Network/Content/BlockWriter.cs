using System.Buffers;
using FedChain.Protocol.Content;
using Microsoft.Win32.SafeHandles;

namespace FedChain.Network.Content;

/// <summary>
/// Writes blocks to temporary files, and moves them to their names when their bytes are on the disk. Many are flushed together: one by
/// one, the disk's latency and not its speed would decide how long a 50 MB adapter takes.
/// </summary>
internal sealed class BlockWriter(BlockStore store, string temporaryFolder) : IContentWriter
{
    private const int MaxPending = 256; // open files; 64 MiB of leaves
    private const int FlushesAtOnce = 16; // these wait for the disk, not for a core

    private readonly List<Unfinished> _pending = [];
    private readonly HashSet<string> _names = [];
    private readonly ArrayBufferWriter<byte> _reuse = new();

    public async ValueTask PutAsync(Cid cid, ReadOnlyMemory<byte> block, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (cid.IsIdentity)
        {
            return;
        }

        if (!cid.IsSha256 || block.Length > BlockStore.MaxBlockSize)
        {
            throw new ArgumentException($"Block {cid} of {block.Length} bytes can't be kept: expected a SHA-256 CID and at most {BlockStore.MaxBlockSize} bytes.", nameof(block));
        }

        var path = store.PathOf(cid);
        if (_names.Contains(path) || store.HasWhole(cid, _reuse))
        {
            return;
        }

        var temporary = Path.Combine(temporaryFolder, Guid.NewGuid().ToString("n"));
        var file = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, FileOptions.None, block.Length);
        _pending.Add(new Unfinished(file, temporary, path));
        _names.Add(path);
        RandomAccess.Write(file, block.Span, 0);
        if (_pending.Count == MaxPending)
        {
            await CommitAsync(cancellationToken);
        }
    }

    public async Task CommitAsync(CancellationToken cancellationToken = default)
    {
        if (_pending.Count == 0)
        {
            return;
        }

        Crash.At(CrashPoint.BlocksWritten);
        await OnThreadsAsync(_pending, block =>
        {
            RandomAccess.FlushToDisk(block.File);
            block.File.Dispose();
        }, cancellationToken);

        Crash.At(CrashPoint.BlocksFlushed);

        // In the order they came, children before parents: a root that is here after a crash has its leaves.
        var folders = new HashSet<string>();
        foreach (var block in _pending)
        {
            var folder = Path.GetDirectoryName(block.Path)!;
            if (folders.Add(folder) && !Directory.Exists(folder))
            {
                Directory.CreateDirectory(folder);
                folders.Add(Path.GetDirectoryName(folder)!);
            }

            File.Move(block.Temporary, block.Path, overwrite: true);
        }

        Crash.At(CrashPoint.BlocksNamed);
        await OnThreadsAsync(folders, DiskFolder.Flush, cancellationToken);
        _pending.Clear();
        _names.Clear();
    }

    public ValueTask DisposeAsync()
    {
        foreach (var block in _pending)
        {
            block.File.Dispose();
            File.Delete(block.Temporary);
        }

        _pending.Clear();
        return ValueTask.CompletedTask;
    }

    private static Task OnThreadsAsync<T>(IEnumerable<T> items, Action<T> action, CancellationToken cancellationToken) =>
        Parallel.ForEachAsync(items, new ParallelOptions { MaxDegreeOfParallelism = FlushesAtOnce, CancellationToken = cancellationToken }, (item, _) =>
        {
            action(item);
            return ValueTask.CompletedTask;
        });

    private readonly record struct Unfinished(SafeFileHandle File, string Temporary, string Path);
}

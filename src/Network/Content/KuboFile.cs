using FedChain.Protocol.Content;

namespace FedChain.Network.Content;

/// <summary>
/// The blocks of one file, for a reader that asks for them depth first. Nodes are asked for singly; leaves are cut out of one stream
/// ('cat'), as long as their parents say they are, and checked against the CIDs that these name.
/// </summary>
internal sealed class KuboFile(KuboStore store, KuboClient client, Cid root) : IDisposable
{
    private readonly Dictionary<Cid, ulong> _sizes = [];
    private readonly byte[] _buffer = new byte[BlockStore.MaxBlockSize];
    private Stream? _stream;

    public async ValueTask<ReadOnlyMemory<byte>?> BlockAsync(Cid cid, CancellationToken cancellationToken)
    {
        if (cid.IsRaw && _sizes.TryGetValue(cid, out var size) && size <= (ulong)_buffer.Length)
        {
            return await LeafAsync(cid, (int)size, cancellationToken);
        }

        var block = await store.GetAsync(cid, cancellationToken: cancellationToken);
        if (block is not null && cid.IsDagPb)
        {
            var node = DagPbNode.Decode(block.Value);
            var file = UnixFsFile.Decode(node.Data ?? default);
            foreach (var (link, part) in node.Links.Zip(file.BlockSizes))
            {
                _sizes[link.Cid] = part;
            }

            await TakeAsync(file.Data.Length, cancellationToken); // its own bytes come in the stream too
        }

        return block;
    }

    public void Dispose() => _stream?.Dispose();

    private async Task<ReadOnlyMemory<byte>?> LeafAsync(Cid cid, int size, CancellationToken cancellationToken)
    {
        try
        {
            var leaf = await TakeAsync(size, cancellationToken);
            if (leaf.Length < size)
            {
                return null;
            }

            return cid.Matches(leaf.Span) ? leaf : throw store.Corrupt(cid);
        }
        catch (KuboException e) when (KuboStore.IsNotHere(e))
        {
            return null;
        }
    }

    private async Task<ReadOnlyMemory<byte>> TakeAsync(int count, CancellationToken cancellationToken)
    {
        if (count == 0)
        {
            return default;
        }

        var read = await client.WithPatienceAsync("cat", async cancel =>
        {
            _stream ??= await client.OpenAsync("cat", $"arg={root}&offline=true&progress=false", body: null, cancel);
            return await _stream.ReadAtLeastAsync(_buffer.AsMemory(0, count), count, throwOnEndOfStream: false, cancel);
        }, cancellationToken);
        return _buffer.AsMemory(0, read);
    }
}

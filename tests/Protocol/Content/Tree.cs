using FedChain.Protocol.Content;

namespace FedChain.Protocol.Tests.Content;

/// <summary>A file's blocks in memory.</summary>
internal sealed class Tree
{
    public Cid Root { get; set; }

    public Dictionary<Cid, byte[]> Blocks { get; } = [];

    /// <summary>The leaves in the file's order, repetitions included.</summary>
    public List<Cid> Leaves { get; } = [];

    public int Depth => DepthOf(Root);

    public static async Task<Tree> ImportAsync(byte[] content, UnixFsLayout layout)
    {
        var tree = new Tree();
        (tree.Root, var size) = await UnixFsImporter.ImportAsync(new MemoryStream(content), layout, tree.PutAsync);
        Assert.Equal(content.Length, size);
        return tree;
    }

    public ValueTask PutAsync(Cid cid, ReadOnlyMemory<byte> block, CancellationToken cancellationToken)
    {
        Assert.True(cid.Matches(block.Span));
        Blocks[cid] = block.ToArray();
        if (cid.IsRaw || DagPbNode.Decode(block).Links.Count == 0)
        {
            Leaves.Add(cid);
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>Stores a block made by a test and returns its CID.</summary>
    public Cid Add(DagPbNode node)
    {
        var block = node.Encode();
        var cid = Cid.DagPbOf(Cid.OfRawBlock(block).Digest);
        Blocks[cid] = block;
        return cid;
    }

    public Cid AddRaw(byte[] block)
    {
        var cid = Cid.OfRawBlock(block);
        Blocks[cid] = block;
        return cid;
    }

    public UnixFsReader Open(UnixFsLimits? limits = null) => new(Root, ReadAsync, limits ?? new UnixFsLimits());

    public async Task<byte[]> ExportAsync(UnixFsLimits? limits = null)
    {
        using var content = new MemoryStream();
        await Open(limits).CopyToAsync(content);
        return content.ToArray();
    }

    private ValueTask<ReadOnlyMemory<byte>?> ReadAsync(Cid cid, CancellationToken cancellationToken) =>
        ValueTask.FromResult(Blocks.TryGetValue(cid, out var block) ? block : (ReadOnlyMemory<byte>?)null);

    private int DepthOf(Cid cid) => cid.IsRaw || DagPbNode.Decode(Blocks[cid]).Links is not [var first, ..] ? 0 : 1 + DepthOf(first.Cid);
}

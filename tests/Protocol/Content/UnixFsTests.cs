using CsCheck;
using FedChain.Protocol.Content;

namespace FedChain.Protocol.Tests.Content;

public sealed class UnixFsTests
{
    private static readonly UnixFsLayout Small = new() { ChunkSize = 4, MaxLinks = 3 };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void What_is_imported_is_exported_and_its_name_depends_on_the_bytes_alone() =>
        Gen.Select(Gen.Byte.Array[0, 400], Gen.Int[1, 20], Gen.Int[2, 5], Gen.Enum<UnixFsLeaves>(), Gen.Int[1, 50]).Sample(
            (content, chunk, links, leaves, step) => Task.Run(async () =>
            {
                var layout = new UnixFsLayout { ChunkSize = chunk, MaxLinks = links, Leaves = leaves };
                var tree = await Tree.ImportAsync(content, layout);
                Assert.Equal(content, await tree.ExportAsync());

                var pushed = new UnixFsImporter(layout, sink: null);
                foreach (var part in content.Chunk(step))
                {
                    await pushed.WriteAsync(part, Cancel);
                }

                Assert.Equal(tree.Root, await pushed.CompleteAsync(Cancel));
                Assert.Equal(content.Length, pushed.Size);

                using var copy = new MemoryStream();
                using var stream = tree.Open().AsStream();
                for (var piece = new byte[step]; await stream.ReadAsync(piece, Cancel) is > 0 and var read;)
                {
                    copy.Write(piece, 0, read);
                }

                Assert.Equal(content, copy.ToArray());
            }, Cancel).GetAwaiter().GetResult(), iter: 200);

    [Fact]
    public async Task The_reader_states_the_size_and_refuses_a_file_beyond_the_limit()
    {
        var tree = await Tree.ImportAsync(new byte[100], Small);
        var reader = tree.Open();
        Assert.Null(reader.Size);
        await reader.ReadAsync(Cancel);
        Assert.Equal(100, reader.Size);
        Assert.Equal(100, (await tree.ExportAsync(new UnixFsLimits { MaxSize = 100 })).Length);
        await Assert.ThrowsAsync<InvalidDataException>(() => tree.ExportAsync(new UnixFsLimits { MaxSize = 99 }));
    }

    [Fact]
    public async Task A_flipped_byte_in_any_block_is_noticed()
    {
        var tree = await Tree.ImportAsync([.. Enumerable.Range(0, 50).Select(i => (byte)i)], Small);
        foreach (var (cid, block) in tree.Blocks.ToArray())
        {
            var damaged = block.ToArray();
            damaged[^1] ^= 0x10;
            tree.Blocks[cid] = damaged;
            var e = await Assert.ThrowsAsync<InvalidDataException>(() => tree.ExportAsync());
            Assert.Contains(cid.ToString(), e.Message, StringComparison.Ordinal);
            tree.Blocks[cid] = block;
        }
    }

    [Fact]
    public async Task A_missing_block_is_named()
    {
        var tree = await Tree.ImportAsync(new byte[50], Small);
        var gone = tree.Leaves[^1];
        tree.Blocks.Remove(gone);
        Assert.Equal(gone, (await Assert.ThrowsAsync<MissingBlockException>(() => tree.ExportAsync())).Cid);
    }

    [Theory]
    [InlineData(4, 4, 8, null)] // the truth
    [InlineData(4, 5, 9, "parent states")] // a leaf is shorter than stated
    [InlineData(4, 3, 7, "parent states")] // a leaf is longer than stated
    [InlineData(4, 4, 9, "add up")] // more in total than the parts
    [InlineData(4, 0, 4, "0 bytes")]
    public async Task A_tree_that_lies_about_sizes_is_refused(int first, int second, int total, string? error)
    {
        var tree = new Tree();
        var leaf = tree.AddRaw([1, 2, 3, 4]);
        tree.Root = tree.Add(new DagPbNode(
            [new DagPbLink(leaf, "", 4), new DagPbLink(leaf, "", 4)], new UnixFsFile(default, (ulong)total, [(ulong)first, (ulong)second]).Encode()));

        if (error is null)
        {
            Assert.Equal([1, 2, 3, 4, 1, 2, 3, 4], await tree.ExportAsync());
        }
        else
        {
            Assert.Contains(error, (await Assert.ThrowsAsync<InvalidDataException>(() => tree.ExportAsync())).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Sizes_that_overflow_are_refused()
    {
        var tree = new Tree();
        var leaf = tree.AddRaw([1]);
        var links = Enumerable.Repeat(new DagPbLink(leaf, "", 1), 3).ToArray();
        tree.Root = tree.Add(new DagPbNode(links, new UnixFsFile(default, 1, [long.MaxValue, long.MaxValue, 3]).Encode()));
        await Assert.ThrowsAsync<InvalidDataException>(() => tree.ExportAsync());
    }

    [Fact]
    public async Task Links_without_sizes_are_refused()
    {
        var tree = new Tree();
        tree.Root = tree.Add(new DagPbNode([new DagPbLink(tree.AddRaw([1]), "", 1)], new UnixFsFile(default, 0, []).Encode()));
        await Assert.ThrowsAsync<InvalidDataException>(() => tree.ExportAsync());
    }

    [Fact]
    public async Task A_tree_beyond_the_depth_is_refused_and_one_that_reaches_it_is_read()
    {
        var tree = new Tree();
        tree.Root = tree.AddRaw([7]);
        for (var depth = 0; depth < 10; depth++)
        {
            tree.Root = tree.Add(new DagPbNode([new DagPbLink(tree.Root, "", 1)], new UnixFsFile(default, 1, [1]).Encode()));
        }

        Assert.Equal([7], await tree.ExportAsync(new UnixFsLimits { MaxDepth = 10 }));
        var e = await Assert.ThrowsAsync<InvalidDataException>(() => tree.ExportAsync(new UnixFsLimits { MaxDepth = 9 }));
        Assert.Contains("deeper", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_few_blocks_that_unfold_to_many_are_refused()
    {
        var tree = new Tree();
        tree.Root = tree.AddRaw([7]);
        ulong size = 1;
        for (var depth = 0; depth < 20; depth++) // 2^20 leaves of one byte
        {
            var link = new DagPbLink(tree.Root, "", size);
            tree.Root = tree.Add(new DagPbNode([link, link], new UnixFsFile(default, 2 * size, [size, size]).Encode()));
            size *= 2;
        }

        var e = await Assert.ThrowsAsync<InvalidDataException>(() => tree.ExportAsync());
        Assert.Contains("blocks", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0801")] // a directory
    [InlineData("0802180a")] // 10 bytes stated, none there
    [InlineData("08021800080218")] // type again
    [InlineData("1800")] // no type
    [InlineData("080218")] // cut off
    [InlineData("0802120a01")] // data cut off
    [InlineData("080212ffffffffffffffffff7f")]
    [InlineData("08822018")] // type in two bytes
    [InlineData("08021d00000000")] // a fixed32
    public void Data_that_is_no_file_is_refused(string hex) =>
        Assert.Throws<InvalidDataException>(() => UnixFsFile.Decode(Convert.FromHexString(hex)));

    [Theory]
    [InlineData("080218003800")] // mode
    [InlineData("08021800380042020801")] // mode and time
    [InlineData("0800")] // a bare part, as old writers made them
    public void Fields_that_matter_to_nobody_here_are_passed_over(string hex) => Assert.Equal(0UL, UnixFsFile.Decode(Convert.FromHexString(hex)).FileSize);

    [Fact]
    public async Task A_cancelled_read_stops()
    {
        var tree = await Tree.ImportAsync(new byte[50], Small);
        var reader = new UnixFsReader(tree.Root, (_, cancel) => ValueTask.FromCanceled<ReadOnlyMemory<byte>?>(cancel), new UnixFsLimits());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await reader.ReadAsync(new CancellationToken(canceled: true)));
    }

    [Fact]
    public async Task A_file_within_its_own_name_is_read()
    {
        Assert.True(Cid.TryDecode(Convert.FromHexString("0155000568656c6c6f"), out var hello));
        var tree = new Tree { Root = hello };
        Assert.Equal("hello"u8.ToArray(), await tree.ExportAsync());
    }
}

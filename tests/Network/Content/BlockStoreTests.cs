using System.Buffers;
using CsCheck;
using FedChain.Network.Content;
using FedChain.Protocol.Content;

namespace FedChain.Network.Tests.Content;

public sealed class BlockStoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly BlockStore _store;

    public BlockStoreTests() => _store = new BlockStore(_folder.Path);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Temporary => Path.Combine(_folder.Path, "tmp");

    public void Dispose()
    {
        _store.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Blocks_are_kept_found_listed_and_deleted() =>
        Gen.Byte.Array[0, 600].Array[1, 10].Sample(blocks => Task.Run(async () =>
        {
            var cids = new HashSet<Cid>();
            foreach (var block in blocks)
            {
                cids.Add(await _store.AddBlockAsync(block, Cancel));
            }

            Assert.Equal(cids, _store.List().ToHashSet());
            using var another = new BlockStore(_folder.Path);
            var reuse = new ArrayBufferWriter<byte>();
            foreach (var block in blocks)
            {
                Assert.Equal(block, (await another.GetAsync(Cid.OfRawBlock(block), reuse, Cancel))!.Value.ToArray());
            }

            foreach (var cid in cids)
            {
                Assert.True(await _store.HasAsync(cid, Cancel));
                Assert.True(await _store.DeleteAsync(cid, Cancel));
                Assert.False(await _store.DeleteAsync(cid, Cancel));
                Assert.False(await _store.HasAsync(cid, Cancel));
                Assert.Null(await _store.GetAsync(cid, cancellationToken: Cancel));
            }

            Assert.Empty(_store.List());
        }, Cancel).GetAwaiter().GetResult(), iter: 20, threads: 1);

    [Fact]
    public async Task A_flipped_bit_is_an_error_that_names_block_and_file_and_putting_it_again_mends_it()
    {
        var block = Bytes.Of(1000);
        var cid = await _store.AddBlockAsync(block, Cancel);
        Bytes.FlipBit(_store.PathOf(cid));

        var e = await Assert.ThrowsAsync<CorruptBlockException>(async () => await _store.GetAsync(cid, cancellationToken: Cancel));
        Assert.Equal(cid, e.Cid);
        Assert.Equal(_store.PathOf(cid), e.Path);
        Assert.Contains(cid.ToString(), e.Message, StringComparison.Ordinal);

        await _store.AddBlockAsync(block, Cancel);
        Assert.Equal(block, (await _store.GetAsync(cid, cancellationToken: Cancel))!.Value.ToArray());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(999)]
    [InlineData(1001)]
    [InlineData(BlockStore.MaxBlockSize + 1)]
    public async Task A_file_of_another_length_is_corrupted(int length)
    {
        var cid = await _store.AddBlockAsync(new byte[1000], Cancel);
        await File.WriteAllBytesAsync(_store.PathOf(cid), new byte[length], Cancel);
        await Assert.ThrowsAsync<CorruptBlockException>(async () => await _store.GetAsync(cid, cancellationToken: Cancel));
    }

    [Fact]
    public async Task Blocks_appear_when_they_are_committed_and_not_before()
    {
        var cid = Cid.OfRawBlock([1]);
        await using (var writer = _store.BeginWrite())
        {
            await writer.PutAsync(cid, new byte[] { 1 }, Cancel);
            Assert.False(await _store.HasAsync(cid, Cancel));
        }

        Assert.False(await _store.HasAsync(cid, Cancel));
        await using (var writer = _store.BeginWrite())
        {
            await writer.PutAsync(cid, new byte[] { 1 }, Cancel);
            await writer.CommitAsync(Cancel);
            Assert.True(await _store.HasAsync(cid, Cancel));
        }

        Assert.Empty(Directory.EnumerateFiles(Assert.Single(Directory.GetDirectories(Temporary))));
    }

    [Fact]
    public async Task What_a_crash_left_is_removed_and_what_a_living_process_writes_is_not()
    {
        var crashed = Directory.CreateDirectory(Path.Combine(Temporary, "crashed")).FullName;
        await File.WriteAllBytesAsync(Path.Combine(crashed, "block"), [1, 2], Cancel);
        await File.WriteAllBytesAsync(crashed + ".lock", [], Cancel);
        var ended = Directory.CreateDirectory(Path.Combine(Temporary, "ended")).FullName;
        await using var writer = _store.BeginWrite();
        await writer.PutAsync(Cid.OfRawBlock([1]), new byte[] { 1 }, Cancel);

        using (new BlockStore(_folder.Path))
        {
            Assert.False(Directory.Exists(crashed) || File.Exists(crashed + ".lock"));
            Assert.False(Directory.Exists(ended));
        }

        await writer.CommitAsync(Cancel);
        Assert.True(await _store.HasAsync(Cid.OfRawBlock([1]), Cancel));
        _store.Dispose();
        Assert.Empty(Directory.EnumerateFileSystemEntries(Temporary));
    }

    [Fact]
    public async Task Stray_files_are_no_blocks()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder.Path, "blocks", "README"), "?", Cancel);
        var cid = await _store.AddBlockAsync(new byte[] { 1 }, Cancel);
        File.Copy(_store.PathOf(cid), Path.Combine(_folder.Path, "blocks", cid.ToString()));
        Assert.Equal([cid], _store.List());
    }

    [Fact]
    public async Task The_same_blocks_put_at_once_are_kept_once_and_whole()
    {
        var content = Bytes.Of(3_000_000);
        var added = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => _store.AddAsync(new MemoryStream(content), Cancel))));
        var cid = Assert.Single(added.Select(a => a.Cid).Distinct());
        using var copy = new MemoryStream();
        await _store.CopyFileAsync(cid, copy, cancellationToken: Cancel);
        Assert.Equal(content, copy.ToArray());
        Assert.Equal(13, _store.List().Count()); // 12 leaves and the root
    }

    [Fact]
    public async Task More_blocks_than_are_flushed_together_are_all_kept()
    {
        await using var writer = _store.BeginWrite();
        var cids = new HashSet<Cid>();
        for (var i = 0; i < 700; i++)
        {
            byte[] block = [(byte)i, (byte)(i >> 8)];
            cids.Add(Cid.OfRawBlock(block));
            await writer.PutAsync(Cid.OfRawBlock(block), block, Cancel);
        }

        await writer.CommitAsync(Cancel);
        Assert.Equal(cids, _store.List().ToHashSet());
    }

    [Fact]
    public async Task A_file_has_the_name_that_IPFS_gives_it()
    {
        var (cid, size) = await _store.AddAsync(new MemoryStream("hello world"u8.ToArray()), Cancel);
        Assert.Equal("bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e", cid.ToString());
        Assert.Equal(11, size);
        (cid, _) = await _store.AddAsync(new MemoryStream(new byte[1 << 20]), Cancel);
        Assert.Equal("bafybeiggzq4ryi7hscq5hzvzcnk4urnxt3asp37dhgvnjilf7exskximla", cid.ToString());
    }

    [Fact]
    public async Task What_was_kept_is_read_as_a_stream()
    {
        var content = Bytes.Of(700_000);
        var (cid, _) = await _store.AddAsync(new MemoryStream(content), Cancel);
        using var copy = new MemoryStream();
        await using var opened = _store.OpenFile(cid);
        await opened.CopyToAsync(copy, Cancel);
        Assert.Equal(content, copy.ToArray());
    }

    [Fact]
    public async Task A_file_that_lacks_a_block_is_not_here_and_a_damaged_one_does_not_open()
    {
        var (cid, _) = await _store.AddAsync(new MemoryStream(Bytes.Of(600_000)), Cancel);
        Assert.True(await _store.HasFileAsync(cid, Cancel));
        await Assert.ThrowsAsync<InvalidDataException>(() => _store.CopyFileAsync(cid, Stream.Null, maxSize: 599_999, Cancel));
        var leaf = _store.List().First(block => block.IsRaw);

        Bytes.FlipBit(_store.PathOf(leaf));
        Assert.Equal(leaf, (await Assert.ThrowsAsync<CorruptBlockException>(() => _store.CopyFileAsync(cid, Stream.Null, cancellationToken: Cancel))).Cid);

        await _store.DeleteAsync(leaf, Cancel);
        Assert.False(await _store.HasFileAsync(cid, Cancel));
        Assert.Equal(leaf, (await Assert.ThrowsAsync<MissingBlockException>(() => _store.CopyFileAsync(cid, Stream.Null, cancellationToken: Cancel))).Cid);
        await _store.DeleteAsync(cid, Cancel);
        Assert.False(await _store.HasFileAsync(cid, Cancel));
    }

    [Fact]
    public async Task Versions_0_and_1_name_one_block()
    {
        var node = new DagPbNode([], new UnixFsFile("x"u8.ToArray(), 1, []).Encode()).Encode();
        var digest = Cid.OfRawBlock(node).Digest;
        await using var writer = _store.BeginWrite();
        await writer.PutAsync(Cid.V0Of(digest), node, Cancel);
        await writer.CommitAsync(Cancel);
        Assert.True(await _store.HasAsync(Cid.DagPbOf(digest), Cancel));
        Assert.False(await _store.HasAsync(Cid.RawOf(digest), Cancel));
        Assert.Equal([Cid.DagPbOf(digest)], _store.List());
    }

    [Fact]
    public async Task A_block_that_could_not_be_checked_is_not_taken()
    {
        Assert.True(Cid.TryDecode(Convert.FromHexString("01551b20" + new string('0', 64)), out var keccak));
        await using var writer = _store.BeginWrite();
        await Assert.ThrowsAsync<ArgumentException>(async () => await writer.PutAsync(keccak, default, Cancel));
        await Assert.ThrowsAsync<ArgumentException>(async () => await writer.PutAsync(default, new byte[BlockStore.MaxBlockSize + 1], Cancel));
        Assert.False(await _store.HasAsync(keccak, Cancel));
        Assert.Null(await _store.GetAsync(keccak, cancellationToken: Cancel));
    }

    [Fact]
    public async Task An_identity_CID_is_always_here()
    {
        var hello = Cid.Parse("bafkqablimvwgy3y");
        Assert.True(await _store.HasAsync(hello, Cancel));
        Assert.Equal("hello"u8.ToArray(), (await _store.GetAsync(hello, cancellationToken: Cancel))!.Value.ToArray());
        Assert.True(await _store.HasFileAsync(hello, Cancel));
    }
}

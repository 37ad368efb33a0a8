using FedChain.Network.Content;
using FedChain.Network.Tests.Content;
using FedChain.Protocol.Content;
using FedChain.Tests.Ipfs;

namespace FedChain.Network.Tests.Ipfs;

/// <summary>Three real IPFS nodes, each the store of one member.</summary>
public sealed class IpfsNodesTests(IpfsNodesTests.Nodes nodes) : IClassFixture<IpfsNodesTests.Nodes>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_node_gives_files_and_blocks_the_names_that_the_embedded_store_gives_them()
    {
        var (_, store) = await nodes.AtAsync(0);
        using var folder = new TemporaryFolder();
        using var embedded = new BlockStore(folder.Path);
        Assert.NotEmpty(await store.VersionAsync(Cancel));
        foreach (var size in new[] { 0, 1, 262_144, 262_145, 1_500_000, 175 * 262_144 }) // the last has two levels of nodes
        {
            var content = Bytes.Of(size);
            var added = await store.AddAsync(new MemoryStream(content), Cancel);
            Assert.Equal(await embedded.AddAsync(new MemoryStream(content), Cancel), added);
            Assert.Equal(content, await ReadAsync(store, added.Cid));
        }

        // Block by block, as they come from another member's endpoint.
        await using var writer = store.BeginWrite();
        foreach (var cid in embedded.List().Take(3).Concat(embedded.List().Where(c => c.IsDagPb)))
        {
            var block = (await embedded.GetAsync(cid, cancellationToken: Cancel))!.Value;
            await writer.PutAsync(cid, block, Cancel);
            Assert.True(await store.HasAsync(cid, Cancel));
            Assert.Equal(block.ToArray(), (await store.GetAsync(cid, cancellationToken: Cancel))!.Value.ToArray());
        }
    }

    [Fact]
    public async Task What_is_kept_is_pinned_until_it_is_given_up()
    {
        var (_, store) = await nodes.AtAsync(0);
        var (file, _) = await store.AddAsync(new MemoryStream(Bytes.Of(300_000, seed: 5)), Cancel);
        var block = await store.AddBlockAsync(Bytes.Of(100, seed: 5), Cancel);
        Assert.Superset(new HashSet<Cid> { file, block }, (await store.PinsAsync(Cancel)).ToHashSet());
        Assert.True(await store.UnpinAsync(file, Cancel));
        Assert.False(await store.UnpinAsync(file, Cancel));
        Assert.DoesNotContain(file, await store.PinsAsync(Cancel));
        Assert.Contains(block, await store.PinsAsync(Cancel));
    }

    [Fact]
    public async Task A_file_moves_from_node_to_node_by_bitswap_and_through_no_endpoint()
    {
        var (_, author) = await nodes.AtAsync(0);
        var content = Bytes.Of(3_000_000, seed: 2);
        var (root, size) = await author.AddAsync(new MemoryStream(content), Cancel);
        var manifest = await author.AddBlockAsync(Bytes.Of(2000, seed: 2), Cancel);
        foreach (var reader in new[] { 1, 2 })
        {
            var (node, store) = await nodes.AtAsync(reader);
            var before = await node.ReceivedAsync(Cancel);
            using var fetcher = new ContentFetcher(new ContentFetcherOptions(), TimeProvider.System, store);

            var block = await fetcher.FetchBlockAsync(manifest, [], 2000, Cancel);
            Assert.Equal(Bytes.Of(2000, seed: 2), block.Bytes.ToArray());
            var result = await fetcher.FetchFileAsync(root, [], size, store, Cancel);

            Assert.True(result.IsComplete, result.ToString());
            await node.ReceivedAsync(before + size, Cancel);
            Assert.Contains(root, await store.PinsAsync(Cancel));
            Assert.Equal(content, await ReadAsync(store, root));
        }
    }

    [Fact]
    public async Task A_file_that_is_too_large_is_not_pulled()
    {
        var (_, author) = await nodes.AtAsync(0);
        var (root, size) = await author.AddAsync(new MemoryStream(Bytes.Of(700_000, seed: 3)), Cancel);
        var (_, store) = await nodes.AtAsync(1);
        using var fetcher = new ContentFetcher(new ContentFetcherOptions(), TimeProvider.System, store);
        var result = await fetcher.FetchFileAsync(root, [], size - 1, store, Cancel);
        Assert.Equal(FetchStatus.Failed, result.Status);
        Assert.Equal(FetchFailure.TooLarge, Assert.Single(result.Attempts).Failure);
        Assert.DoesNotContain(root, await store.PinsAsync(Cancel));
    }

    [Fact]
    public async Task What_no_node_has_comes_from_an_endpoint_and_goes_on_by_bitswap()
    {
        using var folder = new TemporaryFolder();
        using var embedded = new BlockStore(folder.Path);
        var content = Bytes.Of(700_000, seed: 4);
        var (root, size) = await embedded.AddAsync(new MemoryStream(content), Cancel);
        await using var gateway = await ContentGateway.StartAsync(embedded, federation: null, new ContentGatewayOptions(), Cancel);
        var (_, first) = await nodes.AtAsync(1);
        using var fetcher = new ContentFetcher(new ContentFetcherOptions { AllowPrivateAddresses = true }, TimeProvider.System, first);
        var result = await fetcher.FetchFileAsync(root, [gateway.BaseAddress], size, first, Cancel);
        Assert.Equal(gateway.BaseAddress, result.ServedBy);
        Assert.Equal(first.Api, Assert.Single(result.Attempts).Endpoint);
        Assert.Contains(root, await first.PinsAsync(Cancel));

        var (_, second) = await nodes.AtAsync(2);
        using var other = new ContentFetcher(new ContentFetcherOptions(), TimeProvider.System, second);
        var found = await other.FetchFileAsync(root, [], size, second, Cancel);
        Assert.True(found.IsComplete, found.ToString());
        Assert.Equal(content, await ReadAsync(second, root));
    }

    [Fact]
    public async Task A_member_without_a_node_fetches_from_the_endpoint_of_one_that_has_one()
    {
        var (_, store) = await nodes.AtAsync(0);
        var content = Bytes.Of(700_000, seed: 6);
        var (root, size) = await store.AddAsync(new MemoryStream(content), Cancel);
        await using var gateway = await ContentGateway.StartAsync(store, federation: null, new ContentGatewayOptions(), Cancel);
        using var folder = new TemporaryFolder();
        using var embedded = new BlockStore(folder.Path);
        using var fetcher = new ContentFetcher(new ContentFetcherOptions { AllowPrivateAddresses = true }, TimeProvider.System);
        Assert.Equal(gateway.BaseAddress, (await fetcher.FetchFileAsync(root, [gateway.BaseAddress], size, embedded, Cancel)).ServedBy);
        Assert.Equal(content, await ReadAsync(embedded, root));
        Assert.False((await fetcher.FetchFileAsync(Cid.OfRawBlock("nowhere"u8), [gateway.BaseAddress], 10, embedded, Cancel)).IsComplete);
    }

    private static async Task<byte[]> ReadAsync(IContentStore store, Cid cid)
    {
        using var copy = new MemoryStream();
        await store.CopyFileAsync(cid, copy, cancellationToken: Cancel);
        return copy.ToArray();
    }

    /// <summary>The nodes, started when the first test asks for one, which is then skipped if they can't be.</summary>
    public sealed class Nodes : IAsyncDisposable
    {
        private readonly TemporaryFolder _folder = new();
        private readonly List<(IpfsNode Node, KuboStore Store)> _started = [];

        internal async Task<(IpfsNode Node, KuboStore Store)> AtAsync(int index)
        {
            if (_started.Count == 0)
            {
                _started.AddRange((await IpfsNode.StartAsync(3, _folder.Path, Cancel)).Select(node => (node, node.OpenStore())));
            }

            return _started[index];
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var (node, store) in _started)
            {
                store.Dispose();
                await node.DisposeAsync();
            }

            _folder.Dispose();
        }
    }
}

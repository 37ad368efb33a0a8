using FedChain.Node.Peer;
using FedChain.Node.Retention;
using FedChain.Protocol.Content;
using FedChain.Tests.Ipfs;

namespace FedChain.EndToEnd.Tests;

/// <summary>Rounds in which members keep their content in IPFS nodes of their own.</summary>
public sealed class IpfsFederationTests
{
    [Theory]
    [InlineData(3)]
    [InlineData(2)]
    public async Task Members_with_nodes_exchange_adapters_by_bitswap_and_with_the_others_through_endpoints(int withNodes)
    {
        using var folder = new TemporaryFolder();
        var nodes = await IpfsNode.StartAsync(withNodes, folder.Path, TestContext.Current.CancellationToken);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(8));
        await using var federation = await TestFederation.FoundAsync(members: 3, rounds: 1, steps: 1);
        var peers = new List<RunningPeer>();
        try
        {
            for (var i = 0; i < 3; i++)
            {
                var home = federation.HomeOf(i);
                home.Save(home.Settings with { Ipfs = i < withNodes ? nodes[i].Api.ToString() : null });
                peers.Add(await RunningPeer.StartAsync(home, federation.Passphrase, new IntegerTrainer(federation.Layout, i + 1), limit.Token));
            }

            foreach (var peer in peers)
            {
                Assert.True((await peer.SeenAsync<PeerEvent.RoundEnded>()).Finalised);
            }

            for (var i = 0; i < withNodes; i++)
            {
                // What another node's owner published came from the own node. The rest may have, once one of them had fetched it.
                var byBitswap = peers[i].Events.OfType<PeerEvent.UpdateHeld>().Where(e => e.Of <= withNodes).ToList();
                Assert.Equal(withNodes - 1, byBitswap.Count);
                Assert.All(byBitswap, e => Assert.True(IsFromNode(e, nodes[i]), e.From));
                await nodes[i].ReceivedAsync(byBitswap.Sum(e => e.Bytes), limit.Token);
                var embedded = new DirectoryInfo(federation.HomeOf(i).StorePath);
                Assert.False(embedded.Exists && embedded.EnumerateFiles("*", SearchOption.AllDirectories).Any()); // all of it lies in the node
            }

            foreach (var member in Enumerable.Range(1, 3).Where(member => member > withNodes))
            {
                Assert.Contains(
                    peers.Take(withNodes).SelectMany(p => p.Events.OfType<PeerEvent.UpdateHeld>()),
                    e => e.Of == member && !nodes.Any(node => IsFromNode(e, node)));
            }
        }
        finally
        {
            foreach (var peer in peers)
            {
                await peer.DisposeAsync();
            }

            foreach (var node in nodes)
            {
                await node.DisposeAsync();
            }
        }

        await federation.Reader.ReadAsync(limit.Token);
        var round = federation.Reader.State.Rounds.Single();
        Assert.Equal(3, round.Submissions.Length);
        Assert.NotNull(round.Winner);
    }

    [Fact]
    public async Task A_home_that_is_given_a_node_takes_what_it_holds_there()
    {
        using var folder = new TemporaryFolder();
        var cancellation = TestContext.Current.CancellationToken;
        await using var node = (await IpfsNode.StartAsync(1, folder.Path, cancellation)).Single();
        await using var federation = await TestFederation.FoundAsync(members: 2, rounds: 1, steps: 1);
        await using (var first = await RunningPeer.StartAsync(federation.HomeOf(0), federation.Passphrase, new IntegerTrainer(federation.Layout, 1), cancellation))
        await using (var second = await RunningPeer.StartAsync(federation.HomeOf(1), federation.Passphrase, new IntegerTrainer(federation.Layout, 2), cancellation))
        {
            await first.SeenAsync<PeerEvent.RoundEnded>();
        }

        var home = federation.HomeOf(0);
        home.Save(home.Settings with { Ipfs = node.Api.ToString() });
        await using var peer = await RunningPeer.StartAsync(home, federation.Passphrase, new IdleTrainer(federation.Layout), cancellation);
        Assert.Equal(6, (await peer.SeenAsync<PeerEvent.Restocked>()).Files); // two updates, the aggregate, and the manifest of each
        await federation.Reader.ReadAsync(cancellation);
        using var store = node.OpenStore();
        var inventory = await Inventory.TakeAsync(home, federation.Reader.State, home.Settings.ChainId!.Value, store, Inventory.UsualRounds, cancellation);
        Assert.Equal(6, inventory.Needed.Count);
        Assert.Subset((HashSet<Cid>)await store.PinsAsync(cancellation), (HashSet<Cid>)inventory.Needed);
    }

    /// <summary>js-ipfs knows no offline mode: asked for what it has, it fetches from its peers, and has it then.</summary>
    private static bool IsFromNode(PeerEvent.UpdateHeld held, IpfsNode node) => held.From == "already here" || held.From == $"served by {node.Api}";
}

using FedChain.Node.Peer;
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

    /// <summary>js-ipfs knows no offline mode: asked for what it has, it fetches from its peers, and has it then.</summary>
    private static bool IsFromNode(PeerEvent.UpdateHeld held, IpfsNode node) => held.From == "already here" || held.From == $"served by {node.Api}";
}

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
                // What another node's owner published came from the own node (which may have found it when it was asked whether it has it), and what the
                // others did from their endpoints.
                var held = peers[i].Events.OfType<PeerEvent.UpdateHeld>().ToList();
                Assert.Equal(2, held.Count);
                Assert.All(held, e => Assert.Equal(e.Of <= withNodes, e.From == $"served by {nodes[i].Api}" || e.From == "already here"));
                await nodes[i].ReceivedAsync(held.Where(e => e.Of <= withNodes).Sum(e => e.Bytes), limit.Token);
                var embedded = new DirectoryInfo(federation.HomeOf(i).StorePath);
                Assert.False(embedded.Exists && embedded.EnumerateFiles("*", SearchOption.AllDirectories).Any()); // all of it lies in the node
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
}

using System.Net.Http.Headers;
using FedChain.Network.Chain;
using FedChain.Network.Tests.Content;
using FedChain.Node.Demo;
using FedChain.Node.LocalChain;
using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Abi;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Tests;
using Microsoft.AspNetCore.Http;

namespace FedChain.EndToEnd.Tests;

/// <summary>Peers that reach the chain through two nodes, of which the preferred one fails while a round is under way.</summary>
public sealed class NodeFailoverTests
{
    private const int Members = 3;

    [Fact]
    public async Task Rounds_go_on_when_the_node_in_use_dies_lags_or_leads_to_another_chain()
    {
        await using var scene = await Scene.StartAsync(rounds: 3);
        using var folder = new TemporaryFolder();
        await scene.Control.DumpAsync(folder["stale.json"]);
        await using var stale = await scene.CopyAsync(folder["stale.json"]);
        await using var stranger = await AnvilChain.StartAsync(new AnvilOptions { RepositoryRoot = Shared.RepositoryRoot, ChainId = 1 }, scene.Cancellation);

        // In each round one member submits, then its node fails, and then the others train. Until the next round the node works again.
        await scene.GoThroughAsync(new RoundId(1), () => scene.First.IsOut = true, "can't be reached");
        await scene.HealAsync(() => scene.First.IsOut = false);
        await scene.GoThroughAsync(new RoundId(2), () => scene.Behind = stale.RpcUrl, "atest block");
        await scene.HealAsync(() => scene.Behind = scene.Federation.Chain.RpcUrl);
        await scene.GoThroughAsync(new RoundId(3), () => scene.Behind = stranger.RpcUrl, "chain 1");
        await scene.EverythingLandedOnceAsync(rounds: 3);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(15)]
    public async Task A_round_goes_on_when_its_node_dies_on_a_chain_with_a_block_every_so_many_seconds(ulong blockTime)
    {
        await using var scene = await Scene.StartAsync(rounds: 1, blockTime);
        await scene.GoThroughAsync(new RoundId(1), () => scene.First.IsOut = true, "can't be reached");
        await scene.EverythingLandedOnceAsync(rounds: 1);
        var times = new List<ulong>();
        for (var number = scene.Federation.Reader.Head!.Number - 4; number <= scene.Federation.Reader.Head.Number; number++)
        {
            times.Add((await scene.Federation.Client.GetBlockAsync(BlockTag.Number(number), scene.Cancellation))!.Timestamp);
        }

        Assert.All(times.Zip(times.Skip(1)), t => Assert.Equal(blockTime, t.Second - t.First));
    }

    /// <summary>Three peers, each with a proxy before its preferred node and the node itself in reserve.</summary>
    private sealed class Scene : IAsyncDisposable
    {
        private readonly List<RunningPeer> _peers = [];
        private readonly List<GatedTrainer> _trainers = [];
        private readonly CancellationTokenSource _limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        private readonly CancellationTokenSource _stopMining = new();
        private readonly HttpClient _http = new();
        private Task _mining = Task.CompletedTask;
        private TestServer? _switch;
        private FaultyProxy? _first;

        private Scene(TestFederation federation)
        {
            (Federation, Control, Behind) = (federation, new AnvilControl(federation.Chain.RpcUrl), federation.Chain.RpcUrl);
            _limit.CancelAfter(TimeSpan.FromMinutes(8));
        }

        public TestFederation Federation { get; }

        public AnvilControl Control { get; }

        /// <summary>What lies before the node that all peers prefer.</summary>
        public FaultyProxy First => _first!;

        /// <summary>The node to which that leads. It changes from one request to the next, as it may behind a provider's address.</summary>
        public Uri Behind { get; set; }

        public CancellationToken Cancellation => _limit.Token;

        public static async Task<Scene> StartAsync(int rounds, ulong? blockTime = null)
        {
            const uint Day = 24 * 3600; // with 15 s a block the chain's clock runs far ahead of ours
            var federation = await TestFederation.FoundAsync(Members, rounds, steps: 1, DemoDefaults.Params(rounds) with { Training = Day, Publishing = Day, Attesting = Day });
            var scene = new Scene(federation);
            try
            {
                scene._switch = await TestServer.StartAsync(scene.ForwardAsync);
                scene._first = new FaultyProxy(scene._switch.Address, seed: 1);
                if (blockTime is { } seconds)
                {
                    scene._mining = scene.Control.MineAsync(seconds, TimeSpan.FromMilliseconds(200), scene._stopMining.Token);
                }

                for (var i = 0; i < Members; i++)
                {
                    var home = federation.HomeOf(i);
                    home.Save(home.Settings with { Rpc = [scene.First.Address.ToString(), federation.Chain.RpcUrl.ToString()] });
                    scene._trainers.Add(new GatedTrainer(new IntegerTrainer(federation.Layout, i + 1)));
                    scene._peers.Add(await RunningPeer.StartAsync(home, federation.Passphrase, scene._trainers[i], scene.Cancellation));
                }

                return scene;
            }
            catch
            {
                await scene.DisposeAsync();
                throw;
            }
        }

        /// <summary>Another node of the chain, which no longer hears of new blocks.</summary>
        public async Task<AnvilChain> CopyAsync(string state)
        {
            var copy = await AnvilChain.StartAsync(new AnvilOptions { RepositoryRoot = Shared.RepositoryRoot, StateFile = state }, Cancellation);
            using var control = new AnvilControl(copy.RpcUrl);
            await control.StopMiningAsync();
            return copy;
        }

        /// <param name="fail">What happens to the node when one member has submitted and the others are still training.</param>
        /// <param name="reason">What the peers must say of it.</param>
        public async Task GoThroughAsync(RoundId round, Action fail, string reason)
        {
            _trainers[0].Open(round);
            await _peers[0].SeenAsync<PeerEvent.Submitted>(e => e.Round == round.Value);
            var before = _peers.ConvertAll(p => p.Events.OfType<PeerEvent.NodeInUse>().Count());
            fail();
            _trainers.ForEach(t => t.Open(round));
            foreach (var (peer, seen) in _peers.Zip(before))
            {
                Assert.True((await peer.SeenAsync<PeerEvent.RoundEnded>(e => e.Round == round.Value)).Finalised);
                await peer.SeenAsync<PeerEvent.NodeInUse>(e => e.Before == First.Address.Authority && e.Reason!.Contains(reason, StringComparison.Ordinal));
                Assert.Contains(peer.Events.OfType<PeerEvent.NodeInUse>().Skip(seen), e => e.Node == Federation.Chain.RpcUrl.Authority);
                Assert.DoesNotContain(peer.Events, e => e is PeerEvent.Reorganised);
            }
        }

        /// <summary>Returns when all peers ask their preferred node again.</summary>
        public async Task HealAsync(Action heal)
        {
            var before = _peers.ConvertAll(p => p.Events.OfType<PeerEvent.NodeInUse>().Count());
            heal();
            foreach (var (peer, seen) in _peers.Zip(before))
            {
                await peer.SeenAsync<PeerEvent.NodeInUse>(e => e.Node == First.Address.Authority && peer.Events.OfType<PeerEvent.NodeInUse>().Skip(seen).Contains(e));
            }
        }

        /// <summary>Every member is in every aggregate, and no account has said anything of a round twice, not even in vain.</summary>
        public async Task EverythingLandedOnceAsync(int rounds)
        {
            await Federation.Reader.ReadAsync(Cancellation);
            var state = Federation.Reader.State;
            Assert.Equal(rounds, state.Rounds.Count);
            Assert.All(state.Rounds, round =>
            {
                Assert.Equal([1u, 2u, 3u], round.Submissions.Select(s => s.Member.Value).Order());
                Assert.NotNull(round.Winner);
            });
            var sent = await Control.TransactionsAsync();
            Assert.Equal(Members * rounds, Of(RoundsAbi.Submit).Count);
            foreach (var call in (AbiFunction[])[RoundsAbi.Submit, RoundsAbi.Publish, RoundsAbi.Attest])
            {
                Assert.Equal(Of(call).Distinct(), Of(call));
            }

            List<(Address From, ulong Round)> Of(AbiFunction call) =>
                [.. sent.Where(t => t.Input.AsSpan().StartsWith(call.Selector.ToArray())).Select(t => (t.From, call.DecodeInput(t.Input).UInt64(0)))];
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var peer in _peers)
            {
                await peer.DisposeAsync();
            }

            await _stopMining.CancelAsync();
            await _mining;
            await (_first?.DisposeAsync() ?? ValueTask.CompletedTask);
            await (_switch?.DisposeAsync() ?? ValueTask.CompletedTask);
            _http.Dispose();
            Control.Dispose();
            await Federation.DisposeAsync();
            _stopMining.Dispose();
            _limit.Dispose();
        }

        private async Task ForwardAsync(HttpContext context)
        {
            using var body = new StreamContent(context.Request.Body);
            body.Headers.ContentType = MediaTypeHeaderValue.Parse(context.Request.ContentType!);
            using var answer = await _http.PostAsync(Behind, body, context.RequestAborted);
            context.Response.ContentType = answer.Content.Headers.ContentType?.ToString();
            await answer.Content.CopyToAsync(context.Response.Body, context.RequestAborted);
        }
    }
}

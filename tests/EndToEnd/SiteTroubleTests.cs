using FedChain.Node.Demo;
using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Tests;

namespace FedChain.EndToEnd.Tests;

/// <summary>One of three sites is slow, silent, cut off or has a wrong clock: that costs at most its contribution, and never the round.</summary>
public sealed class SiteTroubleTests
{
    private const int Members = 3;
    private const uint Day = 24 * 3600;

    [Fact]
    public async Task A_site_that_is_slower_than_the_deadline_costs_its_contribution_and_is_in_the_next_round()
    {
        await using var scene = await Scene.FoundAsync(rounds: 2);
        var slow = new GatedTrainer(new IntegerTrainer(scene.Federation.Layout, 1));
        await scene.StartAsync(slow);
        await scene.OthersSubmitAsync(round: 1);
        await scene.Control.AdvanceAsync(Day);
        Assert.True((await scene.Troubled.SeenAsync<PeerEvent.RoundEnded>(e => e.Round == 1)).Finalised);
        slow.Open(new RoundId(1)); // now it would have been ready
        slow.Open(new RoundId(2));
        await scene.EndsAsync(round: 2);
        await scene.SubmittedAsync([2, 3], [1, 2, 3]);
    }

    [Fact]
    public async Task A_site_that_never_answers_costs_its_contributions_and_no_round()
    {
        await using var scene = await Scene.FoundAsync(rounds: 3);
        await scene.StartAsync(new EndlessTrainer(scene.Federation.Layout));
        for (var round = 1UL; round <= 3; round++)
        {
            await scene.OthersSubmitAsync(round);
            await scene.Control.AdvanceAsync(Day);
            await scene.EndsAsync(round);
        }

        await scene.SubmittedAsync([2, 3], [2, 3], [2, 3]);
    }

    [Fact]
    public async Task A_site_that_is_cut_off_from_the_chain_while_a_round_ends_hears_of_its_end_and_goes_on()
    {
        await using var scene = await Scene.FoundAsync(rounds: 2);
        await using var link = new FaultyProxy(scene.Federation.Chain.RpcUrl, seed: 1);
        var trainer = new GatedTrainer(new IntegerTrainer(scene.Federation.Layout, 1));
        await scene.StartAsync(trainer, rpc: link.Address);
        await scene.OthersSubmitAsync(round: 1);
        link.IsOut = true;
        await scene.Control.AdvanceAsync(Day);
        await scene.OthersSubmitAsync(round: 2); // this round is open by now, and waits for the one that is cut off
        Assert.DoesNotContain(scene.Troubled.Events, e => e is PeerEvent.RoundEnded);
        link.IsOut = false;
        Assert.True((await scene.Troubled.SeenAsync<PeerEvent.RoundEnded>(e => e.Round == 1)).Finalised);
        trainer.Open(new RoundId(2));
        await scene.EndsAsync(round: 2);
        await scene.SubmittedAsync([2, 3], [1, 2, 3]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(8)] // all but the opening of the round before: one more would undo the founding, which is done by hand
    public async Task A_reorganisation_undoes_what_members_did_and_they_do_it_again(int depth)
    {
        await using var scene = await Scene.FoundAsync(rounds: 3);
        var trainer = new GatedTrainer(new IntegerTrainer(scene.Federation.Layout, 1));
        await scene.StartAsync(trainer);
        for (var round = 1UL; round <= 3; round++)
        {
            trainer.Open(new RoundId(round));
            await scene.EndsAsync(round);
            if (round < 3)
            {
                await scene.OthersSubmitAsync(round + 1); // and wait for the first; the chain rests
                await scene.Control.ReorganiseAsync(depth);
                await scene.SubmittedAgainAsync(new RoundId(round + 1), [2, 3]);
            }
        }

        await scene.SubmittedAsync([1, 2, 3], [1, 2, 3], [1, 2, 3]);
    }

    [Theory]
    [InlineData(-90)]
    [InlineData(90)]
    [InlineData(-3 * (int)Day)]
    [InlineData(3 * (int)Day)]
    public async Task A_site_whose_clock_is_off_contributes_like_the_others(int seconds)
    {
        await using var scene = await Scene.FoundAsync(rounds: 2);
        await scene.StartAsync(new IntegerTrainer(scene.Federation.Layout, 1), time: new OffsetTime(TimeSpan.FromSeconds(seconds)));
        await scene.Troubled.SeenAsync<PeerEvent.Submitted>(e => e.Round == 1);
        scene.OthersMayTrain();
        await scene.EndsAsync(round: 2);
        await scene.SubmittedAsync([1, 2, 3], [1, 2, 3]);
    }

    /// <summary>A clock that is set wrong, and runs as fast as others.</summary>
    private sealed class OffsetTime(TimeSpan off) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + off;
    }

    /// <summary>Three peers, of which the first has the trouble. Windows are a day, so that time passes where a test lets it.</summary>
    private sealed class Scene : IAsyncDisposable
    {
        private readonly List<RunningPeer> _peers = [];
        private readonly TaskCompletionSource _othersMayTrain = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly CancellationTokenSource _limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);

        private Scene(TestFederation federation)
        {
            (Federation, Control) = (federation, new AnvilControl(federation.Chain.RpcUrl));
            _limit.CancelAfter(TimeSpan.FromMinutes(8));
        }

        public TestFederation Federation { get; }

        public AnvilControl Control { get; }

        public RunningPeer Troubled => _peers[0];

        public static async Task<Scene> FoundAsync(int rounds) => new(await TestFederation.FoundAsync(
            Members, rounds, steps: 1, DemoDefaults.Params(rounds) with { Training = Day, Publishing = Day, Attesting = Day }));

        /// <param name="trainer">The first one's.</param>
        /// <param name="rpc">Where the first one reaches the chain, if not directly.</param>
        /// <param name="time">The first one's clock, if not the right one; the others then wait with their training until they may.</param>
        public async Task StartAsync(ILocalTrainer trainer, Uri? rpc = null, TimeProvider? time = null)
        {
            for (var i = 0; i < Members; i++)
            {
                var home = Federation.HomeOf(i);
                if (i == 0 && rpc is not null)
                {
                    home.Save(home.Settings with { Rpc = [rpc.ToString()] });
                }

                ILocalTrainer other = new IntegerTrainer(Federation.Layout, i + 1);
                other = time is null ? other : new HeldTrainer(other, _othersMayTrain.Task);
                _peers.Add(await RunningPeer.StartAsync(home, Federation.Passphrase, i == 0 ? trainer : other, _limit.Token, time: i == 0 ? time : null));
            }
        }

        public void OthersMayTrain() => _othersMayTrain.SetResult();

        public async Task OthersSubmitAsync(ulong round)
        {
            foreach (var peer in _peers.Skip(1))
            {
                await peer.SeenAsync<PeerEvent.Submitted>(e => e.Round == round);
            }
        }

        public async Task EndsAsync(ulong round)
        {
            foreach (var peer in _peers)
            {
                Assert.True((await peer.SeenAsync<PeerEvent.RoundEnded>(e => e.Round == round)).Finalised);
            }
        }

        /// <summary>Waits until the chain, as it stands now, has these members' submissions.</summary>
        public async Task SubmittedAgainAsync(RoundId round, IReadOnlyList<uint> members)
        {
            do
            {
                await Task.Delay(20, _limit.Token);
                await Federation.Reader.ReadAsync(_limit.Token);
            }
            while (Federation.Reader.State.Round(round)?.Submissions.Select(s => s.Member.Value).Order().SequenceEqual(members) != true);
        }

        /// <param name="members">Of each round, who submitted.</param>
        public async Task SubmittedAsync(params uint[][] members)
        {
            await Federation.Reader.ReadAsync(_limit.Token);
            Assert.Equal(members, Federation.Reader.State.Rounds.Select(r => r.Submissions.Select(s => s.Member.Value).Order().ToArray()));
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var peer in _peers)
            {
                await peer.DisposeAsync();
            }

            Control.Dispose();
            await Federation.DisposeAsync();
            _limit.Dispose();
        }
    }
}

using FedChain.Node.Backups;
using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Files;
using FedChain.Protocol.Rounds;

namespace FedChain.EndToEnd.Tests;

/// <summary>The drill: a home is lost in the middle of a round and comes back from its backup.</summary>
public sealed class RestoreTests
{
    private const string Passphrase = "a backup's own";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_home_lost_after_training_comes_back_with_its_update_which_counts_once(bool afterSubmission)
    {
        await using var federation = await TestFederation.FoundAsync(members: 3, rounds: 1, steps: 1);
        using var control = new AnvilControl(federation.Chain.RpcUrl);
        var cancellation = TestContext.Current.CancellationToken;
        var home = federation.HomeOf(0);
        var mayTrain = new TaskCompletionSource();
        var trainer = new HeldTrainer(new IntegerTrainer(federation.Layout, 1), mayTrain.Task);
        await using (var peer = await RunningPeer.StartAsync(home, federation.Passphrase, trainer, cancellation))
        {
            await peer.SeenAsync<PeerEvent.Opened>();
            if (!afterSubmission)
            {
                await control.SetBalanceAsync(federation.Members[0].Operator, 0);
            }

            mayTrain.SetResult();
            if (!afterSubmission)
            {
                await peer.SeenAsync<PeerEvent.Trouble>(e => e.What.StartsWith("submitting", StringComparison.Ordinal));
            }
            else
            {
                await peer.SeenAsync<PeerEvent.Submitted>();
            }

            await Backup.CreateAsync(home, federation.Home.Path + ".backup", () => Passphrase, TimeProvider.System, cancellation, workFactor: 10); // while it runs
        }

        var manifest = OwnUpdate.DigestOf(OwnUpdate.AllOf(home).Single().ReadManifest()!);
        Directory.Delete(home.Path, recursive: true);
        await control.FundAsync(federation.Members[0].Operator);
        var (restored, _) = await Backup.RestoreAsync(federation.Home.Path + ".backup", home.Path + "-elsewhere", () => Passphrase, cancellation);

        var idle = new IdleTrainer(federation.Layout);
        List<RunningPeer> peers = [await RunningPeer.StartAsync(restored, federation.Passphrase, idle, cancellation)];
        for (var i = 1; i < 3; i++)
        {
            peers.Add(await RunningPeer.StartAsync(federation.HomeOf(i), federation.Passphrase, new IntegerTrainer(federation.Layout, i + 1), cancellation));
        }

        await EndAsync(peers);
        await federation.Reader.ReadAsync(cancellation);
        var round = federation.Reader.State.Rounds.Single();
        Assert.Equal(0, idle.Asked);
        Assert.Equal(manifest, Assert.Single(round.Submissions, s => s.Member == new MemberId(1)).Manifest);
        Assert.Equal([1u, 2u, 3u], round.Submissions.Select(s => s.Member.Value).Order());
        var start = Adapter.First(federation.Layout, default, 20);
        using var file = File.OpenRead(restored.AdapterFile(round.Winner!.Aggregate));
        Assert.Equal(start.Values.ToArray().Select(v => v + 2), AdapterFile.Read(file, file.Length, 20, federation.Layout, out _).Values.ToArray());
    }

    [Fact]
    public async Task A_backup_from_before_the_training_submits_nothing_twice_and_still_attests()
    {
        await using var federation = await TestFederation.FoundAsync(members: 3, rounds: 1, steps: 1);
        using var control = new AnvilControl(federation.Chain.RpcUrl);
        var cancellation = TestContext.Current.CancellationToken;
        var home = federation.HomeOf(0);
        await Backup.CreateAsync(home, federation.Home.Path + ".backup", () => Passphrase, TimeProvider.System, cancellation, workFactor: 10);
        PeerEvent.Submitted submitted;
        await using (var peer = await RunningPeer.StartAsync(home, federation.Passphrase, new IntegerTrainer(federation.Layout, 1), cancellation))
        {
            submitted = await peer.SeenAsync<PeerEvent.Submitted>();
        }

        Directory.Delete(home.Path, recursive: true); // before the close, so nobody ever saw the update
        var (restored, _) = await Backup.RestoreAsync(federation.Home.Path + ".backup", home.Path, () => Passphrase, cancellation);
        var idle = new IdleTrainer(federation.Layout);
        await using var lacking = await RunningPeer.StartAsync(restored, federation.Passphrase, idle, cancellation);
        Assert.Equal(submitted.Manifest, (await lacking.SeenAsync<PeerEvent.UpdateMissing>()).Manifest);

        await using var second = await RunningPeer.StartAsync(federation.HomeOf(1), federation.Passphrase, new IntegerTrainer(federation.Layout, 2), cancellation);
        await using (var third = await RunningPeer.StartAsync(federation.HomeOf(2), federation.Passphrase, new IntegerTrainer(federation.Layout, 3), cancellation))
        {
            // Once both others hold its update the third goes away: the quorum of two needs the restored peer's attestation.
            await Task.WhenAll(lacking.SeenAsync<PeerEvent.UpdateHeld>(e => e.Of == 3), second.SeenAsync<PeerEvent.UpdateHeld>(e => e.Of == 3), lacking.SeenAsync<PeerEvent.UpdateHeld>(e => e.Of == 2));
        }

        await PassTimeAsync(federation, control, [lacking, second]);
        await EndAsync([lacking, second]);
        await federation.Reader.ReadAsync(cancellation);
        var round = federation.Reader.State.Rounds.Single();
        Assert.Equal(0, idle.Asked);
        Assert.Equal(3, round.Submissions.Length);
        Assert.Contains(new MemberId(1), round.Winner!.Votes.Keys);
        var start = Adapter.First(federation.Layout, default, 20);
        using var file = File.OpenRead(restored.AdapterFile(round.Winner.Aggregate));
        Assert.Equal(start.Values.ToArray().Select(v => v + 2), AdapterFile.Read(file, file.Length, 20, federation.Layout, out _).Values.ToArray()); // half of 2 + 3, to even
    }

    [Fact]
    public async Task What_others_fetched_before_the_loss_they_give_back()
    {
        await using var federation = await TestFederation.FoundAsync(members: 2, rounds: 1, steps: 1);
        using var control = new AnvilControl(federation.Chain.RpcUrl);
        var cancellation = TestContext.Current.CancellationToken;
        var home = federation.HomeOf(0);
        await Backup.CreateAsync(home, federation.Home.Path + ".backup", () => Passphrase, TimeProvider.System, cancellation, workFactor: 10);
        RunningPeer second;
        await using (var peer = await RunningPeer.StartAsync(home, federation.Passphrase, new IntegerTrainer(federation.Layout, 1), cancellation))
        {
            await peer.SeenAsync<PeerEvent.Submitted>();
            await control.SetBalanceAsync(federation.Members[0].Operator, 0); // it can serve, but neither publish nor attest
            second = await RunningPeer.StartAsync(federation.HomeOf(1), federation.Passphrase, new IntegerTrainer(federation.Layout, 2), cancellation);
            await second.SeenAsync<PeerEvent.UpdateHeld>(e => e.Of == 1);
        }

        Directory.Delete(home.Path, recursive: true);
        await control.FundAsync(federation.Members[0].Operator);
        var (restored, _) = await Backup.RestoreAsync(federation.Home.Path + ".backup", home.Path, () => Passphrase, cancellation);
        await using var lacking = await RunningPeer.StartAsync(restored, federation.Passphrase, new IdleTrainer(federation.Layout), cancellation);
        await lacking.SeenAsync<PeerEvent.UpdateHeld>(e => e.Of == 1);
        await EndAsync([lacking, second]);
        await federation.Reader.ReadAsync(cancellation);
        Assert.Equal(2, federation.Reader.State.Rounds.Single().Winner!.Votes.Count);
    }

    private static async Task EndAsync(List<RunningPeer> peers)
    {
        await Task.WhenAll(peers.Select(p => p.SeenAsync<PeerEvent.RoundEnded>()));
        foreach (var peer in peers)
        {
            await peer.DisposeAsync();
        }
    }

    /// <summary>Moves the chain's time to each deadline that the round waits for, and no further.</summary>
    private static async Task PassTimeAsync(TestFederation federation, AnvilControl control, IReadOnlyList<RunningPeer> peers)
    {
        var cancellation = TestContext.Current.CancellationToken;
        await federation.Reader.ReadAsync(cancellation);
        var round = federation.Reader.State.Rounds.Single();
        await control.AdvanceAsync(round.ClosesAt + (round.PublishWindow / 3) + 1 - federation.Reader.Head!.Timestamp);
        await Task.WhenAll(peers.Select(p => p.SeenAsync<PeerEvent.HoldingsSigned>()));
        while (peers.All(p => p.IsRunning))
        {
            await federation.Reader.ReadAsync(cancellation);
            round = federation.Reader.State.Rounds.Single();
            var head = federation.Reader.Head!.Timestamp;
            if (round.PhaseAt(head) is not Phase.Aggregation phase)
            {
                return;
            }

            var isGone = round.AggregatorOf(phase.Turn).Member == new MemberId(3);
            var due = isGone ? phase.Until : phase.Since + ((phase.Until - phase.Since) / 2) + 1;
            if (head < due)
            {
                await control.AdvanceAsync(due - head);
            }

            await Task.Delay(50, cancellation);
        }
    }
}

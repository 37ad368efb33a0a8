using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using FedChain.Node.Audit;
using FedChain.Node.Demo;
using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.EndToEnd.Tests;

public sealed class PeerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    [Fact]
    public async Task A_lying_aggregator_is_rejected_and_its_turn_passes_on()
    {
        await using var federation = await TestFederation.FoundAsync(members: 4, rounds: 1, steps: 1);
        var events = new ConcurrentQueue<PeerEvent>();
        var lies = 0;
        using var patience = Limit();
        var liar = new Deceit { Publish = (_, adapter) => Interlocked.Increment(ref lies) == 1 ? Altered(adapter) : adapter };
        var peers = await StartAllAsync(federation, events, liar, patience.Token);
        await RunAllAsync(peers, (state, _) => state.Current is { FinalisedAt: not null } or { AbortedAt: not null }, patience.Token);

        await federation.Reader.ReadAsync(patience.Token);
        var round = federation.Reader.State.Rounds.Single();
        Assert.Equal(2, round.Candidates.Length);
        Assert.NotNull(round.Candidates[0].RejectedAt);
        Assert.Equal(round.AggregatorOf(1).Member, round.Winner!.Aggregator);
        Assert.NotEqual(round.Candidates[0].Aggregator, round.Winner.Aggregator);
        Assert.Contains(events.OfType<PeerEvent.Attested>(), e => !e.Valid && e.Turn == 0 && e.Reason.Contains(round.Candidates[0].Aggregate.ToString(), StringComparison.Ordinal));
        using var keys = federation.HomeOf(0).UnlockPeerKeys(federation.Passphrase);
        var request = new AuditRequest
        {
            Federation = federation.Address,
            Stores = [.. federation.Members.Select(m => Path.Combine(m.Home, "store"))],
            AllowPrivate = true,
            Key = AuditKey.OfMember(federation.Reader.State, keys),
        };
        var audit = await Auditor.RunAsync(federation.Client, request, TimeProvider.System, patience.Token);
        Assert.True(audit.Ok, string.Join("\n", audit.Checks.Where(c => c.Result != CheckResult.Held)));
        Assert.Contains(audit.Checks, c => c.Name == "turn-0" && c.Detail.StartsWith("wrong, and not final", StringComparison.Ordinal));
        Assert.Contains(audit.Checks, c => c.Name == "recomputed" && c.Detail.Contains(round.Winner.Aggregate.ToString(), StringComparison.Ordinal));
        Assert.Equal(4, audit.Checks.Count(c => c.Name.StartsWith("opened-update-", StringComparison.Ordinal) && c.Detail.StartsWith("opened as published", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task The_result_is_the_mean_and_every_member_holds_it()
    {
        await using var federation = await TestFederation.FoundAsync(members: 3, rounds: 2, steps: 1);
        using var patience = Limit();
        var peers = await StartAllAsync(federation, new ConcurrentQueue<PeerEvent>(), deceit: null, patience.Token);
        await RunAllAsync(peers, (state, _) => state.Round(new RoundId(2)) is { FinalisedAt: not null }, patience.Token);

        await federation.Reader.ReadAsync(patience.Token);
        var winner = federation.Reader.State.Round(new RoundId(2))!.Winner!;
        var first = Adapter.First(federation.Layout, default, 20);
        using var file = File.OpenRead(federation.HomeOf(0).AdapterFile(winner.Aggregate));
        var adapter = AdapterFile.Read(file, file.Length, 20, federation.Layout, out _);
        Assert.Equal(first.Values.ToArray().Select(v => v + 4), adapter.Values.ToArray()); // mean of 1, 2, 3 in each of two rounds
        Assert.True(federation.Members.Count(m => File.Exists(Node.Homes.HomeFolder.Open(m.Home).AdapterFile(winner.Aggregate))) >= Quorum.Of(3));
    }

    [Fact]
    public async Task Under_a_policy_that_requires_it_all_files_are_sealed_post_quantum_and_opened()
    {
        await using var federation = await TestFederation.FoundAsync(members: 3, rounds: 1, steps: 1, change: p => p with { PostQuantum = true });
        using var patience = Limit();
        var peers = await StartAllAsync(federation, new ConcurrentQueue<PeerEvent>(), deceit: null, patience.Token);
        await RunAllAsync(peers, (state, _) => state.Current is { FinalisedAt: not null } or { AbortedAt: not null }, patience.Token);

        await federation.Reader.ReadAsync(patience.Token);
        Assert.NotNull(federation.Reader.State.Rounds.Single().Winner);
        var updates = federation.Members.SelectMany(m => Directory.EnumerateFiles(m.Home, "update.age", SearchOption.AllDirectories)).ToList();
        Assert.Equal(3, updates.Count);
        foreach (var update in updates)
        {
            var stanzas = File.ReadLines(update, System.Text.Encoding.Latin1).TakeWhile(l => !l.StartsWith("---", StringComparison.Ordinal)).Where(l => l.StartsWith("-> ", StringComparison.Ordinal)).ToList();
            Assert.Equal(3, stanzas.Count);
            Assert.All(stanzas, s => Assert.StartsWith("-> mlkem768x25519 ", s, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task A_peer_that_is_killed_goes_on_where_it_was_and_submits_what_it_had_trained()
    {
        await using var federation = await TestFederation.FoundAsync(members: 3, rounds: 1, steps: 40);
        using var patience = Limit();
        byte[]? manifest = null;
        var processes = Enumerable.Range(0, 3).Select(i => StartProcess(federation, i)).ToList();
        try
        {
            processes.ForEach(p => p.BeginErrorReadLine());
            processes.Skip(1).ToList().ForEach(p => p.BeginOutputReadLine());
            await WaitForAsync(processes[0], "\"trained\"", patience.Token);
            while ((manifest = ManifestOf(federation.Members[0].Home)) is null)
            {
                await Task.Delay(5, patience.Token);
            }

            processes[0].Kill(entireProcessTree: true);
            await processes[0].WaitForExitAsync(patience.Token);
            processes[0].Dispose();
            processes[0] = StartProcess(federation, 0);
            while (federation.Reader.State.Current is not { FinalisedAt: not null })
            {
                await Task.Delay(200, patience.Token);
                await federation.Reader.ReadAsync(patience.Token);
            }
        }
        finally
        {
            processes.ForEach(p => p.Kill(entireProcessTree: true));
            processes.ForEach(p => p.Dispose());
        }

        var round = federation.Reader.State.Rounds.Single();
        Assert.Equal([1u, 2u, 3u], round.Submissions.Select(s => s.Member.Value).Order());
        Assert.NotNull(round.Winner);
        Assert.Equal(new Hash256(SHA256.HashData(manifest!)), round.SubmissionOf(new MemberId(1))!.Manifest);

        static byte[]? ManifestOf(string home) =>
            Directory.EnumerateFiles(Path.Combine(home, "rounds"), "update.manifest", SearchOption.AllDirectories).Select(File.ReadAllBytes).FirstOrDefault();
    }

    [Fact]
    public async Task An_aggregate_that_can_not_be_told_to_the_chain_is_sealed_once_however_often_that_is_tried()
    {
        const uint Day = 24 * 3600;
        await using var federation = await TestFederation.FoundAsync(members: 3, rounds: 1, steps: 1, DemoDefaults.Params(1) with { Publishing = Day });
        using var control = new AnvilControl(federation.Chain.RpcUrl);
        using var patience = Limit();
        await federation.Reader.ReadAsync(patience.Token);
        var operators = federation.Reader.State.Seats.Values.Select(s => s.Operator).ToList();
        var published = 0;
        var broke = new Deceit
        {
            Publish = (_, adapter) =>
            {
                published++;
                operators.ForEach(o => control.SetBalanceAsync(o, 0).GetAwaiter().GetResult());
                return adapter;
            },
        };
        var peers = new List<RunningPeer>();
        try
        {
            for (var i = 0; i < 3; i++)
            {
                peers.Add(await RunningPeer.StartAsync(federation.HomeOf(i), federation.Passphrase, new IntegerTrainer(federation.Layout, i + 1), patience.Token, broke));
            }

            await peers[0].SeenAsync<PeerEvent.Submitted>();
            while (!peers.Exists(p => p.Events.OfType<PeerEvent.Trouble>().Count(t => t.What.StartsWith("publishing in turn 0", StringComparison.Ordinal)) >= 3))
            {
                await Task.Delay(20, patience.Token);
            }

            await Task.WhenAll(operators.Select(control.FundAsync));
            Assert.True((await peers[0].SeenAsync<PeerEvent.RoundEnded>()).Finalised);
        }
        finally
        {
            foreach (var peer in peers)
            {
                await peer.DisposeAsync();
            }
        }

        Assert.Equal(1, published);
        Assert.Single(Enumerable.Range(0, 3).SelectMany(i => RoundFolder.PublishedIn(federation.HomeOf(i))));
    }

    [Fact]
    public async Task Who_trained_on_more_samples_than_weigh_claims_as_many_as_do()
    {
        await using var federation = await TestFederation.FoundAsync(
            members: 2, rounds: 1, steps: 1, change: p => p with { Rule = new AggregationRule.Mean(Weighting.Samples), WeightCap = 2 });
        using var patience = Limit();
        var peers = new List<RunningPeer>();
        try
        {
            peers.Add(await RunningPeer.StartAsync(federation.HomeOf(0), federation.Passphrase, new IntegerTrainer(federation.Layout, 3, samples: 240), patience.Token));
            peers.Add(await RunningPeer.StartAsync(federation.HomeOf(1), federation.Passphrase, new IntegerTrainer(federation.Layout, 6, samples: 1), patience.Token));
            foreach (var peer in peers)
            {
                Assert.True((await peer.SeenAsync<PeerEvent.RoundEnded>()).Finalised);
            }
        }
        finally
        {
            foreach (var peer in peers)
            {
                await peer.DisposeAsync();
            }
        }

        await federation.Reader.ReadAsync(patience.Token);
        using var file = File.OpenRead(federation.HomeOf(0).AdapterFile(federation.Reader.State.Current!.Winner!.Aggregate));
        var first = Adapter.First(federation.Layout, default, 20);
        Assert.Equal(first.Values.ToArray().Select(v => v + 4), AdapterFile.Read(file, file.Length, 20, federation.Layout, out _).Values.ToArray()); // (2 * 3 + 6) / 3
    }

    [Fact]
    public async Task A_training_that_diverges_costs_its_member_that_round_and_nobody_else_anything()
    {
        await using var federation = await TestFederation.FoundAsync(members: 3, rounds: 2, steps: 1);
        using var control = new AnvilControl(federation.Chain.RpcUrl);
        using var patience = Limit();
        var diverging = new DivergingTrainer(new IntegerTrainer(federation.Layout, 1));
        var peers = new List<RunningPeer>();
        try
        {
            for (var i = 0; i < 3; i++)
            {
                peers.Add(await RunningPeer.StartAsync(federation.HomeOf(i), federation.Passphrase, i == 0 ? diverging : new IntegerTrainer(federation.Layout, i + 1), patience.Token));
            }

            var diverged = await peers[0].SeenAsync<PeerEvent.Diverged>();
            Assert.Equal((1UL, 5, 3), (diverged.Round, diverged.Step, diverged.LastGoodStep));
            Assert.Contains("nothing to submit, the training diverged. The loss is no longer a finite number at step 5.", diverged.ToString(), StringComparison.Ordinal);
            await peers[1].SeenAsync<PeerEvent.Submitted>(e => e.Round == 1);
            await peers[2].SeenAsync<PeerEvent.Submitted>(e => e.Round == 1);
            await control.AdvanceAsync(1800); // the training phase waits for all three, and ends by time
            Assert.True((await peers[1].SeenAsync<PeerEvent.RoundEnded>(e => e.Round == 1)).Finalised);
            Assert.True((await peers[0].SeenAsync<PeerEvent.RoundEnded>(e => e.Round == 2)).Finalised);
        }
        finally
        {
            foreach (var peer in peers)
            {
                await peer.DisposeAsync();
            }
        }

        await federation.Reader.ReadAsync(patience.Token);
        Assert.Equal([2u, 3u], federation.Reader.State.Rounds[0].Submissions.Select(s => s.Member.Value).Order());
        Assert.Equal([1u, 2u, 3u], federation.Reader.State.Rounds[1].Submissions.Select(s => s.Member.Value).Order());
        Assert.Equal([new RoundId(1), new RoundId(2)], diverging.Asked);
        Assert.DoesNotContain(peers[0].Events, e => e is PeerEvent.Trouble { What: var what } && what.Contains("train", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_home_belongs_to_one_process_at_a_time()
    {
        await using var federation = await TestFederation.FoundAsync(members: 2, rounds: 1, steps: 1);
        using var held = federation.HomeOf(0).Lock();
        var outcome = await Fedchain.RunAsync(federation.Passphrase, ["node", "--home", federation.Members[0].Home]);
        Assert.Equal(1, outcome.ExitCode);
        Assert.Contains("in use by another process", outcome.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_home_does_not_follow_its_rpc_to_another_chain()
    {
        await using var federation = await TestFederation.FoundAsync(members: 2, rounds: 1, steps: 1);
        var home = federation.HomeOf(0);
        home.Save(home.Settings with { ChainId = 1 });
        var outcome = await Fedchain.RunAsync(federation.Passphrase, ["node", "--home", home.Path]);
        Assert.Equal(1, outcome.ExitCode);
        Assert.Contains("is on chain 1", outcome.Errors, StringComparison.Ordinal);
    }

    private static CancellationTokenSource Limit()
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        source.CancelAfter(Patience);
        return source;
    }

    private static async Task<List<PeerHost>> StartAllAsync(
        TestFederation federation, ConcurrentQueue<PeerEvent> events, Deceit? deceit, CancellationToken cancellation)
    {
        var peers = new List<PeerHost>();
        for (var i = 0; i < federation.Members.Count; i++)
        {
            var trainer = new IntegerTrainer(federation.Layout, i + 1);
            peers.Add(await PeerHost.StartAsync(
                federation.HomeOf(i), federation.Passphrase, rpc: null, (_, _) => Task.FromResult<ILocalTrainer>(trainer), events.Enqueue, TimeProvider.System, deceit, cancellation));
        }

        return peers;
    }

    private static async Task RunAllAsync(List<PeerHost> peers, Func<FederationState, ulong, bool> until, CancellationToken cancellation)
    {
        try
        {
            await Task.WhenAll(peers.Select(p => p.RunAsync(until, cancellation)));
        }
        finally
        {
            foreach (var peer in peers)
            {
                await peer.DisposeAsync();
            }
        }
    }

    private static Adapter Altered(Adapter adapter)
    {
        var values = adapter.Values.ToArray();
        values[0]++;
        return new Adapter(adapter.Layout, adapter.FractionBits, values);
    }

    private static Process StartProcess(TestFederation federation, int member) =>
        Fedchain.Start(federation.Passphrase, "node", "--home", federation.Members[member].Home, "--json", "--with-parent");

    private static async Task WaitForAsync(Process process, string text, CancellationToken cancellation)
    {
        while (await process.StandardOutput.ReadLineAsync(cancellation) is { } line)
        {
            if (line.Contains(text, StringComparison.Ordinal))
            {
                return;
            }
        }

        Assert.Fail($"The peer ended without {text}.");
    }
}

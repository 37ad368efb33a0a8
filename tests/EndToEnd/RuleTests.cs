using System.Collections.Concurrent;
using FedChain.Node.Audit;
using FedChain.Node.Demo;
using FedChain.Node.Homes;
using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;

namespace FedChain.EndToEnd.Tests;

/// <summary>Rules and encodings that carry something from round to round, through real peers.</summary>
public sealed class RuleTests
{
    private static readonly AggregationRule Momentum = new AggregationRule.Momentum(500, new AggregationRule.Mean(Weighting.Uniform));

    /// <summary>With time between the rounds to stop the peers in.</summary>
    private static readonly PolicyParams Paused = DemoDefaults.Params(3) with { Interval = 10 };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Momentum_is_carried_on_by_all_checked_by_an_auditor_and_fetched_by_who_lacks_it()
    {
        await using var federation = await TestFederation.FoundAsync(members: 3, rounds: 3, steps: 1, Paused, change: p => p with { Rule = Momentum });
        await RunAsync(federation, rounds: 2); // the one of three whom no quorum waits for may fetch what the others recomputed

        // A member that lost both files of the second round is in the place of a newcomer.
        var home = federation.HomeOf(0);
        var second = federation.Reader.State.Round(new RoundId(2))!;
        foreach (var file in Directory.EnumerateFiles(home.AdaptersPath))
        {
            File.Delete(file);
        }

        var events = await RunAsync(federation, rounds: 3);
        Assert.Contains(events.OfType<PeerEvent.AdapterObtained>(), e => e.Member == 1 && e.Round == second.Id.Value);
        Assert.Contains(events.OfType<PeerEvent.VelocityObtained>(), e => e.Member == 1 && e.Round == second.Id.Value);

        // The mean step is 2: velocities 2, 1 + 2, 1 + 2.
        var winner = federation.Reader.State.Round(new RoundId(3))!.Winner!;
        Assert.Equal(Adapter.First(federation.Layout, default, 20).Values.ToArray().Select(v => v + 2 + 3 + 3), Read(federation, winner.Aggregate).Values.ToArray());

        var audit = await AuditAsync(federation, fromRound: 1);
        Assert.True(audit.Ok, string.Join("\n", audit.Checks.Where(c => c.Result != CheckResult.Held)));
        Assert.Equal(3, audit.Checks.Count(c => c.Name == "state-file"));
        Assert.Equal(3, audit.Checks.Count(c => c.Name == "global-state"));
        Assert.Equal(3, audit.Checks.Count(c => c.Name == "recomputed" && c.Detail.Contains("and carry on 0x", StringComparison.Ordinal)));
        Assert.True((await AuditAsync(federation, fromRound: 3)).Ok); // which fetches what the second carried on
    }

    [Fact]
    public async Task A_wrong_velocity_beside_the_right_adapter_is_rejected()
    {
        await using var federation = await TestFederation.FoundAsync(members: 4, rounds: 1, steps: 1, change: p => p with { Rule = Momentum });
        var lies = 0;
        var liar = new Deceit
        {
            Carry = (_, velocity) => Interlocked.Increment(ref lies) == 1 ? new StateVector(velocity.Layout, new int[velocity.Layout.Count]) : velocity,
        };
        var events = await RunAsync(federation, rounds: 1, deceit: liar);
        var round = federation.Reader.State.Rounds.Single();
        Assert.Equal(2, round.Candidates.Length);
        Assert.Equal(round.Candidates[0].Aggregate, round.Winner!.Aggregate); // the adapter was right
        Assert.Contains(events.OfType<PeerEvent.Attested>(), e => !e.Valid && e.Turn == 0 && e.Reason.Contains("carry on the velocity", StringComparison.Ordinal));
        var audit = await AuditAsync(federation, fromRound: 1);
        Assert.True(audit.Ok, string.Join("\n", audit.Checks.Where(c => c.Result != CheckResult.Held)));
        Assert.Contains(audit.Checks, c => c.Name == "turn-0" && c.Detail.Contains("carry on the velocity", StringComparison.Ordinal));
    }

    [Fact]
    public async Task With_a_byte_a_value_what_an_update_leaves_out_is_in_the_next_one()
    {
        await using var federation = await TestFederation.FoundAsync(members: 3, rounds: 3, steps: 1, Paused, change: p => p with { Encoding = UpdateEncoding.Int8 });
        await RunAsync(federation, rounds: 2);
        foreach (var i in Enumerable.Range(0, 3))
        {
            var first = ReadUpdate(federation, member: i, round: 1);
            var second = ReadUpdate(federation, member: i, round: 2);
            Assert.All(Enumerable.Range(0, federation.Layout.Count), at =>
                Assert.Equal(2 * SkewedTrainer.Step(federation.Layout, i + 1, at), first.Differences[at] + second.Differences[at] + second.Residual.Values[at]));
            Assert.True(first.Residual.Values.ContainsAnyExcept(0));
            Assert.InRange(first.Bytes, federation.Layout.Count, federation.Layout.Count + 1100);
        }

        // What is lost counts as nothing left out.
        var lost = Directory.EnumerateFiles(federation.HomeOf(2).RoundsPath, "residual.safetensors", SearchOption.AllDirectories).ToList();
        Assert.Equal(2, lost.Count);
        lost.ForEach(File.Delete);
        await RunAsync(federation, rounds: 3);
        Assert.Equal(ReadUpdate(federation, member: 2, round: 1).Differences, ReadUpdate(federation, member: 2, round: 3).Differences);
        Assert.NotEqual(ReadUpdate(federation, member: 1, round: 1).Differences, ReadUpdate(federation, member: 1, round: 3).Differences);
        var audit = await AuditAsync(federation, fromRound: 1);
        Assert.True(audit.Ok, string.Join("\n", audit.Checks.Where(c => c.Result != CheckResult.Held)));
    }

    [Fact]
    public async Task A_round_of_fewer_updates_than_its_rule_needs_ends_at_once_by_everybodys_vote()
    {
        await using var federation = await TestFederation.FoundAsync(members: 3, rounds: 1, steps: 1, change: p => p with { Rule = new AggregationRule.MultiKrum(1, 2) });
        await RunAsync(federation, rounds: 1);
        var round = federation.Reader.State.Rounds.Single();
        Assert.NotNull(round.AbortedAt);
        Assert.True(round.Candidates.Single().Aggregate.IsZero);
        var audit = await AuditAsync(federation, fromRound: 1);
        Assert.True(audit.Ok, string.Join("\n", audit.Checks.Where(c => c.Result != CheckResult.Held)));
        Assert.Contains(audit.Checks, c => c.Name == "recomputed" && c.Detail.StartsWith("only 3 updates can be included, and 5 are needed", StringComparison.Ordinal));
    }

    /// <summary>Runs all peers until so many rounds have ended, and reads the chain.</summary>
    private static async Task<IReadOnlyCollection<PeerEvent>> RunAsync(TestFederation federation, int rounds, Deceit? deceit = null)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        patience.CancelAfter(TimeSpan.FromMinutes(8));
        var events = new ConcurrentQueue<PeerEvent>();
        var peers = new List<PeerHost>();
        try
        {
            for (var i = 0; i < federation.Members.Count; i++)
            {
                ILocalTrainer trainer = federation.Policy.Encoding == UpdateEncoding.Int32
                    ? new IntegerTrainer(federation.Layout, i + 1)
                    : new SkewedTrainer(federation.Layout, i + 1);
                peers.Add(await PeerHost.StartAsync(
                    federation.HomeOf(i), federation.Passphrase, rpc: null, (_, _) => Task.FromResult(trainer), events.Enqueue, TimeProvider.System, deceit, patience.Token));
            }

            await Task.WhenAll(peers.Select(p => p.RunAsync(
                (state, _) => state.Round(new RoundId((ulong)rounds)) is { FinalisedAt: not null } or { AbortedAt: not null }, patience.Token)));
        }
        finally
        {
            foreach (var peer in peers)
            {
                await peer.DisposeAsync();
            }
        }

        await federation.Reader.ReadAsync(Cancellation);
        return events;
    }

    private static Adapter Read(TestFederation federation, Hash256 digest)
    {
        var path = federation.Members.Select(m => HomeFolder.Open(m.Home).AdapterFile(digest)).First(File.Exists);
        using var file = File.OpenRead(path);
        return AdapterFile.Read(file, file.Length, 20, federation.Layout, out _);
    }

    private static (int[] Differences, StateVector Residual, long Bytes) ReadUpdate(TestFederation federation, int member, int round)
    {
        var path = Directory.EnumerateFiles(federation.HomeOf(member).RoundsPath, "update.safetensors", SearchOption.AllDirectories)
            .Single(f => Path.GetFileName(Path.GetDirectoryName(f)) == $"{round}");
        var bytes = File.ReadAllBytes(path);
        var header = UpdateFile.ReadHeader(new MemoryStream(bytes), bytes.Length);
        var at = 0;
        var differences = federation.Layout.Tensors.Zip(header.Shifts)
            .SelectMany(t => Enumerable.Range(0, t.First.Count).Select(_ => (sbyte)bytes[header.DataOffset + at++] << t.Second)).ToArray();
        var residual = Path.Combine(Path.GetDirectoryName(path)!, "residual.safetensors");
        using var file = File.Exists(residual) ? File.OpenRead(residual) : null;
        return (differences, file is null ? StateVector.Zero(federation.Layout) : StateFile.Read(file, file.Length, StateKind.Residual, federation.Layout, out _), bytes.Length);
    }

    private static async Task<AuditReport> AuditAsync(TestFederation federation, ulong fromRound)
    {
        using var keys = federation.HomeOf(0).UnlockPeerKeys(federation.Passphrase);
        var request = new AuditRequest
        {
            Federation = federation.Address,
            Stores = [.. federation.Members.Select(m => Path.Combine(m.Home, "store"))],
            AllowPrivate = true,
            FromRound = fromRound,
            Key = AuditKey.OfMember(federation.Reader.State, keys),
        };
        return await Auditor.RunAsync(federation.Client, request, TimeProvider.System, Cancellation);
    }
}

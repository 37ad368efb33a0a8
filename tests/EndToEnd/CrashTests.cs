using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using FedChain.Network;
using FedChain.Network.Content;
using FedChain.Node.Audit;
using FedChain.Protocol;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.EndToEnd.Tests;

/// <summary>
/// Every crash point that the code names, once at least: real members, real chain, real stores. A member dies at the first of its points that it comes
/// to, is started again with those that are left, and so on; whatever is hit, each round has to finalise with everybody's update.
/// </summary>
public sealed class CrashTests
{
    private const int Members = 4;
    private const int FewestRounds = 3; // so that there is something to collect
    private const int MostRounds = 8;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    /// <summary>Of <c>fedchain store gc</c>, which needs the peer stopped.</summary>
    private static readonly string[] OfCollection =
        [.. new[] { CrashPoint.Collecting, CrashPoint.BlockDeleted, CrashPoint.UpdateFileDeleted, CrashPoint.Collected }.Select(p => p.ToString())];

    private readonly ConcurrentDictionary<string, int> _hits = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(int Member, string Manifest), byte[]> _written = [];
    private int _round;

    [Fact]
    public async Task A_member_that_dies_at_any_crash_point_goes_on_and_nothing_is_lost_or_done_twice()
    {
        await using var federation = await TestFederation.FoundAsync(
            Members, MostRounds, steps: 1,
            change: p => p with { Encoding = UpdateEncoding.Int8, Rule = new AggregationRule.Momentum(500, new AggregationRule.Mean(Weighting.Uniform)) }); // so that there are residuals and velocities
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(Patience);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(patience.Token);
        var members = Enumerable.Range(0, Members).Select(i => LiveAsync(federation, i, over.Token)).ToList();
        var last = 0ul;
        try
        {
            while (true)
            {
                await Task.WhenAny([Task.Delay(100, patience.Token), .. members]);
                patience.Token.ThrowIfCancellationRequested();
                if (members.FirstOrDefault(m => m.IsCompleted) is { } ended)
                {
                    await ended;
                }

                await federation.Reader.ReadAsync(patience.Token);
                var rounds = federation.Reader.State.Rounds;
                Volatile.Write(ref _round, rounds.Count);
                last = last == 0 && rounds.Count >= FewestRounds && Left(0, all: true).Count == 0 ? (ulong)rounds.Count : last;
                if ((last > 0 && federation.Reader.State.Round(new RoundId(last)) is { FinalisedAt: not null }) || rounds is [.., { Id.Value: MostRounds, FinalisedAt: not null }])
                {
                    break;
                }
            }
        }
        finally
        {
            await over.CancelAsync();
            await Task.WhenAll(members.Select(m => m.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default)));
        }

        Assert.Empty(Left(0, all: true));
        var decided = federation.Reader.State.Rounds.Where(r => r.Id.Value <= last).ToList();
        Assert.All(decided, r =>
        {
            Assert.NotNull(r.FinalisedAt);
            Assert.Equal(Members, r.Submissions.Length);
        });
        foreach (var (member, manifest) in _written.Keys)
        {
            var update = UpdateManifest.Parse(_written[(member, manifest)]);
            if (update.Round.Value <= last)
            {
                Assert.Equal(manifest, federation.Reader.State.Round(update.Round)!.SubmissionOf(new MemberId((uint)member + 1))!.Manifest.ToString()); // what was trained wasn't lost
            }
        }

        var landed = await LandedCalls.ReadAsync(federation.Chain.RpcUrl, patience.Token);
        Assert.True(landed.Count >= decided.Count * (Members + 3), $"{landed.Count} calls in {decided.Count} rounds");
        Assert.Empty(landed.Repeated);
        await AuditAsync(federation, fromRound: 1, (ulong)decided.Count, patience.Token);
        await CollectAsync(federation);
        Assert.Equal(Crash.Points.Order(), _hits.Keys.Order());
        TestContext.Current.SendDiagnosticMessage($"{_hits.Values.Sum()} crashes at {_hits.Count} points in {decided.Count} rounds");
    }

    /// <summary>One member's life: it dies, and is started again, until it is told to stop.</summary>
    private async Task LiveAsync(TestFederation federation, int index, CancellationToken over)
    {
        var home = federation.HomeOf(index);
        var wasAway = false; // the only one that comes to the points of who has to get an adapter from others
        while (!over.IsCancellationRequested)
        {
            await using var process = MemberProcess.Start(Fedchain.Path, home.Path, federation.Home.PassphraseFile, crashAt: Left(index, all: wasAway || Volatile.Read(ref _round) > 1));
            try
            {
                await process.EndAsync(over);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            var point = process.CrashedAt ?? throw new InvalidOperationException($"Member {index + 1} ended by itself:\n{process.Errors}\n{string.Join('\n', process.Events)}");
            var isFirst = _hits.AddOrUpdate(point, 1, (_, n) => n + 1) == 1;
            TestContext.Current.SendDiagnosticMessage($"round {Volatile.Read(ref _round)}: member {index + 1} dies at {point}");
            foreach (var file in Directory.EnumerateFiles(home.RoundsPath, "update.manifest", SearchOption.AllDirectories))
            {
                var bytes = await File.ReadAllBytesAsync(file, CancellationToken.None);
                _written[(index, new Hash256(SHA256.HashData(bytes)).ToString())] = bytes;
            }

            if (isFirst && point == nameof(CrashPoint.CandidateChecking))
            {
                await EndOfRoundAsync(federation, over); // the others decide without it, and it has to get the result from them
                wasAway = true;
            }
        }
    }

    /// <param name="all">Those of every member: some points only the one comes to that opens, aggregates or was away. At first each has a share.</param>
    private List<string> Left(int member, bool all) =>
        [.. Crash.Points.Where((p, i) => !_hits.ContainsKey(p) && !OfCollection.Contains(p) && (all || i % Members == member))];

    private static async Task EndOfRoundAsync(TestFederation federation, CancellationToken cancellation)
    {
        var reader = new Network.Chain.FederationReader(federation.Client, federation.Address, federation.Reader.Events[0].Block, TimeProvider.System);
        await reader.ReadAsync(cancellation);
        var round = reader.State.Current!.Id;
        while (reader.State.Round(round)!.PhaseAt(reader.Now) is not (Phase.Finalised or Phase.Aborted))
        {
            await Task.Delay(50, cancellation);
            await reader.ReadAsync(cancellation);
        }
    }

    /// <summary>With a member's key every aggregate is opened and recomputed, from what the members' stores hold.</summary>
    private static async Task AuditAsync(TestFederation federation, ulong fromRound, ulong toRound, CancellationToken cancellation)
    {
        using var keys = federation.HomeOf(0).UnlockPeerKeys(federation.Passphrase);
        var request = new AuditRequest
        {
            Federation = federation.Address,
            Stores = [.. federation.Members.Select(m => Path.Combine(m.Home, "store"))],
            AllowPrivate = true,
            Key = AuditKey.OfMember(federation.Reader.State, keys),
            FromRound = fromRound,
        };
        var audit = await Auditor.RunAsync(federation.Client, request, TimeProvider.System, cancellation);
        Assert.DoesNotContain(audit.Checks, c => c.Result != CheckResult.Held && c.Round <= toRound); // a round that nobody waited for may be under way
        Assert.Equal((int)(toRound - fromRound + 1), audit.Checks.Count(c => c.Name == "recomputed" && c.Round <= toRound));
    }

    private async Task CollectAsync(TestFederation federation)
    {
        string[] command = ["store", "gc", "--home", federation.Members[0].Home, "--keep-rounds", "2", "--json"];
        using var dry = JsonDocument.Parse((await Fedchain.RunAsync(federation.Passphrase, [.. command, "--dry-run"])).RequireDone());
        var (blocks, files) = (TextsIn("given"), TextsIn("files"));
        Assert.All(new[] { "update.safetensors", "update.age", "update.manifest" }, name => Assert.Contains(files, f => Path.GetFileName(f) == name));
        var manifest = files.FindIndex(f => Path.GetFileName(f) == "update.manifest") + 1; // by it the others of an own update may be known
        foreach (var point in OfCollection)
        {
            var died = await Fedchain.RunAsync(federation.Passphrase, command, (Crash.Variable, point == nameof(CrashPoint.UpdateFileDeleted) ? $"{point}={manifest}" : point));
            Assert.Equal($"{Crash.LastWords}{point}", died.Errors.Trim());
            _hits[point] = 1;
        }

        (await Fedchain.RunAsync(federation.Passphrase, command)).RequireDone();
        (await Fedchain.RunAsync(federation.Passphrase, ["store", "verify", "--home", federation.Members[0].Home])).RequireDone();
        Assert.All(files, f => Assert.False(File.Exists(f), f));
        using var store = new BlockStore(federation.HomeOf(0).StorePath);
        Assert.Empty(store.List().Select(cid => cid.ToString()).Intersect(blocks));

        List<string> TextsIn(string name) => [.. dry.RootElement.GetProperty(name).EnumerateArray().Select(e => e.GetString()!)];
    }
}

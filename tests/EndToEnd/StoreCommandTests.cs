using System.Text.Json;
using FedChain.Network.Content;
using FedChain.Node.Homes;
using FedChain.Node.LocalChain;
using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Content;
using FedChain.Protocol.Manifests;
using FedChain.Tests;

namespace FedChain.EndToEnd.Tests;

public sealed class StoreCommandTests
{
    [Fact]
    public async Task Old_updates_are_given_up_and_all_else_is_kept_and_checked()
    {
        await using var federation = await TestFederation.FoundAsync(members: 3, rounds: 3, steps: 1);
        var cancellation = TestContext.Current.CancellationToken;
        var peers = new List<RunningPeer>();
        try
        {
            for (var i = 0; i < 3; i++)
            {
                peers.Add(await RunningPeer.StartAsync(federation.HomeOf(i), federation.Passphrase, new IntegerTrainer(federation.Layout, i + 1), cancellation));
            }

            foreach (var peer in peers)
            {
                Assert.True((await peer.SeenAsync<PeerEvent.RoundEnded>(e => e.Round == 3)).Finalised);
            }
        }
        finally
        {
            foreach (var peer in peers)
            {
                await peer.DisposeAsync();
            }
        }

        await federation.Reader.ReadAsync(cancellation);
        var home = federation.HomeOf(0);
        var own = FolderOf(federation, home, round: 0).Own;
        own.WriteManifest((UpdateManifest.Parse(own.ReadManifest()!) with { Plaintext = default(Hash256) }).ToBytes()); // as if it had never been submitted
        Cid stray;
        using (var store = new BlockStore(home.StorePath))
        {
            stray = await store.AddBlockAsync("nobody names this"u8.ToArray(), cancellation);
        }

        var before = await ListAsync(home);
        Assert.All(before.Where(r => r is { Kind: "update", Round: 1 }), r => Assert.False(r.Needed));
        Assert.All(before.Where(r => r.Kind != "update" || r.Round > 1), r => Assert.True(r.Needed));
        Assert.Contains(before, r => r is { Kind: "update", Round: 1, Member: 1, Held: true });
        Assert.Equal(9, before.Count(r => r.Kind == "updateManifest"));
        var files = FilesOf(home);

        var dry = await RunAsync("gc", home, "--dry-run");
        Assert.Contains("would be deleted", dry, StringComparison.Ordinal);
        Assert.Contains(stray.ToString(), dry, StringComparison.Ordinal);
        Assert.Equal(files, FilesOf(home));
        using (home.Lock())
        {
            (await Fedchain.RunAsync("store", "gc", "--home", home.Path)).RequireRefusal("in use by another process");
        }

        await RunAsync("gc", home);
        var after = await ListAsync(home);
        Assert.Equal(before.Where(r => r.Kind != "update" || r.Round > 1), after.Where(r => r.Kind != "update" || r.Round > 1));
        Assert.All(after.Where(r => r is { Kind: "update", Round: 1 }), r => Assert.False(r.Held));
        string[] gone = [.. files.Except(FilesOf(home))];
        Assert.Empty(FilesOf(home).Except(files));
        Assert.All(new[] { own.PlaintextPath, own.SealedPath, own.ManifestPath }, f => Assert.Contains(Path.GetRelativePath(home.Path, f), gone));
        Assert.Contains(gone, f => f.StartsWith("updates", StringComparison.Ordinal));
        Assert.DoesNotContain(gone, f => f.StartsWith("adapters", StringComparison.Ordinal) || f.StartsWith("keys", StringComparison.Ordinal));
        Assert.Contains("0 blocks and 0 files", await RunAsync("gc", home), StringComparison.Ordinal);

        // Of what was to be published and isn't on the chain, only that of the last rounds may still get there.
        Cid[] published = [await PublishAsync(federation, home, round: 0), await PublishAsync(federation, home, round: 2)];
        await RunAsync("gc", home);
        using (var store = new BlockStore(home.StorePath))
        {
            Assert.False(await store.HasAsync(published[0], cancellation));
            Assert.True(await store.HasAsync(published[1], cancellation));
        }

        Assert.Contains(", 0 damaged.", (await Fedchain.RunAsync("store", "verify", "--home", home.Path)).RequireDone(), StringComparison.Ordinal);
        using var damaged = new BlockStore(home.StorePath);
        var block = damaged.List().First();
        File.WriteAllBytes(damaged.PathOf(block), [1]);
        var verified = await Fedchain.RunAsync("store", "verify", "--home", home.Path, "--json");
        Assert.Equal(1, verified.ExitCode);
        using var report = JsonDocument.Parse(verified.Output);
        Assert.Equal(block.ToString(), Assert.Single(report.RootElement.GetProperty("damaged").EnumerateArray()).GetProperty("cid").GetString());
    }

    [Fact]
    public async Task Nothing_is_given_up_by_what_a_node_says_that_is_behind()
    {
        await using var federation = await TestFederation.FoundAsync(members: 2, rounds: 1, steps: 1);
        var cancellation = TestContext.Current.CancellationToken;
        using var folder = new TemporaryFolder();
        using var control = new AnvilControl(federation.Chain.RpcUrl);
        await control.DumpAsync(folder["behind.json"]);
        await EndRoundAsync(federation);
        await using var behind = await AnvilChain.StartAsync(new AnvilOptions { RepositoryRoot = Shared.RepositoryRoot, StateFile = folder["behind.json"] }, cancellation);
        var home = federation.HomeOf(0);
        var files = FilesOf(home, "store");
        var index = await File.ReadAllBytesAsync(home.EventIndexFile, cancellation);
        (await CollectAsync()).RequireRefusal("is behind");
        Assert.Equal(index, await File.ReadAllBytesAsync(home.EventIndexFile, cancellation));

        // Nor after another command has taken what that node says for the chain.
        (await Fedchain.RunAsync("store", "ls", "--home", home.Path, "--rpc", behind.RpcUrl.ToString())).RequireDone();
        (await CollectAsync()).RequireRefusal("is behind");
        Assert.Equal(files, FilesOf(home, "store"));
        Assert.Contains("0 blocks and 0 files", await RunAsync("gc", home), StringComparison.Ordinal);

        Task<Fedchain.Outcome> CollectAsync() => Fedchain.RunAsync("store", "gc", "--home", home.Path, "--rpc", behind.RpcUrl.ToString());
    }

    [Fact]
    public async Task What_a_home_serves_and_its_store_has_lost_stops_a_collection_and_comes_back_at_the_start()
    {
        await using var federation = await TestFederation.FoundAsync(members: 2, rounds: 1, steps: 1);
        var cancellation = TestContext.Current.CancellationToken;
        await EndRoundAsync(federation);
        await federation.Reader.ReadAsync(cancellation);
        var winner = federation.Reader.State.Rounds.Single().Winner!;
        var me = (int)winner.Aggregator.Value - 1;
        var home = federation.HomeOf(me);
        using (var store = new BlockStore(home.StorePath))
        {
            await store.DeleteAsync(Cid.RawOf(winner.Manifest), cancellation);
        }

        var files = FilesOf(home, "store");
        (await Fedchain.RunAsync("store", "gc", "--home", home.Path)).RequireRefusal("Start the peer");
        Assert.Equal(files, FilesOf(home, "store"));

        Directory.Delete(home.StorePath, recursive: true);
        await using (await RunningPeer.StartAsync(federation.HomeOf(1 - me), federation.Passphrase, new IdleTrainer(federation.Layout), cancellation))
        await using (var peer = await RunningPeer.StartAsync(home, federation.Passphrase, new IdleTrainer(federation.Layout), cancellation))
        {
            await peer.SeenAsync<PeerEvent.Restocked>(e => e.Which.Contains("update of round 1", StringComparison.Ordinal));
            Assert.Equal(3, (await peer.SeenAsync<PeerEvent.Restocked>(e => e.Which == "from the other members")).Files); // two manifests and the sealed aggregate
        }

        var rows = await ListAsync(home);
        Assert.All(rows.Where(r => r.Kind != "update" || r.Member == me + 1), r => Assert.True(r.Held));
        await RunAsync("gc", home);
        Assert.Equal(rows, await ListAsync(home));
    }

    private static async Task EndRoundAsync(TestFederation federation)
    {
        await using var first = await StartAsync(0);
        await using var second = await StartAsync(1);
        foreach (var peer in new[] { first, second })
        {
            Assert.True((await peer.SeenAsync<PeerEvent.RoundEnded>()).Finalised);
        }

        Task<RunningPeer> StartAsync(int member) => RunningPeer.StartAsync(
            federation.HomeOf(member), federation.Passphrase, new IntegerTrainer(federation.Layout, member + 1), TestContext.Current.CancellationToken);
    }

    private static RoundFolder FolderOf(TestFederation federation, HomeFolder home, int round) =>
        new(home, home.Settings.ChainId!.Value, federation.Reader.State.Rounds[round]);

    /// <summary>Notes another manifest than the winner's as published in a round, as a member does that dies before the chain has it.</summary>
    private static async Task<Cid> PublishAsync(TestFederation federation, HomeFolder home, int round)
    {
        using var store = new BlockStore(home.StorePath);
        var winner = (await store.GetAsync(Cid.RawOf(federation.Reader.State.Rounds[round].Winner!.Manifest)))!.Value;
        var bytes = (GlobalManifest.Parse(winner.Span) with { Turn = GlobalManifest.MaxTurns - 1 }).ToBytes();
        FolderOf(federation, home, round).MarkPublished(OwnUpdate.DigestOf(bytes));
        return await store.AddBlockAsync(bytes);
    }

    private static async Task<string> RunAsync(string command, HomeFolder home, params string[] more) =>
        (await Fedchain.RunAsync(["store", command, "--home", home.Path, "--keep-rounds", "2", .. more])).RequireDone();

    private static async Task<IReadOnlyList<Row>> ListAsync(HomeFolder home) =>
        JsonSerializer.Deserialize<List<Row>>(await RunAsync("ls", home, "--json"), JsonSerializerOptions.Web)!;

    private static string[] FilesOf(HomeFolder home, string folder = "") =>
        [.. Directory.EnumerateFiles(Path.Combine(home.Path, folder), "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(home.Path, f)).Where(f => f != "lock").Order(StringComparer.Ordinal)];

    private sealed record Row(ulong Round, string Kind, uint Member, string Cid, long? Size, bool Held, bool Needed, bool Pinned);
}

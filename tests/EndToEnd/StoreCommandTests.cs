using System.Text.Json;
using FedChain.Network.Content;
using FedChain.Node.Homes;
using FedChain.Node.Peer;
using FedChain.Protocol.Content;

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

        var home = federation.HomeOf(0);
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
        Assert.Contains(gone, f => f.EndsWith("update.age", StringComparison.Ordinal));
        Assert.Contains(gone, f => f.StartsWith("updates", StringComparison.Ordinal));
        Assert.DoesNotContain(gone, f => f.StartsWith("adapters", StringComparison.Ordinal) || f.StartsWith("keys", StringComparison.Ordinal));
        Assert.Contains("0 blocks and 0 files", await RunAsync("gc", home), StringComparison.Ordinal);

        Assert.Contains(", 0 damaged.", (await Fedchain.RunAsync("store", "verify", "--home", home.Path)).RequireDone(), StringComparison.Ordinal);
        using var damaged = new BlockStore(home.StorePath);
        var block = damaged.List().First();
        File.WriteAllBytes(damaged.PathOf(block), [1]);
        var verified = await Fedchain.RunAsync("store", "verify", "--home", home.Path, "--json");
        Assert.Equal(1, verified.ExitCode);
        using var report = JsonDocument.Parse(verified.Output);
        Assert.Equal(block.ToString(), Assert.Single(report.RootElement.GetProperty("damaged").EnumerateArray()).GetProperty("cid").GetString());
    }

    private static async Task<string> RunAsync(string command, HomeFolder home, params string[] more) =>
        (await Fedchain.RunAsync(["store", command, "--home", home.Path, "--keep-rounds", "2", .. more])).RequireDone();

    private static async Task<IReadOnlyList<Row>> ListAsync(HomeFolder home) =>
        JsonSerializer.Deserialize<List<Row>>(await RunAsync("ls", home, "--json"), JsonSerializerOptions.Web)!;

    private static string[] FilesOf(HomeFolder home) =>
        [.. Directory.EnumerateFiles(home.Path, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(home.Path, f)).Where(f => f != "lock").Order(StringComparer.Ordinal)];

    private sealed record Row(ulong Round, string Kind, uint Member, string Cid, long? Size, bool Held, bool Needed, bool Pinned);
}

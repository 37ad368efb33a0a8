using System.Text.Json;
using FedChain.Node.LocalChain;
using FedChain.Tests;

namespace FedChain.EndToEnd.Tests;

/// <summary>One demonstration, run as a user runs it, and what its remains allow: the history is verified again, tampered with, and used.</summary>
public sealed class DemoFixture : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();

    internal Fedchain.Outcome Outcome { get; private set; } = null!;

    internal string Home => _folder["demo"];

    internal JsonElement Report { get; private set; }

    internal string ReportPath => _folder["report.json"];

    public async ValueTask InitializeAsync()
    {
        if (!NpmPackages.IsNpmAvailable())
        {
            return;
        }

        Outcome = await Fedchain.RunAsync("demo", "--members", "3", "--rounds", "2", "--home", Home, "--report", ReportPath);
        if (File.Exists(ReportPath))
        {
            Report = JsonDocument.Parse(await File.ReadAllBytesAsync(ReportPath)).RootElement;
        }
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    internal async Task<AnvilChain> StartChainAsync() => await AnvilChain.StartAsync(
        new AnvilOptions { RepositoryRoot = Shared.RepositoryRoot, StateFile = Path.Combine(Home, "chain", "state.json") }, TestContext.Current.CancellationToken);
}

public sealed class DemoTests(DemoFixture demo) : IClassFixture<DemoFixture>
{
    [Fact]
    public void A_federation_trains_to_a_verified_end()
    {
        RequireNpm();
        Assert.True(demo.Outcome.ExitCode == 0, demo.Outcome.ToString());
        var report = demo.Report;
        Assert.Equal([true, true, false], report.GetProperty("members").EnumerateArray().Select(m => m.GetProperty("founder").GetBoolean()));
        Assert.Equal(["finalised", "finalised"], report.GetProperty("rounds").EnumerateArray().Select(r => r.GetProperty("outcome").GetString()!));
        Assert.Equal([2, 3], report.GetProperty("rounds").EnumerateArray().Select(r => r.GetProperty("submissions").GetArrayLength()));
        Assert.Equal(report.GetProperty("rounds")[0].GetProperty("aggregate").GetString(), report.GetProperty("rounds")[1].GetProperty("base").GetString());
        Assert.Equal(2, report.GetProperty("decisions").GetArrayLength());
        foreach (var who in new[] { "outsider", "member", "auditor" })
        {
            var verified = report.GetProperty("verification").GetProperty(who);
            Assert.True(verified.GetProperty("ok").GetBoolean(), demo.Outcome.ToString());
            var checks = verified.GetProperty("checks").EnumerateArray().Select(c => c.GetProperty("name").GetString()!).ToList();
            Assert.Contains("outcome", checks);
            Assert.Equal(who != "outsider", checks.Contains("recomputed"));
        }

        Assert.All(report.GetProperty("evaluation").GetProperty("institutions").EnumerateArray(), institution =>
        {
            var own = institution.GetProperty("own");
            Assert.True(own.GetProperty("federated").GetDouble() < own.GetProperty("base").GetDouble(), $"{institution} gained nothing");
        });
    }

    [Fact]
    public async Task The_remains_are_verified_from_the_members_stores()
    {
        RequireNpm();
        await using var chain = await demo.StartChainAsync();
        var outcome = await VerifyAsync(chain);
        Assert.True(outcome.ExitCode == 0, outcome.ToString());
        var withoutContent = await Fedchain.RunAsync("verify", "--rpc", chain.RpcUrl.ToString(), "--federation", Federation);
        Assert.True(withoutContent.ExitCode == 3, withoutContent.ToString());
    }

    [Fact]
    public async Task A_flipped_byte_in_a_stored_block_is_caught_and_named()
    {
        RequireNpm();
        await using var chain = await demo.StartChainAsync();
        var payload = demo.Report.GetProperty("rounds")[0].GetProperty("submissions")[0].GetProperty("payload").GetString()!;
        await TamperedAsync(chain, payload, bytes => bytes[bytes.Length / 2] ^= 1);
    }

    [Fact]
    public async Task An_edited_manifest_is_caught_and_named()
    {
        RequireNpm();
        await using var chain = await demo.StartChainAsync();
        var manifest = demo.Report.GetProperty("rounds")[1].GetProperty("manifest").GetString()!;
        await TamperedAsync(chain, manifest, bytes => bytes.AsSpan().Replace((byte)'2', (byte)'3'));
    }

    [Fact]
    public async Task The_federated_adapter_can_be_used_by_hand()
    {
        RequireNpm();
        await using var chain = await demo.StartChainAsync();
        var home = Member(0);
        var federated = await Fedchain.RunAsync("evaluate", "--home", home, "--rpc", chain.RpcUrl.ToString(), "--adapter", "round:latest", "--json");
        var plain = await Fedchain.RunAsync("evaluate", "--home", home, "--adapter", "none", "--json");
        Assert.True(federated.ExitCode == 0, federated.ToString());
        Assert.True(plain.ExitCode == 0, plain.ToString());
        Assert.True(Loss(federated) < Loss(plain), $"{federated}\n{plain}");
        var text = await Fedchain.RunAsync("generate", "--home", home, "--rpc", chain.RpcUrl.ToString(), "--max-tokens", "16", "What is it?");
        Assert.True(text.ExitCode == 0, text.ToString());
        Assert.NotEqual("", text.Output.Trim());
        var history = await Fedchain.RunAsync("history", "--rpc", chain.RpcUrl.ToString(), "--federation", Federation, "--json");
        Assert.Equal(2, JsonDocument.Parse(history.Output).RootElement.GetArrayLength());

        static double Loss(Fedchain.Outcome outcome) => JsonDocument.Parse(outcome.Output).RootElement.GetProperty("natsPerToken").GetDouble();
    }

    [Fact]
    public async Task The_same_seed_gives_the_same_adapter()
    {
        RequireNpm();
        using var folder = new TemporaryFolder();
        var first = await AdapterAsync("a");
        Assert.Equal(first, await AdapterAsync("b"));
        Assert.NotEqual(first, demo.Report.GetProperty("rounds")[0].GetProperty("aggregate").GetString());

        async Task<string> AdapterAsync(string name)
        {
            var outcome = await Fedchain.RunAsync("demo", "--members", "2", "--rounds", "1", "--seed", "5", "--home", folder[name], "--report", folder[name + ".json"]);
            Assert.True(outcome.ExitCode == 0, outcome.ToString());
            return JsonDocument.Parse(await File.ReadAllBytesAsync(folder[name + ".json"])).RootElement.GetProperty("rounds")[0].GetProperty("aggregate").GetString()!;
        }
    }

    private string Federation => demo.Report.GetProperty("federation").GetString()!;

    private static void RequireNpm() => Assert.SkipUnless(NpmPackages.IsNpmAvailable(), "npm is missing, and the local chain comes from an npm package.");

    private string Member(int index) => demo.Report.GetProperty("members")[index].GetProperty("home").GetString()!;

    private Task<Fedchain.Outcome> VerifyAsync(AnvilChain chain) => Fedchain.RunAsync(
        ["verify", "--rpc", chain.RpcUrl.ToString(), "--federation", Federation, .. Enumerable.Range(0, 3).SelectMany(i => new[] { "--store", Path.Combine(Member(i), "store") })]);

    /// <summary>Changes one block in the first member's store, sees verify fail and name it, and puts it back.</summary>
    private async Task TamperedAsync(AnvilChain chain, string cid, Action<byte[]> change)
    {
        var root = FedChain.Protocol.Content.Cid.Parse(cid);
        using var store = new FedChain.Network.Content.BlockStore(Path.Combine(Member(0), "store"));
        var file = store.PathOf(root);
        var original = await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken);
        var changed = original.ToArray();
        change(changed);
        Assert.NotEqual(original, changed);
        await File.WriteAllBytesAsync(file, changed, TestContext.Current.CancellationToken);
        try
        {
            var outcome = await VerifyAsync(chain);
            Assert.True(outcome.ExitCode == 1, outcome.ToString());
            Assert.Contains(cid, outcome.Output, StringComparison.Ordinal);
        }
        finally
        {
            await File.WriteAllBytesAsync(file, original, TestContext.Current.CancellationToken);
        }
    }
}

using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using FedChain.Network.Chain;
using FedChain.Node.Homes;
using FedChain.Node.Models;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum;

namespace FedChain.EndToEnd.Tests;

/// <summary>The doctor finds nothing where nothing is wrong, and each thing that is wrong by its name, with what to do.</summary>
public sealed class DoctorTests(DoctorFederation scene) : IClassFixture<DoctorFederation>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_healthy_running_peer_is_all_ok()
    {
        await using var running = await scene.StartAsync(0);
        var checks = await ExamineAsync(scene.HomeOfFirst, exitCode: 0);
        Assert.All(checks.Values, c => Assert.Equal("ok", c.Result));
        Assert.Equal(19, checks.Count);
        Assert.Contains("the running peer serves it", checks["endpoint"].Detail, StringComparison.Ordinal);
        Assert.Contains("from member 2, 3", checks["reachable"].Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stopped_peers_endpoint_is_served_for_the_time_of_the_check()
    {
        using var folder = new TemporaryFolder();
        var home = scene.CopyHome(folder["home"]);
        var checks = await ExamineAsync(home, exitCode: 0);
        Assert.Equal("ok", checks["reachable"].Result);
        Assert.Contains("the peer isn't running", checks["endpoint"].Detail, StringComparison.Ordinal);
        using var free = new TcpListener(IPEndPoint.Parse(home.Settings.Listen));
        free.Start();
    }

    [Fact]
    public async Task Without_a_passphrase_nothing_is_asked_and_what_needs_keys_is_not_checked()
    {
        using var folder = new TemporaryFolder();
        scene.Forget();
        var outcome = await Fedchain.RunAsync("doctor", "--home", scene.CopyHome(folder["home"]).Path);
        Assert.True(outcome.ExitCode == 0, outcome.ToString());
        Assert.Contains("not checked keys", outcome.Output, StringComparison.Ordinal);
        Assert.Contains("0 problems, 0 warnings, 2 not checked", outcome.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_chain()
    {
        var checks = await SpoiltAsync("chain", "on chain 7", s => s with { ChainId = 7 });
        Assert.Equal("notChecked", checks["contracts"].Result);
        Assert.Equal("ok", checks["data"].Result);
    }

    [Fact]
    public Task A_chain_that_does_not_answer() => SpoiltAsync("chain", "can't be reached", s => s with { Rpc = ["http://127.0.0.1:9/"] });

    [Fact]
    public Task An_address_without_a_federation() =>
        SpoiltAsync("federation", "no contract at", s => s with { Federation = Address.Parse("0x00000000000000000000000000000000000000aa") });

    [Fact]
    public async Task Another_model()
    {
        using var model = new TemporaryFolder();
        foreach (var file in Directory.GetFiles(BaseModel.Own))
        {
            File.Copy(file, model[Path.GetFileName(file)]);
        }

        await File.AppendAllTextAsync(model["config.json"], "\n", Cancel);
        await SpoiltAsync("model", "but the federation's policy names", s => s with { Model = model.Path });
    }

    [Fact]
    public async Task Records_that_cannot_be_read()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder["ward.jsonl"], "{\"prompt\": \"a\", \"response\": \"b\"}\nnot json\n", Cancel);
        await SpoiltAsync("data", "line 2", s => s with { Data = folder["ward.jsonl"] });
        await SpoiltAsync("data", "names no records", s => s with { Data = null });
    }

    [Fact]
    public async Task A_closed_endpoint()
    {
        var checks = await SpoiltAsync("reachable", "member 2 can't reach", s => s with { Listen = $"127.0.0.1:{FreePort()}" });
        Assert.Contains("unreachable", checks["reachable"].Detail, StringComparison.Ordinal);
        Assert.Equal("ok", checks["endpoint"].Result);
    }

    [Fact]
    public async Task A_taken_port()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        await SpoiltAsync("endpoint", "in use", s => s with { Listen = other.LocalEndpoint.ToString()! });
    }

    [Fact]
    public Task An_endpoint_that_is_not_the_published_one() => SpoiltAsync("profile", "the others look for it at", s => s with { Endpoint = "https://elsewhere.example" });

    [Fact]
    public Task Settings_that_cannot_work() => SpoiltAsync("settings", "nobody can connect", s => s with { Endpoint = "http://0.0.0.0:7420" }, "profile");

    [Fact]
    public async Task Keys_that_others_may_read()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("There are no such permissions on Windows.");
            return;
        }

        using var folder = new TemporaryFolder();
        var home = scene.CopyHome(folder["home"]);
        File.SetUnixFileMode(home.KeyPaths[1], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        Problem(await ExamineAsync(home, exitCode: 1), "permissions", home.KeyPaths[1]);
    }

    [Fact]
    public async Task A_wrong_passphrase()
    {
        using var folder = new TemporaryFolder();
        scene.Forget();
        Problem(await ExamineAsync(scene.CopyHome(folder["home"]), exitCode: 1, passphrase: "wrong"), "keys", "does not open");
    }

    [Fact]
    public async Task An_operator_that_cannot_pay()
    {
        var account = scene.Federation.Members[0].Operator.ToString();
        var before = await scene.AskAnvilAsync("eth_getBalance", account, "latest");
        await scene.AskAnvilAsync("anvil_setBalance", account, "0x3e8");
        try
        {
            await SpoiltAsync("funds-operator", account, s => s);
        }
        finally
        {
            await scene.AskAnvilAsync("anvil_setBalance", account, before.GetString()!);
        }
    }

    [Fact]
    public async Task Other_code_than_the_release_build()
    {
        var governance = scene.Federation.Reader.State.Governance.ToString();
        var code = (await scene.AskAnvilAsync("eth_getCode", governance, "latest")).GetString()!;
        await scene.AskAnvilAsync("anvil_setCode", governance, code[..^2] + (code[^2..] == "00" ? "01" : "00"));
        try
        {
            await SpoiltAsync("contracts", $"Governance at {governance}", s => s);
        }
        finally
        {
            await scene.AskAnvilAsync("anvil_setCode", governance, code);
        }
    }

    [Fact]
    public async Task A_home_without_a_seat_and_one_whose_operator_is_another()
    {
        using var folder = new TemporaryFolder();
        var settings = scene.CopyHome(folder["home"]).Settings;
        var stranger = HomeFolder.Create(folder["stranger"], settings, "secret", Protocol.Ethereum.Keys.KeystoreOptions.Light);
        var checks = await ExamineAsync(stranger, exitCode: 1, passphrase: "secret");
        Problem(checks, "seat", "has a seat", "funds-operator", "funds-holder");
        Assert.Equal("notChecked", checks["reachable"].Result);

        File.Copy(stranger.KeyPaths[1], Path.Combine(folder["home"], "keys", "operator.json"), overwrite: true);
        Problem(await ExamineAsync(HomeFolder.Open(folder["home"]), exitCode: 1, passphrase: null), "seat", $"but this home's operator is {stranger.OperatorAddress}", "funds-operator");
    }

    [Fact]
    public async Task A_dormant_seat()
    {
        // A chain of its own: half a year passes on it.
        var other = new DoctorFederation();
        await other.InitializeAsync();
        await using var disposed = other;
        var first = other.Federation.Members[0];
        var membership = new MembershipClient(other.Federation.Client, other.Federation.Address);
        using var key = new Protocol.Ethereum.PrivateKey(Hex.Decode(Node.LocalChain.AnvilChain.DevelopmentKey));
        using var sender = new TransactionSender(other.Federation.Client, key, 31337);
        foreach (var days in new[] { 181, 31 })
        {
            await other.AskAnvilAsync("evm_increaseTime", days * 24 * 3600);
            await other.AskAnvilAsync("evm_mine");
            await sender.SendOrThrowAsync(membership.Dormant(first.Id), Cancel);
        }

        using var folder = new TemporaryFolder();
        var checks = await ExamineAsync(other.CopyHome(folder["home"]), exitCode: 1, passphrase: other.Federation.Passphrase);
        Problem(checks, "seat", "is dormant");
        Assert.Equal("warning", checks["clock"].Result);
        Assert.Contains("ahead", checks["clock"].Detail, StringComparison.Ordinal);
    }

    private async Task<Dictionary<string, Check>> SpoiltAsync(string name, string detail, Func<HomeSettings, HomeSettings> change, params string[] consequences)
    {
        using var folder = new TemporaryFolder();
        var checks = await ExamineAsync(scene.CopyHome(folder["home"], change), exitCode: 1);
        Problem(checks, name, detail, consequences);
        return checks;
    }

    [Fact]
    public async Task A_commitment_that_is_not_this_homes_is_a_problem_until_the_advised_command_ran()
    {
        await using var federation = await TestFederation.FoundAsync(members: 2, rounds: 1, steps: 1);
        var home = federation.HomeOf(0);
        await federation.Reader.ReadAsync(TestContext.Current.CancellationToken);
        var rounds = new RoundsClient(federation.Client, federation.Reader.State.RoundsContract);
        using var key = home.UnlockOperator(federation.Passphrase);
        using var sender = new TransactionSender(federation.Client, key, home.Settings.ChainId!.Value);
        await sender.SendOrThrowAsync(rounds.Recommit(Keccak256.Hash("somebody else's")), TestContext.Current.CancellationToken);

        var before = await CommitmentAsync(exitCode: 1);
        Assert.Equal("problem", before.Result);
        Assert.Contains($"fedchain recommit --home {home.Path}", before.Advice, StringComparison.Ordinal);
        var recommitted = await Fedchain.RunAsync(federation.Passphrase, ["recommit", "--home", home.Path]);
        Assert.True(recommitted.ExitCode == 0, recommitted.ToString());
        Assert.Equal("ok", (await CommitmentAsync(exitCode: 0)).Result);

        async Task<Check> CommitmentAsync(int exitCode) => (await ExamineAsync(home, exitCode, federation.Passphrase))["commitment"];
    }

    private static void Problem(Dictionary<string, Check> checks, string name, string detail, params string[] consequences)
    {
        Assert.Equal("problem", checks[name].Result);
        Assert.Contains(detail, checks[name].Detail, StringComparison.Ordinal);
        Assert.False(string.IsNullOrEmpty(checks[name].Advice));
        Assert.Equal([name], checks.Values.Where(c => c.Result == "problem").Select(c => c.Name).Except(consequences));
    }

    private Task<Dictionary<string, Check>> ExamineAsync(HomeFolder home, int exitCode)
    {
        scene.Forget();
        return ExamineAsync(home, exitCode, scene.Federation.Passphrase);
    }

    private static async Task<Dictionary<string, Check>> ExamineAsync(HomeFolder home, int exitCode, string? passphrase)
    {
        var outcome = await Fedchain.RunAsync(passphrase, ["doctor", "--home", home.Path, "--json"]);
        Assert.True(outcome.ExitCode == exitCode, outcome.ToString());
        var checks = JsonDocument.Parse(outcome.Output).RootElement.GetProperty("checks").EnumerateArray().Select(c => new Check(
            c.GetProperty("name").GetString()!, c.GetProperty("result").GetString()!, c.GetProperty("detail").GetString()!, c.GetProperty("advice").GetString()));
        return checks.ToDictionary(c => c.Name);
    }

    private static string FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
    }

    private sealed record Check(string Name, string Result, string Detail, string? Advice);
}

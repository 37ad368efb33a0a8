using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using FedChain.Learning;
using FedChain.Learning.Data;
using FedChain.Learning.Lora;
using FedChain.Learning.Tokenization;
using FedChain.Node.Models;
using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Files;
using FedChain.Protocol.Identity;
using FedChain.Protocol.Numerics;
using FedChain.Protocol.Rounds;
using FedChain.Tests;

namespace FedChain.EndToEnd.Tests;

/// <summary>A federation of three after two rounds, of which the second made things worse: 3 micronats for the base model, then 1, then 2.</summary>
public sealed class TwoRoundsFixture : IAsyncLifetime
{
    internal TestFederation Federation { get; private set; } = null!;

    internal ConcurrentQueue<PeerEvent> Events { get; } = new();

    internal RoundState First => Federation.Reader.State.Rounds[0];

    internal RoundState Second => Federation.Reader.State.Rounds[1];

    public async ValueTask InitializeAsync()
    {
        Federation = await TestFederation.FoundAsync(members: 3, rounds: 2, steps: 1);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromMinutes(5));
        var peers = await StartAsync([0, 1, 2], patience.Token);
        try
        {
            await Task.WhenAll(peers.Select(p => p.RunAsync((state, _) => state.Round(new RoundId(2)) is { FinalisedAt: not null }, patience.Token)));
        }
        finally
        {
            await StopAsync(peers);
        }

        await Federation.Reader.ReadAsync(patience.Token);
    }

    public async ValueTask DisposeAsync()
    {
        if (Federation is not null)
        {
            await Federation.DisposeAsync();
        }
    }

    internal async Task<List<PeerHost>> StartAsync(IEnumerable<int> members, CancellationToken cancellationToken)
    {
        var origin = Adapter.First(Federation.Layout, default, 20).Values[0];
        var peers = new List<PeerHost>();
        foreach (var i in members)
        {
            var trainer = new IntegerTrainer(Federation.Layout, i + 1, adapter => new Micronats(adapter.Values[0] - origin == 2 ? 1 : 2));
            peers.Add(await PeerHost.StartAsync(
                Federation.HomeOf(i), Federation.Passphrase, rpc: null, (_, _) => Task.FromResult<ILocalTrainer>(trainer), Events.Enqueue, TimeProvider.System, deceit: null, cancellationToken));
        }

        return peers;
    }

    internal static async Task StopAsync(List<PeerHost> peers)
    {
        foreach (var peer in peers)
        {
            await peer.DisposeAsync();
        }
    }
}

public sealed class IdentityAndAdapterTests(TwoRoundsFixture fixture) : IClassFixture<TwoRoundsFixture>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Home => fixture.Federation.Members[0].Home;

    private string Rpc => fixture.Federation.Chain.RpcUrl.ToString();

    private MemberDid Did => new(31337, fixture.Federation.Address, new MemberId(1));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_peer_says_by_itself_that_the_last_adapter_is_worse_here_than_one_before()
    {
        var measured = fixture.Events.OfType<PeerEvent.AdapterMeasured>().ToList();
        Assert.Equal([1u, 2u, 3u], measured.Where(e => e is { Round: 1, IsWorse: false, BestRound: 0 }).Select(e => e.Member).Order());
        Assert.Equal([1u, 2u, 3u], measured.Where(e => e is { Round: 2, IsWorse: true, BestRound: 1 }).Select(e => e.Member).Order());
        Assert.Contains("'fedchain adapter keep round:1' keeps using that", measured.First(e => e.Round == 2).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_kept_adapter_is_used_until_it_is_let_go()
    {
        var list = await JsonAsync("adapter", "list", "--home", Home, "--json");
        Assert.Equal([0.000001, 0.000002], list.GetProperty("adapters").EnumerateArray().Select(a => a.GetProperty("loss").GetDouble()));
        Assert.Equal(JsonValueKind.Null, list.GetProperty("kept").ValueKind);
        Assert.StartsWith("round:2 (latest) on ", await UsedAsync(), StringComparison.Ordinal);

        await DoneAsync("adapter", "keep", "round:1", "--home", Home);
        Assert.StartsWith("round:1 (kept) on ", await UsedAsync(), StringComparison.Ordinal);
        Assert.StartsWith("round:1 (kept) on ", await UsedAsync("--adapter", "kept"), StringComparison.Ordinal);
        Assert.StartsWith("round:2 (latest) on ", await UsedAsync("--adapter", "round:latest"), StringComparison.Ordinal);
        Assert.True((await JsonAsync("adapter", "list", "--home", Home, "--json")).GetProperty("adapters")[0].GetProperty("kept").GetBoolean());

        await DoneAsync("adapter", "keep", "none", "--home", Home);
        Assert.StartsWith("no adapter (kept) on ", await UsedAsync(), StringComparison.Ordinal);
        Refused("which is no adapter", await Fedchain.RunAsync("adapter", "export", "--home", Home, "--round", "kept", _folder["kept"]));
        await DoneAsync("adapter", "keep", "--clear", "--home", Home);
        Assert.StartsWith("round:2 (latest) on ", await UsedAsync(), StringComparison.Ordinal);
        Refused("keeps no adapter", await Fedchain.RunAsync("evaluate", "--home", Home, "--adapter", "kept"));
        Refused("not finalised", await Fedchain.RunAsync("adapter", "keep", "round:3", "--home", Home));
        Refused("what to keep", await Fedchain.RunAsync("adapter", "keep", "--home", Home));
    }

    [Fact]
    public async Task An_export_is_the_very_file_of_the_chain_and_a_PEFT_folder()
    {
        var target = _folder["adapter"];
        await DoneAsync("adapter", "export", "--home", Home, "--round", "1", "--base-model", "hospital/base", target);
        var aggregate = fixture.First.Winner!.Aggregate;
        Assert.Equal(aggregate, new Hash256(SHA256.HashData(await File.ReadAllBytesAsync(Path.Combine(target, PeftFolder.WeightsFile), TestContext.Current.CancellationToken))));
        var provenance = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(target, "fedchain.json"), TestContext.Current.CancellationToken)).RootElement;
        Assert.Equal(aggregate.ToString(), provenance.GetProperty("aggregate").GetString());
        Assert.Equal(fixture.First.Submissions.Select(s => s.Member.Value).Order(), provenance.GetProperty("contributors").EnumerateArray().Select(c => MemberDid.Parse(c.GetProperty("did").GetString()!).Member.Value).Order());
        Assert.Contains(aggregate.ToString(), await File.ReadAllTextAsync(Path.Combine(target, "README.md"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Refused("not an empty folder", await Fedchain.RunAsync("adapter", "export", "--home", Home, target));
        Assert.Equal(2, (await JsonAsync("adapter", "export", "--home", Home, "--json", _folder["latest"])).GetProperty("round").GetInt32());
        Assert.DoesNotContain(Directory.GetFileSystemEntries(_folder.Path), e => e.EndsWith(".tmp", StringComparison.Ordinal));

        // other eyes: read back as any PEFT folder, and by a program of its own, as far as there is one
        var peft = PeftFolder.Read(target);
        var tokenizer = SentencePieceTokenizer.LoadFrom(BaseModel.Own);
        using var model = CausalLanguageModel.Load(BaseModel.Own, ComputeDevice.Cpu);
        var records = PreparedData.From(InstitutionData.Load(fixture.Federation.HomeOf(0).Settings.Data!), tokenizer, model.Config.ContextLength, mostTest: 8).Test;
        model.AttachAdapter(peft);
        var opened = model.Evaluate(records, cancellationToken: TestContext.Current.CancellationToken);
        model.DetachAdapter();
        using (var file = File.OpenRead(fixture.Federation.HomeOf(0).AdapterFile(aggregate)))
        {
            model.AttachAdapter(new AdapterConfig(peft.Config.Rank, peft.Config.Alpha, peft.Config.Targets), AdapterFile.Read(file, file.Length, 20, fixture.Federation.Layout, out _));
        }

        Assert.Equal(model.Evaluate(records, cancellationToken: TestContext.Current.CancellationToken), opened);
        await CheckWithPythonAsync(target);
    }

    [Fact]
    public async Task An_exported_adapter_comes_in_elsewhere_as_the_same_file_and_another_must_suit_the_policy()
    {
        var aggregate = fixture.First.Winner!.Aggregate.ToString();
        await DoneAsync("adapter", "export", "--home", Home, "--round", "1", _folder["one"]);
        var imported = await JsonAsync("adapter", "import", "--home", Home, "--json", _folder["one"]);
        Assert.Equal((aggregate, true, 0.0), (imported.GetProperty("adapter").GetString(), imported.GetProperty("saysItsBase").GetBoolean(), imported.GetProperty("rounding").GetDouble()));
        Assert.StartsWith("imported:one on ", await UsedAsync("--adapter", "imported:one"), StringComparison.Ordinal);
        var listed = (await JsonAsync("adapter", "list", "--home", Home, "--json")).GetProperty("imported")[0];
        Assert.Equal(("imported:one", aggregate, false), (listed.GetProperty("name").GetString(), listed.GetProperty("adapter").GetString(), listed.GetProperty("kept").GetBoolean()));
        Assert.Contains($"     imported:one  {aggregate}", await DoneAsync("adapter", "list", "--home", Home), StringComparison.Ordinal);

        await DoneAsync("adapter", "merge", "--home", Home, "--adapter", "round:1", _folder["merged"]);
        await DoneAsync("adapter", "merge", "--home", Home, "--adapter", "imported:one", _folder["merged-again"]);
        Assert.Equal(await BaseModel.Open(_folder["merged"]).DigestAsync(TestContext.Current.CancellationToken), await BaseModel.Open(_folder["merged-again"]).DigestAsync(TestContext.Current.CancellationToken));

        var config = Path.Combine(_folder["one"], PeftFolder.ConfigFile);
        await File.WriteAllTextAsync(config, (await File.ReadAllTextAsync(config, TestContext.Current.CancellationToken)).Replace("\"lora_alpha\": ", "\"lora_alpha\": 1", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        string[] again = ["adapter", "import", "--home", Home, "--name", "two", _folder["one"]];
        Refused("the federation's policy says", await Fedchain.RunAsync(again));
        await DoneAsync([.. again, "--model", BaseModel.Own]);
    }

    [Fact]
    public async Task An_adapter_that_the_home_lacks_is_fetched_from_the_members()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var home = fixture.Federation.HomeOf(2);
        File.Delete(home.AdapterFile(fixture.First.Winner!.Aggregate));
        string[] generate = ["generate", "--home", home.Path, "--adapter", "round:1", "--max-tokens", "4", "What is it?"];
        Refused("doesn't hold the adapter", await Fedchain.RunAsync(generate));
        var peers = await fixture.StartAsync([0, 1], cancellation); // they serve; their loops stand still
        try
        {
            var outcome = await Fedchain.RunAsync(fixture.Federation.Passphrase, generate);
            Assert.True(outcome.ExitCode == 0, outcome.ToString());
            Assert.Contains("Using round:1 on ", outcome.Errors, StringComparison.Ordinal);
        }
        finally
        {
            await TwoRoundsFixture.StopAsync(peers);
        }

        Assert.Equal(fixture.First.Winner.Aggregate, new Hash256(SHA256.HashData(await File.ReadAllBytesAsync(home.AdapterFile(fixture.First.Winner.Aggregate), cancellation))));
    }

    [Fact]
    public async Task An_identity_is_resolved_from_the_chain_alone_and_linked_to_updates_and_adapters()
    {
        var resolution = await JsonAsync("identity", "show", Did.ToString(), "--rpc", Rpc, "--json");
        var document = resolution.GetProperty("didDocument");
        Assert.Equal(Did.ToString(), document.GetProperty("id").GetString());
        var seat = fixture.Federation.Reader.State.Seats[Did.Member];
        Assert.Contains(seat.Operator.ToString()[2..], document.GetProperty("verificationMethod")[0].GetProperty("blockchainAccountId").GetString()!, StringComparison.OrdinalIgnoreCase);
        Assert.Single(document.GetProperty("keyAgreement").EnumerateArray());
        var model = document.GetProperty("fedchainModel").GetProperty("modelId").GetString()!;
        Assert.Equal(resolution.ToString(), (await JsonAsync("identity", "show", "--home", Home, "--json")).ToString());
        Assert.Equal(resolution.ToString(), (await JsonAsync("identity", "show", "--member", "1", "--federation", Did.Membership.ToString(), "--rpc", Rpc, "--json")).ToString());

        var shown = await DoneAsync("identity", "show", "--home", Home);
        Assert.Contains(model, shown, StringComparison.Ordinal);
        Assert.Contains($"included in the global adapter {fixture.First.Winner!.Aggregate}, with 2 others", shown, StringComparison.Ordinal);
        Assert.Contains($"included in the global adapter {fixture.Second.Winner!.Aggregate}", shown, StringComparison.Ordinal);
        Assert.Contains("unavailable", await DoneAsync("identity", "show", Did.ToString(), "--rpc", Rpc), StringComparison.Ordinal);

        var history = await JsonAsync("history", "--home", Home, "--json");
        Assert.Contains(model, history[0].GetProperty("submissions").EnumerateArray().Select(s => s.GetProperty("model").GetString()));
        Assert.Equal(3, history[1].GetProperty("contributors").EnumerateArray().Select(c => c.GetProperty("model").GetString()).Distinct().Count());

        Refused("no member 9", await Fedchain.RunAsync("identity", "show", "--home", Home, "--member", "9"));
        Refused("leads to chain 31337", await Fedchain.RunAsync("identity", "show", (Did with { Chain = 1 }).ToString(), "--rpc", Rpc));
        Refused("has the form", await Fedchain.RunAsync("identity", "show", "did:web:example.org", "--rpc", Rpc));
        Refused("Which member?", await Fedchain.RunAsync("identity", "show", "--rpc", Rpc, "--federation", Did.Membership.ToString()));
    }

    [Fact]
    public async Task A_statement_is_signed_by_a_member_and_checked_by_anybody()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var (statement, report) = (_folder["statement.json"], _folder["report.pdf"]);
        var signed = await Fedchain.RunAsync(fixture.Federation.Passphrase, ["identity", "sign", "--home", Home, "--text", "Our board has \"reviewed\" it: größer.", "--output", statement]);
        Assert.True(signed.ExitCode == 0, signed.ToString());
        var check = await JsonAsync("identity", "check", statement, "--rpc", Rpc, "--json");
        Assert.True(check.GetProperty("holds").GetBoolean());
        Assert.Equal(Did.ToString(), check.GetProperty("issuer").GetString());
        Assert.Contains("is the operator since block", check.GetProperty("checks")[0].GetProperty("detail").GetString()!, StringComparison.Ordinal);

        await File.WriteAllTextAsync(statement, (await File.ReadAllTextAsync(statement, cancellation)).Replace("reviewed", "rejected", StringComparison.Ordinal), cancellation);
        var changed = await Fedchain.RunAsync("identity", "check", statement, "--rpc", Rpc);
        Assert.True(changed.ExitCode == 1, changed.ToString());
        Assert.Contains("never spoke for member 1", changed.Output, StringComparison.Ordinal);

        await File.WriteAllTextAsync(report, "a report", cancellation);
        var printed = await Fedchain.RunAsync(fixture.Federation.Passphrase, ["identity", "sign", "--home", Home, "--file", report, "--from", "holder"]);
        await File.WriteAllTextAsync(statement, printed.Output, cancellation);
        Assert.Contains("has the digest that was signed", await DoneAsync("identity", "check", statement, "--rpc", Rpc, "--document", report), StringComparison.Ordinal);
        await File.WriteAllTextAsync(report, "another report", cancellation);
        Assert.Equal(1, (await Fedchain.RunAsync("identity", "check", statement, "--rpc", Rpc, "--document", report)).ExitCode);
        Refused("no signed statement", await Fedchain.RunAsync("identity", "check", report, "--rpc", Rpc));
        Refused("Say what to sign", await Fedchain.RunAsync(fixture.Federation.Passphrase, ["identity", "sign", "--home", Home]));
    }

    [Fact]
    public async Task Records_are_checked_before_they_are_trained_on()
    {
        var data = fixture.Federation.HomeOf(0).Settings.Data!;
        var good = await JsonAsync("data", "check", "--home", Home, "--json");
        Assert.True(good.GetProperty("ok").GetBoolean());
        Assert.Equal(RecordFile.Read(data).Count(), good.GetProperty("report").GetProperty("records").GetInt32());
        Assert.True(good.GetProperty("report").GetProperty("tokenized").GetProperty("tokens").GetProperty("prompt").GetProperty("median").GetInt32() > 1);
        await File.WriteAllLinesAsync(_folder["bad.jsonl"], [.. await File.ReadAllLinesAsync(data, TestContext.Current.CancellationToken), "{", "[]"], TestContext.Current.CancellationToken);
        var bad = await Fedchain.RunAsync("data", "check", _folder["bad.jsonl"]);
        Assert.True(bad.ExitCode == 1, bad.ToString());
        var lines = (await File.ReadAllLinesAsync(data, TestContext.Current.CancellationToken)).Length;
        Assert.Contains($"line {lines + 1}:", bad.Output, StringComparison.Ordinal);
        Assert.Contains($"line {lines + 2}:", bad.Output, StringComparison.Ordinal);
        Refused("does not exist", await Fedchain.RunAsync("data", "check", _folder["nothing.jsonl"]));
    }

    private static async Task CheckWithPythonAsync(string folder)
    {
        var python = new[] { "/usr/bin/python3", "/usr/local/bin/python3" }.FirstOrDefault(File.Exists);
        if (python is null)
        {
            return; // the checks above hold without it
        }

        string[] reference = [.. Shared.VectorFolders("llm/lora/llama_qv_r4").Take(1)];
        var start = new ProcessStartInfo(python, [Path.Combine(Shared.RepositoryRoot, "tests", "vectors", "peft_folder.py"), folder, BaseModel.Own, .. reference]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, errors);
        Assert.StartsWith("ok: ", await output, StringComparison.Ordinal);
    }

    private async Task<string> UsedAsync(params string[] options) =>
        (await JsonAsync(["evaluate", "--home", Home, "--max-records", "2", "--json", .. options])).GetProperty("adapter").GetString()!;

    private static async Task<JsonElement> JsonAsync(params string[] arguments) => JsonDocument.Parse(await DoneAsync(arguments)).RootElement;

    private static async Task<string> DoneAsync(params string[] arguments)
    {
        var outcome = await Fedchain.RunAsync(arguments);
        Assert.True(outcome.ExitCode == 0, outcome.ToString());
        return outcome.Output;
    }

    private static void Refused(string sentence, Fedchain.Outcome outcome)
    {
        Assert.True(outcome.ExitCode == 1, outcome.ToString());
        Assert.Contains(sentence, outcome.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", outcome.Errors, StringComparison.Ordinal);
    }
}

using FedChain.Node.LocalChain;
using FedChain.Tests;

namespace FedChain.EndToEnd.Tests;

/// <summary>What a person gets who makes a mistake: a sentence, the right exit code, and nothing half-done.</summary>
public sealed class BadInputTests
{
    private const string NobodysAddress = "0x00000000000000000000000000000000000000aa";

    [Fact]
    public async Task An_unknown_command_or_option_is_misuse()
    {
        Assert.Equal(2, (await Fedchain.RunAsync("demmo")).ExitCode);
        Assert.Equal(2, (await Fedchain.RunAsync("demo", "--members", "1")).ExitCode);
        foreach (var (command, option) in new[] { ("demo", "--members"), ("demo", "--rounds"), ("verify", "--from-round"), ("doctor", "--rounds") })
        {
            foreach (var wrong in new[] { "0", "many" })
            {
                var refused = await Fedchain.RunAsync(command, option, wrong);
                Assert.Equal(2, refused.ExitCode);
                Assert.Contains(option, refused.Errors, StringComparison.Ordinal);
                Assert.Contains(wrong, refused.Errors, StringComparison.Ordinal);
            }
        }

        var outcome = await Fedchain.RunAsync("status", "--federation", "0x12");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("40 hex digits", outcome.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_command_explains_itself_with_an_example()
    {
        string[] commands =
        [
            "demo", "init", "deploy", "activate", "node", "doctor", "status", "history", "verify", "evaluate", "generate", "chat", "model pretrain", "chain",
            "apply", "propose", "propose admit", "propose expel", "propose recover", "propose auditor", "propose auditor grant", "propose auditor revoke", "propose policy",
            "propose pause", "propose resume", "propose successor", "propose setting", "proposals", "vote", "queue", "execute", "cancel",
            "profile show", "profile update", "rotate operator", "rotate age", "recommit", "recover", "dormant", "wake", "leave", "backup", "restore",
            "identity show", "identity sign", "identity check", "adapter export", "adapter import", "adapter keep", "adapter list", "adapter merge", "data check", "study",
        ];
        foreach (var command in commands)
        {
            var outcome = await Fedchain.RunAsync([.. command.Split(' '), "--help"]);
            Assert.True(outcome.ExitCode == 0, outcome.ToString());
            Assert.Contains("Example", outcome.Output, StringComparison.Ordinal);
            Assert.Contains($"fedchain {command}", outcome.Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_home_is_made_once_and_never_over_something_else()
    {
        using var folder = new TemporaryFolder();
        var made = await InitAsync(folder["home"]);
        Assert.True(made.ExitCode == 0, made.ToString());
        var keys = Directory.GetFiles(Path.Combine(folder["home"], "keys")).Select(File.ReadAllText).ToList();
        var again = await InitAsync(folder["home"]);
        Refused(again, "is not empty");
        Assert.Equal(keys, Directory.GetFiles(Path.Combine(folder["home"], "keys")).Select(File.ReadAllText));
        Refused(await Fedchain.RunAsync("init", "--home", folder["other"], "--name", "x"), "FEDCHAIN_PASSPHRASE");
        Refused(await Fedchain.RunAsync("secret", ["init", "--home", folder["other"], "--name", "x", "--listen", "nowhere"]), "--listen");
        Assert.False(Directory.Exists(folder["other"]));
        Refused(await Fedchain.RunAsync("status", "--home", folder["other"]), "is no FedChain home");
    }

    [Fact]
    public async Task A_wrong_passphrase_opens_nothing()
    {
        using var folder = new TemporaryFolder();
        await InitAsync(folder["home"]);
        Refused(await Fedchain.RunAsync("wrong", ["activate", "--home", folder["home"], "--rpc", "http://127.0.0.1:9", "--federation", NobodysAddress]), "passphrase does not open");
    }

    [Fact]
    public async Task A_chain_that_is_not_there_is_named()
    {
        Refused(await Fedchain.RunAsync("status", "--rpc", "http://127.0.0.1:9/", "--federation", NobodysAddress), "127.0.0.1:9");
        Refused(await Fedchain.RunAsync("status", "--rpc", "ftp://x", "--federation", NobodysAddress), "http or https");
        Refused(await Fedchain.RunAsync("status", "--federation", NobodysAddress), "--rpc");
    }

    [Fact]
    public async Task An_address_without_a_federation_is_named()
    {
        Assert.SkipUnless(NpmPackages.IsNpmAvailable(), "npm is missing, and the local chain comes from an npm package.");
        await NpmPackages.EnsureAsync(Shared.RepositoryRoot, cancellationToken: TestContext.Current.CancellationToken);
        await using var chain = await AnvilChain.StartAsync(new AnvilOptions { RepositoryRoot = Shared.RepositoryRoot }, TestContext.Current.CancellationToken);
        Refused(await Fedchain.RunAsync("verify", "--rpc", chain.RpcUrl.ToString(), "--federation", NobodysAddress), "no contract at");
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData("{\"prompt\": \"a\", \"response\": \"b\"}\n{\"prompt\": 1}\n", "line 2")]
    [InlineData("not json\n", "line 1")]
    public async Task A_malformed_data_file_is_named_with_its_line(string content, string expected)
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["data"]);
        await File.WriteAllTextAsync(Path.Combine(folder["data"], "ward.jsonl"), content, TestContext.Current.CancellationToken);
        var outcome = await Fedchain.RunAsync("model", "pretrain", "--data", folder["data"], "--output", folder["model"]);
        Refused(outcome, "ward.jsonl");
        Assert.Contains(expected, outcome.Errors, StringComparison.OrdinalIgnoreCase);
        Assert.False(Directory.Exists(folder["model"]));
    }

    [Fact]
    public async Task A_model_folder_that_lacks_a_file_or_has_another_architecture_is_refused()
    {
        using var folder = new TemporaryFolder();
        await Fedchain.RunAsync("secret", ["init", "--home", folder["home"], "--name", "x", "--model", folder["model"]]);
        string[] evaluate = ["evaluate", "--home", folder["home"], "--adapter", "none"];
        Refused(await Fedchain.RunAsync(evaluate), "does not exist");
        CopyOwnModel(folder["model"]);
        File.Delete(Path.Combine(folder["model"], "tokenizer.model"));
        Refused(await Fedchain.RunAsync(evaluate), "lacks tokenizer.json (or tokenizer.model)");
        CopyOwnModel(folder["model"]);
        var config = Path.Combine(folder["model"], "config.json");
        await File.WriteAllTextAsync(config, (await File.ReadAllTextAsync(config, TestContext.Current.CancellationToken)).Replace("llama", "mamba", StringComparison.OrdinalIgnoreCase), TestContext.Current.CancellationToken);
        Refused(await Fedchain.RunAsync(evaluate), "mamba");
    }

    private static Task<Fedchain.Outcome> InitAsync(string home) => Fedchain.RunAsync("secret", ["init", "--home", home, "--name", "St. Test", "--listen", "127.0.0.1:7420"]);

    private static void Refused(Fedchain.Outcome outcome, string sentence)
    {
        Assert.True(outcome.ExitCode == 1, outcome.ToString());
        Assert.Contains(sentence, outcome.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", outcome.Errors, StringComparison.Ordinal);
    }

    private static void CopyOwnModel(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.GetFiles(Node.Models.BaseModel.Own))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
        }
    }
}

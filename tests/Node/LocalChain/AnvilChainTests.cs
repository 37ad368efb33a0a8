using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using FedChain.Node.LocalChain;

namespace FedChain.Tests.Node.LocalChain;

/// <summary>Runs the real anvil.</summary>
public sealed class AnvilChainTests : IDisposable
{
    private const string Account = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"; // anvil's first

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("fedchain-anvil-");
    private readonly HttpClient _http = new();

    public void Dispose()
    {
        _http.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_chain_keeps_its_blocks_and_logs_over_a_restart()
    {
        var options = await OptionsAsync(stateFile: true);
        JsonElement before;
        await using (var chain = await AnvilChain.StartAsync(options, TestContext.Current.CancellationToken))
        {
            await LogAsync(chain);
            await LogAsync(chain);
            before = await CallAsync(chain, "eth_getLogs", new { fromBlock = "0x0", toBlock = "latest" });
            Assert.Equal(2, before.GetArrayLength());
        }

        await using var again = await AnvilChain.StartAsync(options, TestContext.Current.CancellationToken);
        var after = await CallAsync(again, "eth_getLogs", new { fromBlock = "0x0", toBlock = "0x2" });
        Assert.Equal(before.GetRawText(), after.GetRawText());
        Assert.Equal("0x2", (await CallAsync(again, "eth_blockNumber")).GetString());
        await LogAsync(again);
        Assert.Equal("0x3", (await CallAsync(again, "eth_blockNumber")).GetString());
    }

    [Fact]
    public async Task A_chain_has_the_id_it_was_asked_for()
    {
        await using var chain = await AnvilChain.StartAsync(await OptionsAsync() with { ChainId = 424242 }, TestContext.Current.CancellationToken);
        Assert.Equal("0x67932", (await CallAsync(chain, "eth_chainId")).GetString());
    }

    [Fact]
    public async Task A_stopped_chain_leaves_no_process()
    {
        var chain = await AnvilChain.StartAsync(await OptionsAsync(), TestContext.Current.CancellationToken);
        var id = chain.ProcessId;
        Assert.True(IsRunning(id));
        await chain.DisposeAsync();
        Assert.False(IsRunning(id));
    }

    [Fact]
    public async Task A_chain_stops_and_saves_when_its_parent_is_killed()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There is no watchdog on Windows.");
        var state = Path.Combine(_folder.FullName, "chain.json");
        var options = await OptionsAsync();
        // A parent that has nothing to do with us: `sleep` holds the pipe, as this process does for its own chains.
        var start = new ProcessStartInfo(
            "sh",
            [
                "-c", "sleep 600 | { echo $$; sh -c \"$0\" anvil \"$@\"; }", AnvilChain.Watchdog, AnvilChain.FindProgram(options.RepositoryRoot),
                .. AnvilChain.Arguments(options with { StateFile = state }),
            ])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        using var shell = Process.Start(start)!;
        string? line;
        do
        {
            line = await shell.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
            Assert.NotNull(line);
        }
        while (!line.StartsWith("Listening", StringComparison.Ordinal));

        Assert.False(File.Exists(state));
        var sleeping = Process.GetProcessesByName("sleep").Single(p => File.ReadAllText($"/proc/{p.Id}/stat").Split(' ')[3] == $"{shell.Id}");
        sleeping.Kill();
        await shell.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.True(File.Exists(state));
    }

    [Fact]
    public async Task A_port_in_use_is_refused_with_what_anvil_said()
    {
        var options = await OptionsAsync();
        await using var first = await AnvilChain.StartAsync(options, TestContext.Current.CancellationToken);
        var error = await Assert.ThrowsAsync<LocalChainException>(
            () => AnvilChain.StartAsync(options with { Port = first.RpcUrl.Port }, TestContext.Current.CancellationToken));
        Assert.Contains("in use", error.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_repository_without_packages_is_refused_with_what_to_do()
    {
        var error = await Assert.ThrowsAsync<LocalChainException>(
            () => AnvilChain.StartAsync(new AnvilOptions { RepositoryRoot = _folder.FullName }, TestContext.Current.CancellationToken));
        Assert.Contains("npm ci", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Installed_packages_are_not_installed_again()
    {
        await OptionsAsync();
        var lines = new Lines();
        await NpmPackages.EnsureAsync(Shared.RepositoryRoot, lines, TestContext.Current.CancellationToken);
        Assert.Empty(lines.Taken);
    }

    [Fact]
    public async Task A_folder_without_a_lock_file_is_refused()
    {
        var error = await Assert.ThrowsAsync<LocalChainException>(
            () => NpmPackages.EnsureAsync(_folder.FullName, cancellationToken: TestContext.Current.CancellationToken));
        Assert.Contains("package-lock.json", error.Message, StringComparison.Ordinal);
    }

    private static bool IsRunning(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            return !process.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private async Task<AnvilOptions> OptionsAsync(bool stateFile = false)
    {
        Assert.SkipUnless(NpmPackages.IsNpmAvailable(), "npm is not installed.");
        await NpmPackages.EnsureAsync(Shared.RepositoryRoot, cancellationToken: TestContext.Current.CancellationToken);
        return new AnvilOptions
        {
            RepositoryRoot = Shared.RepositoryRoot,
            StateFile = stateFile ? Path.Combine(_folder.FullName, "state", "chain.json") : null,
        };
    }

    /// <summary>Deploys code that only logs: PUSH1 0, PUSH1 0, LOG0, STOP.</summary>
    private async Task LogAsync(AnvilChain chain)
    {
        var hash = await CallAsync(chain, "eth_sendTransaction", new { from = Account, data = "0x60006000a000" });
        JsonElement receipt;
        do
        {
            receipt = await CallAsync(chain, "eth_getTransactionReceipt", hash.GetString()!);
        }
        while (receipt.ValueKind == JsonValueKind.Null);
        Assert.Equal("0x1", receipt.GetProperty("status").GetString());
    }

    private async Task<JsonElement> CallAsync(AnvilChain chain, string method, params object[] parameters)
    {
        using var response = await _http.PostAsJsonAsync(
            chain.RpcUrl, new { jsonrpc = "2.0", id = 1, method, @params = parameters }, TestContext.Current.CancellationToken);
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        return answer.TryGetProperty("result", out var result) ? result : throw new InvalidOperationException(answer.GetRawText());
    }

    private sealed class Lines : IProgress<string>
    {
        public List<string> Taken { get; } = [];

        public void Report(string value) => Taken.Add(value);
    }
}

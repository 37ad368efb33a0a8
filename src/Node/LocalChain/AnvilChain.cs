using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace FedChain.Node.LocalChain;

/// <summary>
/// A local EVM chain (Foundry's anvil, from npm) as a child process. It stops when this is disposed of, and also when this process dies in
/// whatever way: a watchdog beside it waits for the end of a pipe that only this process holds, and then interrupts it, upon which it saves
/// its state. (Linux could send a signal on a parent's death, but means the parent *thread*, and .NET's come and go.)
/// </summary>
public sealed class AnvilChain : IAsyncDisposable
{
    /// <summary>The private key of the first account that anvil funds. Known to everybody: for local chains only.</summary>
    public const string DevelopmentKey = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

    /// <summary>fd 3 is the pipe. After the exec, $$ is anvil, and what the caller sees die.</summary>
    internal const string Watchdog = "exec 3<&0; { cat <&3; kill -INT $$; } >/dev/null 2>&1 & exec 3<&-; exec \"$@\" </dev/null";

    private const string Listening = "Listening on ";

    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(15);

    private readonly Process _process;

    private AnvilChain(Process process, Uri rpcUrl) => (_process, RpcUrl) = (process, rpcUrl);

    /// <summary>Where it takes JSON-RPC requests, on 127.0.0.1.</summary>
    public Uri RpcUrl { get; }

    public int ProcessId => _process.Id;

    /// <summary>Completes when the process has ended, by itself or because it was stopped.</summary>
    public Task Exited => _process.WaitForExitAsync();

    /// <summary>Starts the chain and returns once it listens. The npm packages have to be installed: <see cref="NpmPackages"/>.</summary>
    /// <exception cref="LocalChainException">anvil is not installed, or did not start; the message carries what it said.</exception>
    public static async Task<AnvilChain> StartAsync(AnvilOptions options, CancellationToken cancellationToken = default)
    {
        var arguments = Arguments(options);
        var start = OperatingSystem.IsWindows()
            ? new ProcessStartInfo(FindProgram(options.RepositoryRoot), arguments)
            : new ProcessStartInfo("sh", ["-c", Watchdog, "anvil", FindProgram(options.RepositoryRoot), .. arguments]);
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        start.UseShellExecute = false;

        var process = new Process { StartInfo = start };
        var said = new List<string>();
        var listening = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
        void Take(object sender, DataReceivedEventArgs e)
        {
            if (e.Data is not { Length: > 0 } line || listening.Task.IsCompleted)
            {
                return; // once it runs, it is read only so that it doesn't block on a full pipe
            }

            lock (said)
            {
                said.Add(line);
            }

            if (line.StartsWith(Listening, StringComparison.Ordinal))
            {
                listening.TrySetResult(new Uri($"http://{line[Listening.Length..].Trim()}/"));
            }
        }

        process.OutputDataReceived += Take;
        process.ErrorDataReceived += Take;
        try
        {
            process.Start();
        }
        catch (Win32Exception e)
        {
            process.Dispose();
            throw new LocalChainException($"anvil can't be run: {e.Message}", e);
        }

        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var exited = process.WaitForExitAsync(CancellationToken.None);
        try
        {
            await Task.WhenAny(listening.Task, exited).WaitAsync(options.StartLimit, cancellationToken);
            if (listening.Task.IsCompleted)
            {
                return new AnvilChain(process, await listening.Task);
            }
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            if (e is OperationCanceledException)
            {
                process.Dispose();
                throw;
            }
        }

        process.Dispose();
        lock (said)
        {
            throw new LocalChainException(
                $"anvil did not start (port {(options.Port == 0 ? "any" : options.Port)}, state {options.StateFile ?? "none"}). It said:\n"
                + string.Join('\n', said.TakeLast(20)));
        }
    }

    /// <summary>Moves the chain's clock on, and mines a block at the new time. No real chain can do this.</summary>
    /// <exception cref="LocalChainException">anvil refused; the message carries its answer.</exception>
    public async Task AdvanceAsync(HttpClient http, TimeSpan time, CancellationToken cancellationToken)
    {
        foreach (var (method, parameters) in new[] { ("evm_increaseTime", new object[] { (long)time.TotalSeconds }), ("evm_mine", []) })
        {
            using var response = await http.PostAsJsonAsync(RpcUrl, new { jsonrpc = "2.0", id = 1, method, @params = parameters }, cancellationToken);
            var answer = await response.Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
            if (!answer.TryGetProperty("result", out _))
            {
                throw new LocalChainException($"anvil refused {method}: {answer}");
            }
        }
    }

    /// <summary>Interrupts it, so that it saves its state, and waits for its end.</summary>
    public async ValueTask DisposeAsync()
    {
        if (OperatingSystem.IsWindows() && !_process.HasExited)
        {
            _process.Kill(entireProcessTree: true); // no interrupt there: what the interval saved has to do
        }

        try
        {
            _process.StandardInput.Close(); // the watchdog interrupts it
        }
        catch (IOException)
        {
            // The watchdog is gone already; so is, or will be, anvil.
        }

        try
        {
            await _process.WaitForExitAsync().WaitAsync(StopLimit);
        }
        catch (TimeoutException)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    internal static List<string> Arguments(AnvilOptions options)
    {
        List<string> arguments =
        [
            "--host", "127.0.0.1",
            "--port", options.Port.ToString(CultureInfo.InvariantCulture),
            "--chain-id", options.ChainId.ToString(CultureInfo.InvariantCulture),
            "--hardfork", "cancun", // what the contracts are compiled for, and the least that a chain must be
            "--prune-history", options.PastStates.ToString(CultureInfo.InvariantCulture),
        ];
        if (options.StateFile is { } file)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
            arguments.AddRange("--state", file, "--state-interval", Math.Max(1, (long)options.SaveInterval.TotalSeconds).ToString(CultureInfo.InvariantCulture));
        }

        if (options.BlockTime is { } blockTime)
        {
            arguments.AddRange("--block-time", blockTime.TotalSeconds.ToString(CultureInfo.InvariantCulture));
        }

        return arguments;
    }

    /// <summary>npm runs no install scripts, so the package's own launcher may not work: the platform's package holds the program.</summary>
    internal static string FindProgram(string repositoryRoot)
    {
        var system = OperatingSystem.IsWindows() ? "win32" : OperatingSystem.IsMacOS() ? "darwin" : "linux";
        var processor = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "amd64";
        var program = Path.Combine(
            repositoryRoot, "node_modules", "@foundry-rs", $"anvil-{system}-{processor}", "bin", OperatingSystem.IsWindows() ? "anvil.exe" : "anvil");
        return File.Exists(program)
            ? program
            : throw new LocalChainException($"The local chain is not installed: there is no {program}. Run 'npm ci' in {repositoryRoot} (README: Node).");
    }
}

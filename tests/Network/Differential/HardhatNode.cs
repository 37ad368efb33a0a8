using System.Text.RegularExpressions;
using FedChain.Node.LocalChain;
using FedChain.Tests;

namespace FedChain.Network.Tests.Differential;

/// <summary>Hardhat's node as a child process, until it is disposed of.</summary>
internal sealed partial class HardhatNode : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop;
    private readonly Task _run;

    private HardhatNode(Uri rpcUrl, Task run, CancellationTokenSource stop) => (RpcUrl, _run, _stop) = (rpcUrl, run, stop);

    public Uri RpcUrl { get; }

    public static async Task<HardhatNode> StartAsync(CancellationToken cancellation)
    {
        var stop = new CancellationTokenSource();
        var listening = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
        var said = new List<string>();
        var run = ChildProcess.RunAsync(
            NpmPackages.Npm(
                "npx", Shared.RepositoryRoot, "--no-install", "node", "node_modules/hardhat/dist/src/cli.js", "--config",
                "tests/Network/Differential/hardhat.node.config.js", "node", "--hostname", "127.0.0.1", "--port", "0"),
            line =>
            {
                if (!listening.Task.IsCompleted)
                {
                    said.Add(line);
                    if (Started().Match(line) is { Success: true } match)
                    {
                        listening.TrySetResult(new Uri(match.Groups["url"].Value));
                    }
                }
            },
            stop.Token);
        await Task.WhenAny(listening.Task, run).WaitAsync(TimeSpan.FromSeconds(60), cancellation);
        return listening.Task.IsCompleted
            ? new HardhatNode(await listening.Task, run, stop)
            : throw new LocalChainException($"Hardhat's node did not start. It said:\n{string.Join('\n', said)}");
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAny(_run);
        _stop.Dispose();
    }

    [GeneratedRegex("JSON-RPC server at (?<url>http://[0-9.:]+/)", RegexOptions.None, 1000)]
    private static partial Regex Started();
}

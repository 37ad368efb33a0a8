using System.Diagnostics;
using System.Text.Json;
using FedChain.Network.Content;
using FedChain.Node.LocalChain;

namespace FedChain.Tests.Ipfs;

/// <summary>A real IPFS node (js-ipfs) as a child process on loopback, until it is disposed of or this process ends.</summary>
internal sealed class IpfsNode : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5); // a start takes seconds; far more where processors are shared

    private readonly Process _process;
    private readonly string[] _addresses;
    private readonly HttpClient _http = new();

    private IpfsNode(Process process, Uri api, string[] addresses) => (_process, Api, _addresses) = (process, api, addresses);

    /// <summary>Its RPC API.</summary>
    public Uri Api { get; }

    private static string Folder => Path.Combine(Shared.RepositoryRoot, "tests", "Network", "Ipfs", "js-ipfs");

    /// <summary>
    /// Starts nodes that know of each other. js-ipfs is installed first, once for a clone: about a minute with npm's cache, five without.
    /// Skips the test where npm is missing, or can't install it.
    /// </summary>
    /// <param name="folder">For the nodes' repositories.</param>
    public static async Task<IReadOnlyList<IpfsNode>> StartAsync(int count, string folder, CancellationToken cancellation)
    {
        Assert.SkipUnless(NpmPackages.IsNpmAvailable(), "npm is missing, and the IPFS nodes come from an npm package.");
        await NpmPackages.EnsureAsync(Shared.RepositoryRoot, cancellationToken: cancellation); // for its Node
        try
        {
            await NpmPackages.EnsureAsync(Folder, cancellationToken: cancellation);
        }
        catch (LocalChainException e)
        {
            Assert.Skip($"js-ipfs could not be installed (no network, and not in npm's cache?): {e.Message}");
        }

        var nodes = new List<IpfsNode>();
        try
        {
            for (var i = 0; i < count; i++)
            {
                nodes.Add(await StartAsync(Path.Combine(folder, $"ipfs-{i}"), cancellation));
            }

            foreach (var node in nodes.Skip(1))
            {
                await node.ConnectAsync(nodes[0], cancellation);
            }

            if (count > 2)
            {
                await nodes[2].ConnectAsync(nodes[1], cancellation);
            }

            return nodes;
        }
        catch
        {
            foreach (var node in nodes)
            {
                await node.DisposeAsync();
            }

            throw;
        }
    }

    public KuboStore OpenStore() => new(new KuboOptions { Api = Api, SwarmPatience = TimeSpan.FromSeconds(20) }); // nodes on a busy machine are slow

    /// <summary>A command of the RPC API, for what the store has no use for.</summary>
    public async Task<JsonElement> CallAsync(string command, CancellationToken cancellation)
    {
        using var response = await _http.PostAsync(new Uri(Api, $"/api/v0/{command}"), content: null, cancellation);
        var text = await response.Content.ReadAsStringAsync(cancellation);
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonDocument.Parse(text).RootElement;
    }

    /// <summary>Returns once this many bytes of blocks have come to this node by bitswap. It counts them some time after they came.</summary>
    public async Task ReceivedAsync(long bytes, CancellationToken cancellation)
    {
        while (await ReceivedAsync(cancellation) < bytes)
        {
            await Task.Delay(100, cancellation);
        }
    }

    /// <summary>Bytes of blocks that it has counted.</summary>
    public async Task<long> ReceivedAsync(CancellationToken cancellation)
    {
        var value = (await CallAsync("bitswap/stat", cancellation)).GetProperty("DataReceived");
        return value.ValueKind == JsonValueKind.String ? long.Parse(value.GetString()!, System.Globalization.CultureInfo.InvariantCulture) : value.GetInt64();
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private static async Task<IpfsNode> StartAsync(string repository, CancellationToken cancellation)
    {
        var start = NpmPackages.Npm("npx", Shared.RepositoryRoot, "--no-install", "node", Path.Combine(Folder, "node.mjs"), repository);
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        var process = Process.Start(start)!;
        var complaints = process.StandardError.ReadToEndAsync(CancellationToken.None);
        try
        {
            var line = await process.StandardOutput.ReadLineAsync(cancellation).AsTask().WaitAsync(Patience, cancellation);
            Assert.True(line is not null, line is null ? $"js-ipfs did not start: {await complaints}" : "");
            using var said = JsonDocument.Parse(line!);
            return new IpfsNode(
                process, new Uri(said.RootElement.GetProperty("api").GetString()!), [.. said.RootElement.GetProperty("swarm").EnumerateArray().Select(a => a.GetString()!)]);
        }
        catch
        {
            process.Kill(entireProcessTree: true);
            process.Dispose();
            throw;
        }
    }

    private Task ConnectAsync(IpfsNode other, CancellationToken cancellation) => CallAsync($"swarm/connect?arg={Uri.EscapeDataString(other._addresses[0])}", cancellation);
}

using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using FedChain.Network.Content;
using FedChain.Network.Tests.Content;
using FedChain.Node.LocalChain;
using FedChain.Protocol.Content;
using FedChain.Tests;

namespace FedChain.Network.Tests.Ipfs;

/// <summary>Our gateway, read by programs that know the trustless-gateway protocol and nothing of us: Helia, and the CAR reader of the IPLD project.</summary>
public sealed class GatewayReaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static string Programs => Path.Combine(Shared.RepositoryRoot, "tests", "Network", "Ipfs", "gateway-readers");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1000)]
    [InlineData(700_000)]
    [InlineData(46_000_000)] // two levels of nodes above the leaves
    public async Task Files_blocks_and_cars_are_read_by_other_peoples_programs(int size)
    {
        using var store = new BlockStore(_folder.Path);
        var (content, block) = (Bytes.Of(size), Bytes.Of(3000, seed: 2));
        var (file, _) = await store.AddAsync(new MemoryStream(content), Cancel);
        var blocks = store.List().ToHashSet();
        var single = await store.AddBlockAsync(block, Cancel);
        await using var gateway = await ContentGateway.StartAsync(store, federation: null, new ContentGatewayOptions(), Cancel);

        var said = await ReadAsync(gateway.BaseAddress, file, single);

        Same(content, said.GetProperty("file"));
        Same(block, said.GetProperty("block"));
        var car = said.GetProperty("car");
        Assert.Equal(200, car.GetProperty("status").GetInt32());
        Assert.Equal([file.ToString()], car.GetProperty("roots").EnumerateArray().Select(r => r.GetString()!));
        var served = car.GetProperty("blocks").EnumerateArray().ToList();
        Assert.All(served, b => Assert.True(b.GetProperty("whole").GetBoolean(), b.ToString()));
        Assert.Equal(blocks.Select(b => b.ToString()).Order(), served.Select(b => b.GetProperty("cid").GetString()!).Order());
        Assert.Equal(file.ToString(), served[0].GetProperty("cid").GetString());
    }

    private static void Same(byte[] expected, JsonElement read)
    {
        Assert.Equal(expected.Length, read.GetProperty("bytes").GetInt32());
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(expected)), read.GetProperty("sha256").GetString());
    }

    /// <summary>Installs the programs first, once for a clone: some 20 s with npm's cache. Skips the test where npm is missing, or can't install them.</summary>
    private static async Task<JsonElement> ReadAsync(Uri gateway, Cid file, Cid block)
    {
        Assert.SkipUnless(NpmPackages.IsNpmAvailable(), "npm is missing, and the programs come from npm packages.");
        try
        {
            await NpmPackages.EnsureAsync(Programs, cancellationToken: Cancel);
        }
        catch (LocalChainException e)
        {
            Assert.Skip($"Helia could not be installed (no network, and not in npm's cache?): {e.Message}");
        }

        var start = NpmPackages.Npm("npx", Shared.RepositoryRoot, "--no-install", "node", Path.Combine(Programs, "read.mjs"), gateway.ToString().TrimEnd('/'), file.ToString(), block.ToString());
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        using var process = Process.Start(start)!;
        var complaints = process.StandardError.ReadToEndAsync(Cancel);
        var output = await process.StandardOutput.ReadToEndAsync(Cancel);
        await process.WaitForExitAsync(Cancel);
        Assert.True(process.ExitCode == 0 && output.Length > 0, $"exit code {process.ExitCode}: {output}{await complaints}");
        var said = JsonDocument.Parse(output).RootElement;
        Assert.False(said.TryGetProperty("error", out var error), error.ToString());
        return said;
    }
}

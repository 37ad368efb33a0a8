using System.Text.Json;
using System.Text.Json.Nodes;
using FedChain.Network.Chain;
using FedChain.Node.LocalChain;
using FedChain.Protocol;
using FedChain.Tests;
using Microsoft.Extensions.Time.Testing;

namespace FedChain.Network.Tests.Chain;

public sealed class ProviderTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_node_that_fails_is_passed_over_at_once_and_used_again_when_it_works()
    {
        await using var chain = await LocalChain.StartAsync();
        await using var first = new FaultyProxy(chain.Client.Endpoint, seed: 1);
        var time = new FakeTimeProvider();
        using var http = new HttpClient();
        var changes = new List<ProviderChange>();
        var client = new ChainClient(http, [first.Address, chain.Client.Endpoint], new ChainOptions { Retries = 0 }, time) { ProviderChanged = changes.Add };
        Assert.Equal(0UL, await client.GetBlockNumberAsync(Cancellation));
        Assert.Equal(first.Address, client.Endpoint);

        first.IsOut = true;
        Assert.Equal(0UL, await client.GetBlockNumberAsync(Cancellation));
        Assert.Equal(chain.Client.Endpoint, client.Endpoint);
        Assert.Contains("can't be reached", client.Providers[0].Fault, StringComparison.Ordinal);
        Assert.False(client.Providers[0].IsInUse);
        Assert.Contains("passed over", client.Providers[0].ToString(), StringComparison.Ordinal);

        time.Advance(TimeSpan.FromMinutes(6)); // the outage lasts, and each look at it finds so
        Assert.Equal(0UL, await client.GetBlockNumberAsync(Cancellation));
        Assert.Equal(chain.Client.Endpoint, client.Endpoint);

        first.IsOut = false;
        while (client.Endpoint != first.Address) // it is looked at beside the requests
        {
            time.Advance(TimeSpan.FromMinutes(1));
            await client.GetBlockNumberAsync(Cancellation);
        }

        Assert.Null(client.Providers[0].Fault);
        Assert.Equal([(chain.Client.Endpoint.Authority, true), (first.Address.Authority, false)], changes.Select(c => (c.Now, c.Reason is not null)));
    }

    [Fact]
    public async Task When_all_fail_the_waits_grow_and_the_last_error_is_told()
    {
        await using var chain = await LocalChain.StartAsync();
        await using var first = new FaultyProxy(chain.Client.Endpoint, seed: 1) { IsOut = true };
        await using var second = new FaultyProxy(chain.Client.Endpoint, seed: 1) { IsOut = true };
        using var http = new HttpClient();
        var client = new ChainClient(http, [first.Address, second.Address], new ChainOptions { Retries = 2, RetryDelay = TimeSpan.FromMilliseconds(1) });
        var e = await Assert.ThrowsAsync<ChainException>(() => client.GetBlockNumberAsync(Cancellation));
        Assert.True(e.IsTransient);
        second.IsOut = false;
        first.IsOut = false;
        Assert.Equal(0UL, await client.GetBlockNumberAsync(Cancellation)); // also while both rest
    }

    [Fact]
    public async Task A_node_on_another_chain_is_never_asked()
    {
        await using var chain = await LocalChain.StartAsync();
        await using var stranger = await AnvilChain.StartAsync(new AnvilOptions { RepositoryRoot = Shared.RepositoryRoot, ChainId = 1 }, Cancellation);
        using var http = new HttpClient();
        var client = new ChainClient(http, [stranger.RpcUrl, chain.Client.Endpoint], new ChainOptions { ChainId = LocalChain.ChainId });
        Assert.Equal(LocalChain.ChainId, await client.GetChainIdAsync(Cancellation));
        Assert.Equal("It is on chain 1, not 31337.", client.Providers[0].Fault);

        var unsaid = new ChainClient(http, [stranger.RpcUrl, chain.Client.Endpoint]);
        var e = await Assert.ThrowsAsync<ChainException>(() => unsaid.GetChainIdAsync(Cancellation));
        Assert.Contains("different chains", e.Message, StringComparison.Ordinal);
        Assert.Contains($"{chain.Client.Endpoint.Authority} to chain 31337", e.Message, StringComparison.Ordinal);

        var wrong = new ChainClient(http, [stranger.RpcUrl, chain.Client.Endpoint], new ChainOptions { ChainId = 5 });
        e = await Assert.ThrowsAsync<ChainException>(() => wrong.GetChainIdAsync(Cancellation));
        Assert.Contains("None of the RPC addresses can be used", e.Message, StringComparison.Ordinal);
        Assert.Contains("on chain 1, not 5", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_far_behind_the_others_is_passed_over()
    {
        await using var slow = await LocalChain.StartAsync();
        await using var chain = await LocalChain.StartAsync();
        using var http = new HttpClient();
        await chain.DoAsync("anvil_mine", 5);
        Assert.Equal(slow.Client.Endpoint, await ChosenAsync(http, slow, chain)); // within reason
        await chain.DoAsync("anvil_mine", 1);
        Assert.Equal(chain.Client.Endpoint, await ChosenAsync(http, slow, chain));
    }

    [Fact]
    public async Task A_node_that_is_a_little_behind_does_not_undo_what_was_read()
    {
        await using var scene = await RoundScene.StartAsync();
        await scene.Steps[0]();
        using var nodes = new AlteredNode(scene.Chain.Client.Endpoint);
        using var http = new HttpClient(nodes);
        var (height, lags) = (await scene.Chain.Client.GetBlockNumberAsync(Cancellation), false);
        var first = nodes.Named("first", (request, result) => !lags ? result : request["method"]!.GetValue<string>() switch
        {
            "eth_getBlockByNumber" when request["params"]![0]!.GetValue<string>() == "latest" => BlockAsync(scene.Chain, height - 2).GetAwaiter().GetResult(),
            "eth_getBlockByNumber" when RpcJson.UInt64(JsonSerializer.SerializeToElement(request["params"]![0])) > height - 2 => null,
            _ => result,
        });
        var client = new ChainClient(http, [first, nodes.Named("second")], new ChainOptions { Retries = 0 });
        var reader = scene.Reader(client);
        await reader.ReadAsync(Cancellation);
        var before = RoundScene.Describe(reader);
        lags = true;
        Assert.Null(await reader.ReadAsync(Cancellation));
        Assert.Equal(before, RoundScene.Describe(reader));
        Assert.Equal("second", client.Endpoint.Host);
        Assert.Contains($"block {height} has been read elsewhere", client.Providers[0].Fault, StringComparison.Ordinal);
    }

    public static TheoryData<string> Lies => ["left out the last", "left out one in the middle", "left out all of a contract", "of another contract", "of another block", "twice", "with other data"];

    [Theory]
    [MemberData(nameof(Lies))]
    public async Task A_node_that_lies_about_a_log_is_found_out_and_dropped(string lie)
    {
        await using var scene = await RoundScene.StartAsync();
        foreach (var step in scene.Steps.Take(4))
        {
            await step();
        }

        using var nodes = new AlteredNode(scene.Chain.Client.Endpoint);
        using var http = new HttpClient(nodes);
        var liar = nodes.Named("liar", (request, result) => request["method"]!.GetValue<string>() == "eth_getLogs" ? Alter((JsonArray)result!, lie, scene) : result);
        var client = new ChainClient(http, [liar, nodes.Named("honest")]);
        var reader = scene.Reader(client);
        await reader.ReadAsync(Cancellation);
        Assert.Equal(await scene.FromScratchAsync(), RoundScene.Describe(reader));
        Assert.Equal("honest", client.Endpoint.Host);
        Assert.StartsWith("It lied: ", client.Providers[0].Fault, StringComparison.Ordinal);

        var alone = scene.Reader(new ChainClient(http, [liar]));
        var e = await Assert.ThrowsAsync<ChainException>(() => alone.ReadAsync(Cancellation));
        Assert.Contains(lie == "with other data" ? "none that FedChain's contract would emit" : "can't be trusted", e.Message, StringComparison.Ordinal);
    }

    private static JsonArray Alter(JsonArray logs, string lie, RoundScene scene)
    {
        if (logs.Count == 0)
        {
            return logs;
        }

        var submitted = logs.Where(l => l!["address"]!.GetValue<string>() == scene.Federation.Rounds.ToString()).ToList();
        var last = logs[^1]!;
        switch (lie)
        {
            case "left out the last":
                logs.RemoveAt(logs.Count - 1);
                break;
            case "left out one in the middle":
                logs.Remove(submitted.Count > 2 ? submitted[^2] : last);
                break;
            case "left out all of a contract":
                submitted.ForEach(l => logs.Remove(l));
                break;
            case "of another contract":
                last["address"] = Address.Zero.ToString();
                break;
            case "of another block":
                last["blockHash"] = Hash256.Zero.ToString();
                break;
            case "twice":
                logs.Add(last.DeepClone());
                break;
            case "with other data":
                var data = last["data"]!.GetValue<string>();
                last["data"] = data[..130] + new string('e', 64) + data[194..];
                break;
        }

        return logs;
    }

    private static async Task<JsonNode> BlockAsync(LocalChain chain, ulong number) =>
        JsonNode.Parse((await chain.DoAsync("eth_getBlockByNumber", RpcJson.Quantity(number), false)).GetRawText())!;

    private static async Task<Uri> ChosenAsync(HttpClient http, params LocalChain[] nodes)
    {
        var client = new ChainClient(http, [.. nodes.Select(n => n.Client.Endpoint)]);
        await client.GetChainIdAsync(Cancellation);
        return client.Endpoint;
    }
}

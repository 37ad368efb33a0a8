using System.IO.Compression;
using System.Net.Http.Json;
using System.Numerics;
using System.Text.Json;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.EndToEnd.Tests;

/// <summary>What only a development chain allows: moving its time, filling accounts, and acting as a contract, for example as Governance after a vote.</summary>
internal sealed class AnvilControl(Uri rpc) : IDisposable
{
    private static readonly BigInteger OneEther = BigInteger.Pow(10, EtherAmount.Ether);

    private readonly HttpClient _http = new() { BaseAddress = rpc };

    public async Task AdvanceAsync(ulong seconds)
    {
        await AskAsync("evm_increaseTime", seconds);
        await AskAsync("evm_mine");
    }

    public Task FundAsync(Address account) => SetBalanceAsync(account, OneEther);

    public Task SetBalanceAsync(Address account, BigInteger wei) => AskAsync("anvil_setBalance", account.ToString(), $"0x{wei:x}");

    public async Task SendAsAsync(Address contract, ContractCall call)
    {
        await FundAsync(contract);
        await AskAsync("anvil_impersonateAccount", contract.ToString());
        var hash = await AskAsync("eth_sendTransaction", new { from = contract.ToString(), to = call.To.ToString(), data = Hex.Encode(call.Data.Span), gas = "0x100000" });
        JsonElement receipt;
        while ((receipt = await AskAsync("eth_getTransactionReceipt", hash.GetString()!)).ValueKind == JsonValueKind.Null)
        {
            await Task.Delay(10, TestContext.Current.CancellationToken); // mined, but not yet told
        }

        Assert.Equal("0x1", receipt.GetProperty("status").GetString());
        await AskAsync("anvil_stopImpersonatingAccount", contract.ToString());
    }

    /// <summary>Puts as many empty blocks in the place of the latest ones: what was in those is undone.</summary>
    public Task ReorganiseAsync(int depth) => AskAsync("anvil_reorg", depth, Array.Empty<object>());

    /// <summary>The chain as it is now, as a file from which another anvil starts with the same blocks.</summary>
    public async Task DumpAsync(string file)
    {
        var zipped = Hex.Decode((await AskAsync("anvil_dumpState")).GetString()!);
        await using var to = File.Create(file);
        await using var from = new GZipStream(new MemoryStream(zipped), CompressionMode.Decompress);
        await from.CopyToAsync(to, TestContext.Current.CancellationToken);
    }

    /// <summary>Every transaction on the chain, oldest first.</summary>
    public async Task<IReadOnlyList<(Address From, byte[] Input)>> TransactionsAsync()
    {
        var all = new List<(Address, byte[])>();
        for (var number = 0; await AskAsync("eth_getBlockByNumber", $"0x{number:x}", true) is { ValueKind: not JsonValueKind.Null } block; number++)
        {
            all.AddRange(block.GetProperty("transactions").EnumerateArray().Select(t =>
                (Address.Parse(t.GetProperty("from").GetString()!), Hex.Decode(t.GetProperty("input").GetString()!))));
        }

        return all;
    }

    /// <summary>From now on a transaction waits for the next block that is asked for.</summary>
    public Task StopMiningAsync() => AskAsync("evm_setAutomine", false);

    /// <summary>Makes blocks until cancelled, each so many seconds after the one before by the chain's clock, and far sooner by ours.</summary>
    public async Task MineAsync(ulong blockTime, TimeSpan every, CancellationToken until)
    {
        await StopMiningAsync();
        await AskAsync("anvil_setBlockTimestampInterval", blockTime);
        while (!until.IsCancellationRequested)
        {
            await AskAsync("evm_mine");
            await Task.WhenAny(Task.Delay(every, until));
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task<JsonElement> AskAsync(string method, params object[] parameters)
    {
        var cancellation = TestContext.Current.CancellationToken;
        using var response = await _http.PostAsJsonAsync("", new { jsonrpc = "2.0", id = 1, method, @params = parameters }, cancellation);
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>(cancellation);
        return answer.TryGetProperty("result", out var result) ? result : throw new InvalidOperationException($"{method}: {answer}");
    }
}

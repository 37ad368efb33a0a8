using System.Text.Json;
using FedChain.Network.Chain;
using FedChain.Network.Tests.Chain;
using FedChain.Node.LocalChain;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Tests;

namespace FedChain.Network.Tests.Differential;

/// <summary>A test node, anvil or Hardhat's, on which each sequence begins from the same state: the clock is the sequence's, and everybody's key is at hand.</summary>
internal sealed class TestNode : IAsyncDisposable
{
    private const ulong MostGas = 5_000_000;

    /// <summary>No request is repeated, however long the machine takes: a transaction that the node signs, sent twice, is two.</summary>
    private static readonly ChainOptions Options = new() { MaxBatch = 200, Retries = 0, RequestTimeout = TimeSpan.FromMinutes(10) };

    private readonly IAsyncDisposable _process;
    private readonly HttpClient _http = new() { Timeout = Timeout.InfiniteTimeSpan };
    private readonly JsonRpcClient _rpc;
    private readonly HashSet<Address> _known = []; // impersonated, and funded before each sequence
    private string _beginning = "";

    private TestNode(IAsyncDisposable process, Uri url)
    {
        _process = process;
        Client = new ChainClient(_http, url, Options);
        _rpc = new JsonRpcClient(_http, [url], Options, TimeProvider.System);
    }

    public ChainClient Client { get; }

    /// <param name="kind">"anvil" or "hardhat".</param>
    public static async Task<TestNode> StartAsync(string kind, CancellationToken cancellation)
    {
        var node = await LaunchAsync(kind, cancellation);
        try
        {
            await node.PrepareAsync(cancellation);
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    /// <summary>Back to the first block, and the federation deployed: without a founder's doing so far.</summary>
    public async Task BeginAsync(Founding founding, CancellationToken cancellation)
    {
        await AskAsync("evm_revert", [_beginning], cancellation);
        _beginning = (await AskAsync("evm_snapshot", [], cancellation)).GetString()!;
        var plan = new FederationPlan(founding.Holders, Scene.FoundingJson, founding.Params, Scene.Genesis);
        var first = Deployment.CreationData(Release.Code, plan, Scene.Membership, Scene.Governance, Scene.Rounds);
        var second = Deployment.CreationData(
            Release.Code, plan with { PolicyJson = Scene.SuccessorJson, Genesis = Scene.SuccessorGenesis }, Scene.Membership, Scene.Governance, Scene.Successor);
        foreach (var code in new[] { first.Membership, first.Governance, first.Rounds, second.Rounds })
        {
            await SetTimeAsync(Scene.Start, cancellation);
            await SendAsync(Scene.Deployer, null, code, cancellation);
        }
    }

    /// <summary>Makes a block of the call at its time, or asks why not.</summary>
    /// <param name="tryFirst">Whether a refusal is likely: then it isn't sent unless a trial goes well.</param>
    public async Task<Outcome> ExecuteAsync(Operation o, bool tryFirst, CancellationToken cancellation)
    {
        if (!_known.Contains(o.Sender))
        {
            await ImpersonateAsync(o.Sender, cancellation);
        }

        await SetTimeAsync(o.Time, cancellation);
        var returned = Array.Empty<byte>();
        Receipt receipt;
        try
        {
            if (tryFirst || o.Function.Outputs.Count > 0)
            {
                returned = await TryAsync(o, cancellation);
            }

            receipt = await SendAsync(o.Sender, o.To, o.Data, cancellation);
            if (!receipt.Succeeded) // as anvil says it; Hardhat's node throws
            {
                await SetTimeAsync(o.Time, cancellation);
                await TryAsync(o, cancellation);
                throw new InvalidOperationException($"{o.Function} by {o.By} is accepted as a call, but was refused as a transaction that used {receipt.GasUsed} gas.");
            }
        }
        catch (ChainException e) when (e.Refusal is { } refusal)
        {
            return Outcome.Refused(refusal);
        }

        return Outcome.Accepted(
            o.Function.DecodeOutput(returned),
            from log in receipt.Logs
            let decoded = ContractEvents.Decode(log.Topics, log.Data.Span)
            where decoded is not null
            select new Emission(log.Emitter, decoded));
    }

    /// <summary>Asks all, at the latest block, in one batch.</summary>
    public async Task<IReadOnlyList<byte[]>> CallAsync(IReadOnlyList<(Address To, byte[] Data)> calls, CancellationToken cancellation)
    {
        var replies = await _rpc.BatchAsync([.. calls.Select(c => new RpcRequest("eth_call", Arguments(Address.Zero, c.To, c.Data), "latest"))], cancellation);
        return [.. replies.Select(r => RpcJson.Bytes(r.Value))];
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _process.DisposeAsync();
    }

    private static async Task<TestNode> LaunchAsync(string kind, CancellationToken cancellation)
    {
        switch (kind)
        {
            case "anvil":
                var anvil = await AnvilChain.StartAsync(new AnvilOptions { RepositoryRoot = Shared.RepositoryRoot, ChainId = Scene.ChainId }, cancellation);
                return new TestNode(anvil, anvil.RpcUrl);
            case "hardhat":
                var hardhat = await HardhatNode.StartAsync(cancellation);
                return new TestNode(hardhat, hardhat.RpcUrl);
            default:
                throw new ArgumentException($"There is no test node '{kind}': anvil or hardhat.", nameof(kind));
        }
    }

    private static Dictionary<string, string> Arguments(Address from, Address? to, ReadOnlyMemory<byte> data)
    {
        var arguments = new Dictionary<string, string> { ["from"] = from.ToString(), ["data"] = Hex.Encode(data.Span), ["gas"] = RpcJson.Quantity(MostGas) };
        if (to is { } receiver)
        {
            arguments["to"] = receiver.ToString();
        }

        return arguments;
    }

    /// <summary>Impersonates and funds those who act in most sequences, once for all, and takes the snapshot that each begins from.</summary>
    private async Task PrepareAsync(CancellationToken cancellation)
    {
        foreach (var name in Enumerable.Range(1, 12).SelectMany(i => new[] { $"holder {i}", $"operator {i}", $"key {i}" }).Concat(["governance", "outsider"]))
        {
            await ImpersonateAsync(Scene.Account(name), cancellation);
            _known.Add(Scene.Account(name));
        }

        _beginning = (await AskAsync("evm_snapshot", [], cancellation)).GetString()!;
    }

    private async Task ImpersonateAsync(Address account, CancellationToken cancellation)
    {
        await AskAsync("hardhat_impersonateAccount", [account.ToString()], cancellation);
        await AskAsync("hardhat_setBalance", [account.ToString(), "0x56bc75e2d63100000"], cancellation);
    }

    private Task<byte[]> TryAsync(Operation o, CancellationToken cancellation) => Client.CallAsync(o.To, o.Data, o.Sender, BlockTag.Pending, cancellation);

    private Task SetTimeAsync(ulong time, CancellationToken cancellation) => AskAsync("evm_setNextBlockTimestamp", [time], cancellation);

    private async Task<Receipt> SendAsync(Address from, Address? to, ReadOnlyMemory<byte> data, CancellationToken cancellation)
    {
        var hash = RpcJson.Hash(await AskAsync("eth_sendTransaction", [Arguments(from, to, data)], cancellation));
        while (true)
        {
            if (await Client.GetReceiptAsync(hash, cancellation) is { } receipt) // anvil answers before the block is made
            {
                return receipt;
            }
        }
    }

    private Task<JsonElement> AskAsync(string method, object?[] parameters, CancellationToken cancellation) => _rpc.CallAsync(new RpcRequest(method, parameters), cancellation);
}

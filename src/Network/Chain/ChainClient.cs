using System.Numerics;
using System.Text.Json;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Abi;

namespace FedChain.Network.Chain;

/// <summary>
/// An EVM chain, through the JSON-RPC of one node or several. Every method throws <see cref="ChainException"/>, with <see cref="ChainException.IsTransient"/> where
/// the same may succeed later, and with <see cref="ChainException.Refusal"/> where a contract refused. Safe for use by several threads.
/// </summary>
public sealed class ChainClient
{
    /// <summary>The name of an ability that can be done without.</summary>
    public const string PendingEstimate = "eth_estimateGas in the pending block";

    private readonly JsonRpcClient _rpc;
    private readonly LogRange _logRange;

    /// <param name="http">Shared; its own timeout should be longer than <see cref="ChainOptions.RequestTimeout"/>.</param>
    /// <param name="endpoints">http or https; of one chain, the preferred first. The others stand in for it.</param>
    /// <param name="options">By default those for a public chain.</param>
    /// <param name="time">For timeouts and waits.</param>
    public ChainClient(HttpClient http, IReadOnlyList<Uri> endpoints, ChainOptions? options = null, TimeProvider? time = null)
    {
        Options = options ?? new ChainOptions();
        Time = time ?? TimeProvider.System;
        _rpc = new JsonRpcClient(http, endpoints, Options, Time);
        _logRange = new LogRange(Options.MaxLogRange);
    }

    /// <inheritdoc cref="ChainClient(HttpClient, IReadOnlyList{Uri}, ChainOptions?, TimeProvider?)"/>
    public ChainClient(HttpClient http, Uri endpoint, ChainOptions? options = null, TimeProvider? time = null)
        : this(http, [endpoint], options, time)
    {
    }

    /// <summary>Is told when another node is asked than before.</summary>
    public Action<ProviderChange> ProviderChanged
    {
        set => _rpc.Providers.Changed = value;
    }

    /// <summary>The node in use. Its path and query may hold a key to it: texts name the authority only.</summary>
    public Uri Endpoint => _rpc.Providers.Current;

    /// <summary>All that may be asked, in order of preference.</summary>
    public IReadOnlyList<ProviderStatus> Providers => _rpc.Providers.Status;

    public ChainOptions Options { get; }

    internal TimeProvider Time { get; }

    public async Task<ulong> GetChainIdAsync(CancellationToken cancellation = default) => RpcJson.UInt64(await AskAsync(new("eth_chainId"), cancellation));

    /// <exception cref="ChainException">The node is on another chain.</exception>
    public async Task RequireChainAsync(ulong expected, CancellationToken cancellation = default)
    {
        var found = await GetChainIdAsync(cancellation);
        if (found != expected)
        {
            throw new ChainException($"The node at {Endpoint.Authority} is on chain {found}; expected chain {expected}. Give the RPC address of a node on the federation's chain.");
        }
    }

    public async Task<ulong> GetBlockNumberAsync(CancellationToken cancellation = default) => RpcJson.UInt64(await AskAsync(new("eth_blockNumber"), cancellation));

    /// <summary>Null if the chain has no such block.</summary>
    public async Task<ChainBlock?> GetBlockAsync(BlockTag tag, CancellationToken cancellation = default) =>
        ReadOrNull(await _rpc.CallAsync(BlockRequest(tag), cancellation), ChainBlock.Read);

    /// <summary>A block's time, Unix seconds: of <see cref="BlockTag.Pending"/>, the time that the next block would have, also on an idle chain.</summary>
    public async Task<ulong> GetTimeAsync(BlockTag tag, CancellationToken cancellation = default) =>
        RpcJson.UInt64(RpcJson.Property(await AskAsync(BlockRequest(tag), cancellation), "timestamp"));

    /// <summary>
    /// What a transaction sent now would pay per gas: the latest block's base fee and the node's tip. <see cref="TransactionSender"/> allows twice
    /// the base fee, so an account needs up to <c>Most</c>.
    /// </summary>
    public async Task<(BigInteger Now, BigInteger Most)> GetGasPriceAsync(CancellationToken cancellation = default)
    {
        var replies = await _rpc.BatchAsync([BlockRequest(BlockTag.Latest), new("eth_maxPriorityFeePerGas")], cancellation);
        var baseFee = ChainBlock.Read(replies[0].Value).BaseFee;
        var tip = replies[1].Error is null ? RpcJson.Integer(replies[1].Value) : Options.DefaultTip;
        return (baseFee + tip, (2 * baseFee) + tip);
    }

    /// <summary>Tries what a peer asks of its node beside plain calls; the error of each that it refuses.</summary>
    public async Task<IReadOnlyList<(string Ability, ChainException? Error)>> TryAbilitiesAsync(CancellationToken cancellation = default)
    {
        var head = await GetBlockNumberAsync(cancellation);
        return
        [
            ("batches", await TryAsync(async () =>
            {
                foreach (var reply in await _rpc.BatchAsync([new("eth_chainId"), new("eth_blockNumber")], cancellation))
                {
                    _ = RpcJson.UInt64(reply.Value);
                }
            })),
            ("eth_getLogs", await TryAsync(() => _rpc.CallAsync(LogsRequest([Address.Zero], head, head), cancellation))),
            (PendingEstimate, await TryAsync(() => EstimateGasAsync(Address.Zero, Address.Zero, ReadOnlyMemory<byte>.Empty, 0, cancellation))),
        ];

        static async Task<ChainException?> TryAsync(Func<Task> ask)
        {
            try
            {
                await ask();
                return null;
            }
            catch (ChainException e)
            {
                return e;
            }
        }
    }

    public async Task<BigInteger> GetBalanceAsync(Address account, CancellationToken cancellation = default) =>
        RpcJson.Integer(await AskAsync(new("eth_getBalance", account.ToString(), "latest"), cancellation));

    /// <summary>Empty if there is no contract.</summary>
    public async Task<byte[]> GetCodeAsync(Address account, CancellationToken cancellation = default) =>
        RpcJson.Bytes(await AskAsync(new("eth_getCode", account.ToString(), "latest"), cancellation));

    /// <summary>The account's next nonce: with <see cref="BlockTag.Pending"/> after all that wait in the pool.</summary>
    public async Task<ulong> GetTransactionCountAsync(Address account, BlockTag tag, CancellationToken cancellation = default) =>
        RpcJson.UInt64(await AskAsync(new("eth_getTransactionCount", account.ToString(), tag.ToString()), cancellation));

    /// <summary>Null while it is not in a block.</summary>
    public async Task<Receipt?> GetReceiptAsync(Hash256 transaction, CancellationToken cancellation = default) =>
        ReadOrNull(await AskAsync(new("eth_getTransactionReceipt", transaction.ToString()), cancellation), Receipt.Read);

    /// <summary>Null if the node doesn't know it; some forget old ones.</summary>
    public async Task<ChainTransaction?> GetTransactionAsync(Hash256 transaction, CancellationToken cancellation = default) =>
        ReadOrNull(await AskAsync(new("eth_getTransactionByHash", transaction.ToString()), cancellation), ChainTransaction.Read);

    /// <param name="blocks">How many past blocks, from 1 to 1024.</param>
    /// <param name="percentile">Of the tips paid in each block, 0 to 100.</param>
    /// <param name="cancellation">Stops the request.</param>
    public async Task<FeeHistory> GetFeeHistoryAsync(int blocks, int percentile, CancellationToken cancellation = default)
    {
        var json = await AskAsync(new("eth_feeHistory", RpcJson.Quantity(blocks), "latest", new[] { percentile }), cancellation);
        var tips = RpcJson.Has(json, "reward", out var reward) ? RpcJson.List(reward).Select(r => RpcJson.Integer(RpcJson.List(r).FirstOrDefault())) : [];
        return new FeeHistory(
            RpcJson.UInt64(RpcJson.Property(json, "oldestBlock")),
            [.. RpcJson.List(RpcJson.Property(json, "baseFeePerGas")).Select(RpcJson.Integer)],
            [.. tips]);
    }

    public async Task<BigInteger> GetMaxPriorityFeeAsync(CancellationToken cancellation = default) =>
        RpcJson.Integer(await AskAsync(new("eth_maxPriorityFeePerGas"), cancellation));

    /// <summary>Calls without a transaction and returns the bytes that come back.</summary>
    /// <param name="to">The contract.</param>
    /// <param name="data">The calldata.</param>
    /// <param name="from">As whom; by default nobody.</param>
    /// <param name="tag">In which block's state; by default the latest.</param>
    /// <param name="cancellation">Stops the request.</param>
    public async Task<byte[]> CallAsync(Address to, ReadOnlyMemory<byte> data, Address? from = null, BlockTag tag = default, CancellationToken cancellation = default) =>
        RpcJson.Bytes(await _rpc.CallAsync(CallRequest(to, data, tag, from), cancellation));

    /// <summary>Calls a function and decodes what it returns.</summary>
    /// <exception cref="ChainException">Among others if there is no such contract, or it returns something else.</exception>
    public async Task<AbiValues> CallAsync(Address to, AbiFunction function, IReadOnlyList<object> arguments, BlockTag tag = default, CancellationToken cancellation = default)
    {
        var returned = await CallAsync(to, function.Encode(arguments), null, tag, cancellation);
        try
        {
            return function.DecodeOutput(returned);
        }
        catch (FormatException e)
        {
            throw new ChainException($"The contract at {to} does not answer {function.Signature} as FedChain's would ({e.Message}) Check the address and the chain.", e);
        }
    }

    /// <summary>Gas for a transaction, in the state and at the time of the block being made.</summary>
    public async Task<ulong> EstimateGasAsync(Address from, Address? to, ReadOnlyMemory<byte> data, BigInteger value, CancellationToken cancellation = default) =>
        RpcJson.UInt64(await _rpc.CallAsync(EstimateRequest(from, to, data, value, BlockTag.Pending), cancellation));

    /// <summary>Hands a signed transaction to the node; returns its hash.</summary>
    public async Task<Hash256> SendRawTransactionAsync(ReadOnlyMemory<byte> raw, CancellationToken cancellation = default) =>
        RpcJson.Hash(await AskAsync(new("eth_sendRawTransaction", Hex.Encode(raw.Span)), cancellation));

    /// <summary>
    /// The logs that any of the contracts emitted in the blocks from <paramref name="from"/> to <paramref name="to"/>, both included, in order.
    /// Asks in ranges as large as the node answers (<see cref="LogRange"/>).
    /// </summary>
    /// <exception cref="ChainException">Also if the node gives logs that were not asked for, and no other is left to ask.</exception>
    public async Task<IReadOnlyList<ChainLog>> GetLogsAsync(IReadOnlyCollection<Address> emitters, ulong from, ulong to, CancellationToken cancellation = default) =>
        (await AskLogsAsync(emitters, from, to, cancellation)).Logs;

    /// <inheritdoc cref="GetLogsAsync"/>
    /// <returns>The logs, and the node that gave the last of them.</returns>
    internal async Task<(List<ChainLog> Logs, RpcProvider? Source)> AskLogsAsync(IReadOnlyCollection<Address> emitters, ulong from, ulong to, CancellationToken cancellation)
    {
        var (logs, source) = (new List<ChainLog>(), (RpcProvider?)null);
        while (from <= to)
        {
            var end = to - from < _logRange.Size ? to : from + _logRange.Size - 1;
            try
            {
                var reply = await _rpc.CallDivisibleAsync(LogsRequest(emitters, from, end), cancellation);
                var found = ReadLogs(reply.Value);
                if (LogFault.In(found, emitters, from, end) is { } lie)
                {
                    Expose(reply.Source, lie);
                    continue;
                }

                logs.AddRange(found);
                (from, source) = (end + 1, reply.Source);
                _logRange.Answered();
            }
            catch (ChainException e) when (e.IsTooMuch && end > from)
            {
                _logRange.Refused(end - from + 1);
            }
        }

        return (logs, source);
    }

    /// <summary>Goes on without a node that has said what can't be true.</summary>
    /// <exception cref="ChainException">It is the only one.</exception>
    internal void Expose(RpcProvider liar, string lie)
    {
        if (!_rpc.Providers.Drop(liar, $"It lied: {lie}."))
        {
            throw new ChainException($"The node at {liar.Endpoint.Authority} can't be trusted: {lie}. Give another RPC address.");
        }
    }

    /// <summary>Goes on with another node, if there is one.</summary>
    internal bool PassOver(RpcProvider provider, string fault) => _rpc.Providers.PassOver(provider, fault);

    /// <inheritdoc cref="ProviderPool.IsElsewhereAsync"/>
    internal Task<bool> IsElsewhereAsync(RpcProvider provider, CancellationToken cancellation) => _rpc.Providers.IsElsewhereAsync(provider, cancellation);

    internal Task<RpcReply[]> BatchAsync(IReadOnlyList<RpcRequest> requests, CancellationToken cancellation) => _rpc.BatchAsync(requests, cancellation);

    internal static RpcRequest BlockRequest(BlockTag tag) => new("eth_getBlockByNumber", tag.ToString(), false);

    internal static RpcRequest CallRequest(Address to, ReadOnlyMemory<byte> data, BlockTag tag, Address? from = null) =>
        new("eth_call", TransactionArguments(from, to, data, 0), tag.ToString());

    internal static RpcRequest LogsRequest(IReadOnlyCollection<Address> emitters, ulong from, ulong to) => new(
        "eth_getLogs",
        new { address = emitters.Select(e => e.ToString()).ToArray(), fromBlock = RpcJson.Quantity(from), toBlock = RpcJson.Quantity(to) });

    internal static RpcRequest EstimateRequest(Address from, Address? to, ReadOnlyMemory<byte> data, BigInteger value, BlockTag tag) =>
        new("eth_estimateGas", TransactionArguments(from, to, data, value), tag.ToString());

    internal static IReadOnlyList<ChainLog> ReadLogs(JsonElement json) => [.. RpcJson.List(json).Select(ChainLog.Read)];

    internal static T? ReadOrNull<T>(JsonElement json, Func<JsonElement, T> read)
        where T : class => json.ValueKind == JsonValueKind.Null ? null : read(json);

    private static Dictionary<string, string> TransactionArguments(Address? from, Address? to, ReadOnlyMemory<byte> data, BigInteger value)
    {
        var arguments = new Dictionary<string, string> { ["data"] = Hex.Encode(data.Span) };
        if (from is { } sender)
        {
            arguments["from"] = sender.ToString();
        }

        if (to is { } receiver)
        {
            arguments["to"] = receiver.ToString();
        }

        if (!value.IsZero)
        {
            arguments["value"] = RpcJson.Quantity(value);
        }

        return arguments;
    }

    private Task<JsonElement> AskAsync(RpcRequest request, CancellationToken cancellation) => _rpc.CallAsync(request, cancellation);
}

using System.Net;
using System.Text.Json;
using FedChain.Network.Chain;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Contracts;
using Microsoft.Extensions.Time.Testing;

namespace FedChain.Network.Tests.Chain;

public sealed class JsonRpcTests
{
    private static readonly ChainOptions NoRetries = new() { Retries = 0 };

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","id":1}""", "neither a result nor an error")]
    [InlineData("""{"jsonrpc":"2.0","id":2,"result":"0x1"}""", "not made")]
    [InlineData("""{"jsonrpc":"2.0","id":"1","result":"0x1"}""", "not made")]
    [InlineData("""{"jsonrpc":"2.0","result":"0x1"}""", "not made")]
    [InlineData("""[]""", "no answer to eth_chainId")]
    [InlineData("""[{"id":1,"result":"0x1"},{"id":1,"result":"0x2"}]""", "not made")]
    [InlineData("""17""", "no answer")]
    [InlineData("""[17]""", "not made")]
    [InlineData("""<html>""", "something else than JSON")]
    [InlineData("", "something else than JSON")]
    [InlineData("""{"id":1,"result":"1"}""", "a quantity")]
    [InlineData("""{"id":1,"result":null}""", "text")]
    [InlineData("""{"id":1,"result":"0x"}""", "a quantity")]
    [InlineData("""{"id":1,"result":"0x10000000000000000"}""", "64 bits")]
    [InlineData("""{"id":null,"error":{"code":-32700,"message":"parse error"}}""", "parse error")]
    public async Task Answers_that_make_no_sense_are_refused(string body, string said)
    {
        using var node = new FakeNode((_, _) => Ok(body));
        var e = await Assert.ThrowsAsync<ChainException>(() => node.Client(NoRetries).GetChainIdAsync(TestContext.Current.CancellationToken));
        Assert.Contains(said, e.Message, StringComparison.Ordinal);
        Assert.False(e.IsTransient);
    }

    [Fact]
    public async Task Answers_of_a_batch_are_matched_by_id_whatever_their_order()
    {
        using var node = new FakeNode((request, _) => Ok($"[{string.Join(',', request.EnumerateArray().Reverse().Select(r => $$"""{"id":{{r.GetProperty("id")}},"result":"{{r.GetProperty("method").GetString()}}"}"""))}]"));
        var replies = await node.Rpc(NoRetries).BatchAsync([new("a"), new("b"), new("c")], TestContext.Current.CancellationToken);
        Assert.Equal(["a", "b", "c"], replies.Select(r => r.Value.GetString()));
    }

    [Fact]
    public async Task Large_batches_are_split()
    {
        var sizes = new List<int>();
        using var node = new FakeNode((request, _) =>
        {
            sizes.Add(request.GetArrayLength());
            return Ok($"[{string.Join(',', request.EnumerateArray().Select(r => $$"""{"id":{{r.GetProperty("id")}},"result":1}"""))}]");
        });
        var replies = await node.Rpc(new ChainOptions { MaxBatch = 3 }).BatchAsync([.. Enumerable.Repeat(new RpcRequest("a"), 8)], TestContext.Current.CancellationToken);
        Assert.Equal(8, replies.Length);
        Assert.Equal([3, 3, 2], sizes);
    }

    [Fact]
    public async Task Transient_failures_are_retried_with_growing_waits_and_others_are_not()
    {
        var time = new FakeTimeProvider();
        using var node = new FakeNode((_, n) => n switch
        {
            1 => new HttpResponseMessage(HttpStatusCode.TooManyRequests),
            2 => throw new HttpRequestException("refused"),
            3 => Ok("""{"id":3,"error":{"code":-32005,"message":"too many requests"}}"""),
            _ => Ok("""{"id":4,"result":"0x1"}"""),
        });
        var asked = node.Client(new ChainOptions { Retries = 3, RetryDelay = TimeSpan.FromSeconds(1) }, time).GetChainIdAsync(TestContext.Current.CancellationToken);
        foreach (var (calls, seconds) in ((int, int)[])[(1, 1), (2, 2), (3, 4)])
        {
            await node.UntilAsked(calls);
            time.Advance(TimeSpan.FromSeconds(seconds) - TimeSpan.FromMilliseconds(1));
            Assert.Equal(calls, node.Asked);
            time.Advance(TimeSpan.FromMilliseconds(1));
        }

        Assert.Equal(1UL, await asked);

        using var broken = new FakeNode((_, _) => new HttpResponseMessage(HttpStatusCode.NotFound));
        Assert.False((await Assert.ThrowsAsync<ChainException>(() => broken.Client().GetChainIdAsync(TestContext.Current.CancellationToken))).IsTransient);
        Assert.Equal(1, broken.Asked);
    }

    [Fact]
    public async Task Retries_end_and_say_what_to_look_at()
    {
        using var node = new FakeNode((_, _) => throw new HttpRequestException("connection refused"));
        var e = await Assert.ThrowsAsync<ChainException>(() =>
            node.Client(new ChainOptions { Retries = 2, RetryDelay = TimeSpan.Zero }).GetChainIdAsync(TestContext.Current.CancellationToken));
        Assert.True(e.IsTransient);
        Assert.Contains("connection refused", e.Message, StringComparison.Ordinal);
        Assert.Contains("Check the RPC address", e.Message, StringComparison.Ordinal);
        Assert.Equal(3, node.Asked);
    }

    [Fact]
    public async Task An_answer_beyond_the_limit_is_not_read_to_its_end()
    {
        using var node = new FakeNode((_, _) => new HttpResponseMessage { Content = new StreamContent(new EndlessStream()) });
        var e = await Assert.ThrowsAsync<ChainException>(() =>
            node.Client(new ChainOptions { MaxResponseBytes = 1 << 20, Retries = 0 }).GetChainIdAsync(TestContext.Current.CancellationToken));
        Assert.True(e.IsTooMuch);
    }

    [Fact]
    public async Task A_node_that_does_not_answer_times_out_as_a_transient_failure()
    {
        var time = new FakeTimeProvider();
        using var node = new FakeNode(async (_, _, cancellation) =>
        {
            await Task.Delay(Timeout.Infinite, cancellation);
            return Ok("");
        });
        var asked = node.Client(NoRetries, time).GetChainIdAsync(TestContext.Current.CancellationToken);
        await node.UntilAsked(1);
        time.Advance(NoRetries.RequestTimeout);
        var e = await Assert.ThrowsAsync<ChainException>(() => asked);
        Assert.True(e.IsTransient);
        Assert.Contains("30 s", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_callers_cancellation_is_not_taken_for_a_failure_of_the_node()
    {
        using var stop = new CancellationTokenSource();
        using var node = new FakeNode(async (_, _, cancellation) =>
        {
            await Task.Delay(Timeout.Infinite, cancellation);
            return Ok("");
        });
        var asked = node.Client().GetChainIdAsync(stop.Token);
        await node.UntilAsked(1);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
    }

    [Theory]
    [InlineData("""{"code":3,"message":"execution reverted","data":"{0}"}""")]
    [InlineData("""{"code":-32603,"message":"Error: reverted","data":{"message":"reverted","data":"{0}"}}""")]
    [InlineData("""{"code":-32000,"message":"execution reverted","data":"{0}"}""")]
    public async Task Reverts_are_decoded_in_the_forms_of_several_nodes(string error)
    {
        var data = Hex.Encode(ContractErrors.AlreadySubmitted.Encode(3, 2));
        using var node = new FakeNode((_, _) => Ok("{\"id\":1,\"error\":" + error.Replace("{0}", data, StringComparison.Ordinal) + "}"));
        var e = await Assert.ThrowsAsync<ChainException>(() => node.Client(NoRetries).CallAsync(Address.Zero, Array.Empty<byte>(), cancellation: TestContext.Current.CancellationToken));
        Assert.Equal("AlreadySubmitted(round: 3, id: 2)", e.Refusal?.ToString());
        Assert.Contains("AlreadySubmitted", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Logs_are_asked_for_in_ranges_that_shrink_where_the_node_wants_less()
    {
        var ranges = new List<(ulong From, ulong To)>();
        using var node = new FakeNode((request, n) =>
        {
            var filter = request.GetProperty("params")[0];
            var (from, to) = (RpcJson.UInt64(filter.GetProperty("fromBlock")), RpcJson.UInt64(filter.GetProperty("toBlock")));
            if (to - from + 1 > 30)
            {
                return Ok($$$"""{"id":{{{n}}},"error":{"code":-32602,"message":"block range is too wide, limited to 30"}}""");
            }

            ranges.Add((from, to));
            return Ok($$"""{"id":{{n}},"result":[]}""");
        });
        await node.Client(new ChainOptions { MaxLogRange = 100 }).GetLogsAsync([Address.Zero], 5, 250, TestContext.Current.CancellationToken);
        Assert.Equal(5UL, ranges[0].From);
        Assert.Equal(250UL, ranges[^1].To);
        Assert.All(ranges.Zip(ranges.Skip(1)), pair => Assert.Equal(pair.First.To + 1, pair.Second.From));
        Assert.True(ranges.Count < 14, $"{ranges.Count} ranges: it shrinks more than it needs to");
    }

    private static HttpResponseMessage Ok(string body) => new() { Content = new StringContent(body) };

    /// <summary>Answers requests as the test says; counts them from 1.</summary>
    private sealed class FakeNode(Func<JsonElement, int, CancellationToken, Task<HttpResponseMessage>> answer) : HttpMessageHandler
    {
        private readonly SemaphoreSlim _arrived = new(0);
        private int _seen;

        public FakeNode(Func<JsonElement, int, HttpResponseMessage> answer)
            : this((request, n, _) => Task.FromResult(answer(request, n)))
        {
        }

        public int Asked { get; private set; }

        public JsonRpcClient Rpc(ChainOptions? options = null) => new(new HttpClient(this, disposeHandler: false), [new Uri("http://node/")], options ?? new ChainOptions(), TimeProvider.System);

        public ChainClient Client(ChainOptions? options = null, TimeProvider? time = null) => new(new HttpClient(this, disposeHandler: false), new Uri("http://node/"), options, time);

        public async Task UntilAsked(int count)
        {
            for (; _seen < count; _seen++)
            {
                await _arrived.WaitAsync(TestContext.Current.CancellationToken);
            }
        }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            using var body = JsonDocument.Parse(await request.Content!.ReadAsByteArrayAsync(cancellationToken));
            var n = ++Asked;
            _arrived.Release();
            return await answer(body.RootElement.Clone(), n, cancellationToken);
        }

        protected override void Dispose(bool disposing)
        {
            _arrived.Dispose();
            base.Dispose(disposing);
        }
    }

    private sealed class EndlessStream : MemoryStream
    {
        private long _given;

        public override int Read(Span<byte> buffer)
        {
            Assert.True((_given += buffer.Length) < 100 << 20, "read far beyond the limit");
            buffer.Fill((byte)'[');
            return buffer.Length;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.FromResult(Read(buffer.Span));
    }
}

using System.Net;
using FedChain.Network.Content;
using FedChain.Protocol;
using FedChain.Protocol.Content;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace FedChain.Network.Tests.Content;

public sealed class ContentFetcherTests : IAsyncLifetime
{
    private static readonly byte[] Content = Bytes.Of(1_500_000);
    private static readonly Uri Nobody = new("http://127.0.0.1:1/");

    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new();
    private BlockStore _theirs = null!;
    private BlockStore _ours = null!;
    private ContentFetcher _fetcher = null!;
    private ContentGateway _gateway = null!;
    private Cid _cid;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _theirs = new BlockStore(Path.Combine(_folder.Path, "theirs"));
        _ours = new BlockStore(Path.Combine(_folder.Path, "ours"));
        _fetcher = new ContentFetcher(new ContentFetcherOptions { AllowPrivateAddresses = true }, _time);
        _gateway = await ContentGateway.StartAsync(_theirs, federation: null, new ContentGatewayOptions(), Cancel);
        (_cid, _) = await _theirs.AddAsync(new MemoryStream(Content), Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        _fetcher.Dispose();
        await _gateway.DisposeAsync();
        _theirs.Dispose();
        _ours.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(262_145)]
    [InlineData(1_500_000)]
    public async Task A_file_is_fetched_and_then_it_is_here(int size)
    {
        var content = Bytes.Of(size);
        var (cid, _) = await _theirs.AddAsync(new MemoryStream(content), Cancel);

        var result = await _fetcher.FetchFileAsync(cid, [_gateway.BaseAddress], size, _ours, Cancel);

        Assert.True(result.IsComplete, result.ToString());
        Assert.Equal(_gateway.BaseAddress, result.ServedBy);
        Assert.Equal(content, await ReadOursAsync(cid));
        var again = await _fetcher.FetchFileAsync(cid, [], size, _ours, Cancel);
        Assert.True(again.IsComplete);
        Assert.Null(again.ServedBy);
    }

    [Fact]
    public async Task A_file_takes_one_request_where_all_is_well()
    {
        await using var server = await ForwardAsync((context, bytes) => WriteAsync(context, bytes));
        Assert.True((await FetchAsync(server.Address)).IsComplete);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task A_block_is_fetched()
    {
        var block = Bytes.Of(1000);
        var cid = await _theirs.AddBlockAsync(block, Cancel);
        var result = await _fetcher.FetchBlockAsync(cid, [Nobody, _gateway.BaseAddress], 1000, Cancel);
        Assert.True(result.IsComplete);
        Assert.Equal(block, result.Bytes.ToArray());
        Assert.Equal(FetchFailure.Unreachable, Assert.Single(result.Attempts).Failure);
        Assert.Equal(FetchFailure.TooLarge, Assert.Single((await _fetcher.FetchBlockAsync(cid, [_gateway.BaseAddress], 999, Cancel)).Attempts).Failure);
    }

    [Fact]
    public async Task What_nobody_has_is_unavailable_and_each_says_why()
    {
        await using var empty = await TestServer.StartAsync(context => AnswerAsync(context, 404));
        await using var moved = await TestServer.StartAsync(context =>
        {
            context.Response.Headers.Location = _gateway.BaseAddress.ToString();
            return AnswerAsync(context, 302);
        });
        await using var busy = await TestServer.StartAsync(context => AnswerAsync(context, 503));

        var result = await FetchAsync(Nobody, empty.Address, moved.Address, busy.Address);

        Assert.Equal(FetchStatus.Unavailable, result.Status);
        Assert.Equal([Nobody, empty.Address, moved.Address, busy.Address], result.Attempts.Select(a => a.Endpoint));
        Assert.Equal(
            [FetchFailure.Unreachable, FetchFailure.NotFound, FetchFailure.Refused, FetchFailure.Refused], result.Attempts.Select(a => a.Failure));
        Assert.Contains("redirects", result.Attempts[2].Reason, StringComparison.Ordinal);
        Assert.Equal(FetchStatus.Unavailable, (await FetchAsync()).Status);
    }

    [Fact]
    public async Task A_liar_is_left_for_the_next_and_named()
    {
        await using var liar = await ForwardAsync((context, bytes) =>
        {
            bytes[^1] ^= 1;
            return WriteAsync(context, bytes);
        });

        var result = await FetchAsync(liar.Address, _gateway.BaseAddress);
        Assert.True(result.IsComplete);
        Assert.Equal(_gateway.BaseAddress, result.ServedBy);
        var attempt = Assert.Single(result.Attempts);
        Assert.Equal((liar.Address, FetchFailure.WrongBytes), (attempt.Endpoint, attempt.Failure));
        Assert.Equal(Content, await ReadOursAsync(_cid));
    }

    [Fact]
    public async Task Wrong_bytes_from_everybody_are_a_failure_and_not_an_absence()
    {
        await using var liar = await TestServer.StartAsync(context => WriteAsync(context, Bytes.Of(500, seed: 9)));
        Assert.Equal(FetchStatus.Failed, (await FetchAsync(Nobody, liar.Address)).Status);
        var block = await _fetcher.FetchBlockAsync(_cid, [liar.Address], 1000, Cancel);
        Assert.Equal((FetchStatus.Failed, FetchFailure.WrongBytes), (block.Status, Assert.Single(block.Attempts).Failure));
    }

    [Fact]
    public async Task Blocks_that_nobody_asked_for_are_not_kept()
    {
        var (other, _) = await _theirs.AddAsync(new MemoryStream(Bytes.Of(500_000, seed: 2)), Cancel);
        using var http = new HttpClient();
        var car = await http.GetByteArrayAsync(new Uri(_gateway.BaseAddress, $"/ipfs/{other}?format=car"), Cancel);
        await using var server = await TestServer.StartAsync(context => WriteAsync(context, car));

        var result = await FetchAsync(server.Address);

        Assert.Equal(FetchFailure.WrongBytes, Assert.Single(result.Attempts).Failure);
        Assert.Empty(_ours.List());
    }

    [Fact]
    public async Task A_corrupted_copy_is_told_from_an_absent_one()
    {
        var leaf = _theirs.List().Last(block => block.IsRaw);
        Bytes.FlipBit(_theirs.PathOf(leaf));

        var result = await FetchAsync(_gateway.BaseAddress);

        Assert.Equal(FetchStatus.Failed, result.Status);
        var attempt = Assert.Single(result.Attempts);
        Assert.Equal(FetchFailure.CorruptThere, attempt.Failure);
        Assert.Contains(leaf.ToString(), attempt.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_corrupted_block_of_our_own_is_fetched_anew()
    {
        Assert.True((await FetchAsync(_gateway.BaseAddress)).IsComplete);
        Bytes.FlipBit(_ours.PathOf(_ours.List().First(block => block.IsRaw)));
        var result = await FetchAsync(_gateway.BaseAddress);
        Assert.Equal(_gateway.BaseAddress, result.ServedBy);
        Assert.Equal(Content, await ReadOursAsync(_cid));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_CAR_cut_off_is_completed_block_by_block(bool abruptly)
    {
        await using var server = await ForwardAsync(async (context, bytes) =>
        {
            if (!context.Request.QueryString.Value!.Contains("car", StringComparison.Ordinal))
            {
                await WriteAsync(context, bytes);
                return;
            }

            await context.Response.Body.WriteAsync(bytes.AsMemory(0, 900_000), Cancel);
            await context.Response.Body.FlushAsync(Cancel);
            if (abruptly)
            {
                context.Abort();
            }
        });

        Assert.True((await FetchAsync(server.Address)).IsComplete);
        Assert.Equal(Content, await ReadOursAsync(_cid));
        Assert.InRange(server.Requests.Count, 2, abruptly ? 8 : 4); // the CAR, and the leaves that were cut away
    }

    [Fact]
    public async Task A_fetch_that_failed_goes_on_from_what_had_come()
    {
        var gone = _theirs.List().Where(block => block.IsRaw).Take(3).ToArray();
        foreach (var leaf in gone)
        {
            File.Move(_theirs.PathOf(leaf), _theirs.PathOf(leaf) + ".away");
        }

        await using var server = await ForwardAsync((context, bytes) => WriteAsync(context, bytes));
        Assert.Equal(FetchStatus.Unavailable, (await FetchAsync(server.Address)).Status);
        Assert.Equal(4, _ours.List().Count()); // 3 of 6 leaves, and the root
        foreach (var leaf in gone)
        {
            File.Move(_theirs.PathOf(leaf) + ".away", _theirs.PathOf(leaf));
        }

        server.Requests.Clear();
        Assert.True((await FetchAsync(server.Address)).IsComplete);
        Assert.Equal(3, server.Requests.Count);
        Assert.Equal(Content, await ReadOursAsync(_cid));
    }

    [Fact]
    public async Task A_file_beyond_the_limit_is_refused_by_what_its_root_states()
    {
        var result = await _fetcher.FetchFileAsync(_cid, [_gateway.BaseAddress], Content.Length - 1, _ours, Cancel);
        Assert.Equal((FetchStatus.Failed, FetchFailure.TooLarge), (result.Status, Assert.Single(result.Attempts).Failure));
        Assert.Empty(_ours.List());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Endless_bytes_are_cut_off(bool fromTheStart)
    {
        await using var endless = await ForwardAsync(async (context, bytes) =>
        {
            await context.Response.Body.WriteAsync(fromTheStart ? bytes[..1000] : bytes, context.RequestAborted);
            for (var zeros = new byte[64 * 1024]; ;)
            {
                await context.Response.Body.WriteAsync(zeros, context.RequestAborted);
            }
        });

        var leaf = _theirs.List().First(block => block.IsRaw);
        var block = await _fetcher.FetchBlockAsync(leaf, [endless.Address], 300_000, Cancel);
        Assert.Equal(FetchFailure.TooLarge, Assert.Single(block.Attempts).Failure);
        if (fromTheStart)
        {
            Assert.Equal(FetchStatus.Failed, (await FetchAsync(endless.Address)).Status);
        }
        else
        {
            Assert.True((await FetchAsync(endless.Address)).IsComplete); // it is read no further than needed
        }
    }

    [Fact]
    public async Task An_endpoint_that_stalls_is_left_for_the_next()
    {
        var asked = new TaskCompletionSource();
        await using var stalling = await TestServer.StartAsync(context =>
        {
            asked.SetResult();
            return Task.Delay(Timeout.Infinite, context.RequestAborted);
        });

        var fetching = FetchAsync(stalling.Address, _gateway.BaseAddress);
        await asked.Task.WaitAsync(Cancel);
        _time.Advance(TimeSpan.FromSeconds(31));

        var result = await fetching;
        Assert.True(result.IsComplete);
        Assert.Equal(FetchFailure.TooSlow, Assert.Single(result.Attempts).Failure);
    }

    [Fact]
    public async Task Endpoints_that_have_a_part_each_make_up_the_whole()
    {
        var leaves = _theirs.List().Where(block => block.IsRaw).ToHashSet();
        var first = leaves.Take(3).ToHashSet();
        Task<TestServer> Partial(Func<string, bool> has) => ForwardAsync((context, bytes) =>
        {
            var asked = Path.GetFileName(context.Request.Path.Value!);
            return context.Request.Query["format"] == "raw" && has(asked) ? WriteAsync(context, bytes) : AnswerAsync(context, 404);
        });
        await using var one = await Partial(cid => cid == _cid.ToString() || first.Contains(Cid.Parse(cid)));
        await using var other = await Partial(cid => !first.Contains(Cid.Parse(cid)));

        var result = await FetchAsync(one.Address, other.Address);

        Assert.True(result.IsComplete, result.ToString());
        Assert.Equal(FetchFailure.NotFound, Assert.Single(result.Attempts).Failure);
        Assert.Equal(Content, await ReadOursAsync(_cid));
    }

    [Fact]
    public async Task A_name_that_is_no_file_is_a_failure_that_others_are_not_asked_about()
    {
        var leaf = Cid.OfRawBlock([1, 2, 3]);
        await using var writer = _theirs.BeginWrite();
        var node = new DagPbNode([new DagPbLink(leaf, "", 3)], new UnixFsFile(default, 4, [4]).Encode()).Encode();
        var cid = Cid.DagPbOf(Cid.OfRawBlock(node).Digest);
        await writer.PutAsync(leaf, new byte[] { 1, 2, 3 }, Cancel);
        await writer.PutAsync(cid, node, Cancel);
        await writer.CommitAsync(Cancel);

        var result = await _fetcher.FetchFileAsync(cid, [_gateway.BaseAddress, Nobody], 1000, _ours, Cancel);

        Assert.Equal((FetchStatus.Failed, FetchFailure.NotAFile), (result.Status, Assert.Single(result.Attempts).Failure));
        Assert.Equal(FetchFailure.NotAFile, Assert.Single((await _fetcher.FetchFileAsync(cid, [_gateway.BaseAddress], 1000, _theirs, Cancel)).Attempts).Failure);
    }

    [Theory]
    [InlineData("http://127.0.0.1:{0}/")]
    [InlineData("http://localhost:{0}/")]
    [InlineData("http://[::1]:{0}/")]
    [InlineData("http://[::ffff:127.0.0.1]:{0}/")]
    [InlineData("http://10.1.2.3/")]
    [InlineData("http://169.254.169.254/")]
    [InlineData("ftp://example.org/")]
    [InlineData("http://user:password@example.org/")]
    [InlineData("http://example.org/?a=b")]
    public async Task Private_addresses_and_odd_URLs_are_not_asked(string url)
    {
        using var careful = new ContentFetcher(new ContentFetcherOptions(), _time);
        var endpoint = new Uri(string.Format(null, url, _gateway.BaseAddress.Port));
        var result = await careful.FetchFileAsync(_cid, [endpoint], Content.Length, _ours, Cancel);
        Assert.Equal((FetchStatus.Unavailable, FetchFailure.NotAllowed), (result.Status, Assert.Single(result.Attempts).Failure));
    }

    [Fact]
    public async Task An_endpoint_may_have_a_path()
    {
        await using var server = await TestServer.StartAsync(context =>
            context.Request.Path.StartsWithSegments("/members/3/ipfs", StringComparison.Ordinal) ? WriteAsync(context, [1]) : AnswerAsync(context, 404));
        foreach (var path in new[] { "members/3", "members/3/" })
        {
            Assert.True((await _fetcher.FetchBlockAsync(Cid.OfRawBlock([1]), [new Uri(server.Address, path)], 10, Cancel)).IsComplete);
        }
    }

    [Fact]
    public async Task Holdings_and_payloads_are_fetched_within_bounds()
    {
        var digest = Hash256.Parse("0x" + new string('1', 64));
        await using var server = await TestServer.StartAsync(context => context.Request.Path.Value switch
        {
            "/fedchain/v1/holdings/7" => WriteAsync(context, "{}"u8.ToArray()),
            "/fedchain/v1/holdings/8" => WriteAsync(context, new byte[100_000]),
            var path when path == $"/fedchain/v1/payload/{digest}" && context.Request.Query["to"] == "3" => WriteAsync(context, Content),
            _ => AnswerAsync(context, 404),
        });

        Assert.Equal("{}"u8.ToArray(), (await _fetcher.GetHoldingsAsync(server.Address, new RoundId(7), Cancel)).Bytes.ToArray());
        Assert.Equal(FetchFailure.TooLarge, Assert.Single((await _fetcher.GetHoldingsAsync(server.Address, new RoundId(8), Cancel)).Attempts).Failure);
        Assert.Equal(FetchStatus.Unavailable, (await _fetcher.GetHoldingsAsync(server.Address, new RoundId(9), Cancel)).Status);

        using var payload = new MemoryStream();
        Assert.True((await _fetcher.GetPayloadAsync(server.Address, digest, new MemberId(3), payload, Content.Length, Cancel)).IsComplete);
        Assert.Equal(Content, payload.ToArray());
        Assert.Equal(
            FetchStatus.Failed, (await _fetcher.GetPayloadAsync(server.Address, digest, new MemberId(3), Stream.Null, Content.Length - 1, Cancel)).Status);
        Assert.Equal(
            FetchStatus.Unavailable, (await _fetcher.GetPayloadAsync(server.Address, digest, new MemberId(4), Stream.Null, 10, Cancel)).Status);
    }

    [Fact]
    public async Task A_cancelled_fetch_is_cancelled()
    {
        await using var silent = await TestServer.StartAsync(context => Task.Delay(Timeout.Infinite, context.RequestAborted));
        using var cancel = new CancellationTokenSource();
        var fetching = _fetcher.FetchFileAsync(_cid, [silent.Address], Content.Length, _ours, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fetching);
    }

    private static Task AnswerAsync(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    }

    private static Task WriteAsync(HttpContext context, byte[] bytes) => context.Response.Body.WriteAsync(bytes, context.RequestAborted).AsTask();

    private Task<FetchResult> FetchAsync(params Uri[] endpoints) => _fetcher.FetchFileAsync(_cid, endpoints, Content.Length, _ours, Cancel);

    private async Task<byte[]> ReadOursAsync(Cid cid)
    {
        using var copy = new MemoryStream();
        await _ours.CopyFileAsync(cid, copy, cancellationToken: Cancel);
        return copy.ToArray();
    }

    /// <summary>A server that asks the real gateway and hands its answer to a test to spoil.</summary>
    private Task<TestServer> ForwardAsync(Func<HttpContext, byte[], Task> answer) => TestServer.StartAsync(async context =>
    {
        using var http = new HttpClient();
        using var response = await http.GetAsync(new Uri(_gateway.BaseAddress, context.Request.Path + context.Request.QueryString), Cancel);
        if (response.StatusCode == HttpStatusCode.OK)
        {
            await answer(context, await response.Content.ReadAsByteArrayAsync(Cancel));
        }
        else
        {
            context.Response.StatusCode = (int)response.StatusCode;
        }
    });
}

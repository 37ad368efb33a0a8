using FedChain.Network.Content;
using FedChain.Protocol.Content;

namespace FedChain.Network.Tests.Content;

public sealed class UntrustedEndpointTests : FetcherScene
{
    [Fact]
    public async Task What_nobody_has_is_unavailable_and_each_says_why()
    {
        await using var empty = await TestServer.StartAsync(context => AnswerAsync(context, 404));
        await using var moved = await TestServer.StartAsync(context =>
        {
            context.Response.Headers.Location = Gateway.BaseAddress.ToString();
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

        var result = await FetchAsync(liar.Address, Gateway.BaseAddress);
        Assert.True(result.IsComplete);
        Assert.Equal(Gateway.BaseAddress, result.ServedBy);
        var attempt = Assert.Single(result.Attempts);
        Assert.Equal((liar.Address, FetchFailure.WrongBytes), (attempt.Endpoint, attempt.Failure));
        Assert.Equal(Content, await ReadOursAsync(Root));
    }

    [Fact]
    public async Task Wrong_bytes_from_everybody_are_a_failure_and_not_an_absence()
    {
        await using var liar = await TestServer.StartAsync(context => WriteAsync(context, Bytes.Of(500, seed: 9)));
        Assert.Equal(FetchStatus.Failed, (await FetchAsync(Nobody, liar.Address)).Status);
        var block = await Fetcher.FetchBlockAsync(Root, [liar.Address], 1000, Cancel);
        Assert.Equal((FetchStatus.Failed, FetchFailure.WrongBytes), (block.Status, Assert.Single(block.Attempts).Failure));
    }

    [Fact]
    public async Task Blocks_that_nobody_asked_for_are_not_kept()
    {
        var (other, _) = await Theirs.AddAsync(new MemoryStream(Bytes.Of(500_000, seed: 2)), Cancel);
        using var http = new HttpClient();
        var car = await http.GetByteArrayAsync(new Uri(Gateway.BaseAddress, $"/ipfs/{other}?format=car"), Cancel);
        await using var server = await TestServer.StartAsync(context => WriteAsync(context, car));

        var result = await FetchAsync(server.Address);

        Assert.Equal(FetchFailure.WrongBytes, Assert.Single(result.Attempts).Failure);
        Assert.Empty(Ours.List());
    }

    [Fact]
    public async Task A_corrupted_copy_is_told_from_an_absent_one()
    {
        var leaf = Theirs.List().Last(block => block.IsRaw);
        Bytes.FlipBit(Theirs.PathOf(leaf));

        var result = await FetchAsync(Gateway.BaseAddress);

        Assert.Equal(FetchStatus.Failed, result.Status);
        var attempt = Assert.Single(result.Attempts);
        Assert.Equal(FetchFailure.CorruptThere, attempt.Failure);
        Assert.Contains(leaf.ToString(), attempt.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_beyond_the_limit_is_refused_by_what_its_root_states()
    {
        var result = await Fetcher.FetchFileAsync(Root, [Gateway.BaseAddress], Content.Length - 1, Ours, Cancel);
        Assert.Equal((FetchStatus.Failed, FetchFailure.TooLarge), (result.Status, Assert.Single(result.Attempts).Failure));
        Assert.Empty(Ours.List());
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

        var leaf = Theirs.List().First(block => block.IsRaw);
        var block = await Fetcher.FetchBlockAsync(leaf, [endless.Address], 300_000, Cancel);
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

        var fetching = FetchAsync(stalling.Address, Gateway.BaseAddress);
        await asked.Task.WaitAsync(Cancel);
        Time.Advance(TimeSpan.FromSeconds(31));

        var result = await fetching;
        Assert.True(result.IsComplete);
        Assert.Equal(FetchFailure.TooSlow, Assert.Single(result.Attempts).Failure);
    }

    [Fact]
    public async Task A_name_that_is_no_file_is_a_failure_that_others_are_not_asked_about()
    {
        var leaf = Cid.OfRawBlock([1, 2, 3]);
        await using var writer = Theirs.BeginWrite();
        var node = new DagPbNode([new DagPbLink(leaf, "", 3)], new UnixFsFile(default, 4, [4]).Encode()).Encode();
        var cid = Cid.DagPbOf(Cid.OfRawBlock(node).Digest);
        await writer.PutAsync(leaf, new byte[] { 1, 2, 3 }, Cancel);
        await writer.PutAsync(cid, node, Cancel);
        await writer.CommitAsync(Cancel);

        var result = await Fetcher.FetchFileAsync(cid, [Gateway.BaseAddress, Nobody], 1000, Ours, Cancel);

        Assert.Equal((FetchStatus.Failed, FetchFailure.NotAFile), (result.Status, Assert.Single(result.Attempts).Failure));
        Assert.Equal(FetchFailure.NotAFile, Assert.Single((await Fetcher.FetchFileAsync(cid, [Gateway.BaseAddress], 1000, Theirs, Cancel)).Attempts).Failure);
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
        using var careful = new ContentFetcher(new ContentFetcherOptions(), Time);
        var endpoint = new Uri(string.Format(null, url, Gateway.BaseAddress.Port));
        var result = await careful.FetchFileAsync(Root, [endpoint], Content.Length, Ours, Cancel);
        Assert.Equal((FetchStatus.Unavailable, FetchFailure.NotAllowed), (result.Status, Assert.Single(result.Attempts).Failure));
    }
}

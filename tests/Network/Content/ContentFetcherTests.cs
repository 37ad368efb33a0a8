using FedChain.Network.Content;
using FedChain.Protocol;
using FedChain.Protocol.Content;

namespace FedChain.Network.Tests.Content;

public sealed class ContentFetcherTests : FetcherScene
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(262_145)]
    [InlineData(1_500_000)]
    public async Task A_file_is_fetched_and_then_it_is_here(int size)
    {
        var content = Bytes.Of(size);
        var (cid, _) = await Theirs.AddAsync(new MemoryStream(content), Cancel);

        var result = await Fetcher.FetchFileAsync(cid, [Gateway.BaseAddress], size, Ours, Cancel);

        Assert.True(result.IsComplete, result.ToString());
        Assert.Equal(Gateway.BaseAddress, result.ServedBy);
        Assert.Equal(content, await ReadOursAsync(cid));
        var again = await Fetcher.FetchFileAsync(cid, [], size, Ours, Cancel);
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
        var cid = await Theirs.AddBlockAsync(block, Cancel);
        var result = await Fetcher.FetchBlockAsync(cid, [Nobody, Gateway.BaseAddress], 1000, Cancel);
        Assert.True(result.IsComplete);
        Assert.Equal(block, result.Bytes.ToArray());
        Assert.Equal(FetchFailure.Unreachable, Assert.Single(result.Attempts).Failure);
        Assert.Equal(FetchFailure.TooLarge, Assert.Single((await Fetcher.FetchBlockAsync(cid, [Gateway.BaseAddress], 999, Cancel)).Attempts).Failure);
    }

    [Fact]
    public async Task A_corrupted_block_of_our_own_is_fetched_anew()
    {
        Assert.True((await FetchAsync(Gateway.BaseAddress)).IsComplete);
        Bytes.FlipBit(Ours.PathOf(Ours.List().First(block => block.IsRaw)));
        var result = await FetchAsync(Gateway.BaseAddress);
        Assert.Equal(Gateway.BaseAddress, result.ServedBy);
        Assert.Equal(Content, await ReadOursAsync(Root));
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
        Assert.Equal(Content, await ReadOursAsync(Root));
        Assert.InRange(server.Requests.Count, 2, abruptly ? 8 : 4); // the CAR, and the leaves that were cut away
    }

    [Fact]
    public async Task A_fetch_that_failed_goes_on_from_what_had_come()
    {
        var gone = Theirs.List().Where(block => block.IsRaw).Take(3).ToArray();
        foreach (var leaf in gone)
        {
            File.Move(Theirs.PathOf(leaf), Theirs.PathOf(leaf) + ".away");
        }

        await using var server = await ForwardAsync((context, bytes) => WriteAsync(context, bytes));
        Assert.Equal(FetchStatus.Unavailable, (await FetchAsync(server.Address)).Status);
        Assert.Equal(4, Ours.List().Count()); // 3 of 6 leaves, and the root
        foreach (var leaf in gone)
        {
            File.Move(Theirs.PathOf(leaf) + ".away", Theirs.PathOf(leaf));
        }

        server.Requests.Clear();
        Assert.True((await FetchAsync(server.Address)).IsComplete);
        Assert.Equal(3, server.Requests.Count);
        Assert.Equal(Content, await ReadOursAsync(Root));
    }

    [Fact]
    public async Task Endpoints_that_have_a_part_each_make_up_the_whole()
    {
        var leaves = Theirs.List().Where(block => block.IsRaw).ToHashSet();
        var first = leaves.Take(3).ToHashSet();
        Task<TestServer> Partial(Func<string, bool> has) => ForwardAsync((context, bytes) =>
        {
            var asked = Path.GetFileName(context.Request.Path.Value!);
            return context.Request.Query["format"] == "raw" && has(asked) ? WriteAsync(context, bytes) : AnswerAsync(context, 404);
        });
        await using var one = await Partial(cid => cid == Root.ToString() || first.Contains(Cid.Parse(cid)));
        await using var other = await Partial(cid => !first.Contains(Cid.Parse(cid)));

        var result = await FetchAsync(one.Address, other.Address);

        Assert.True(result.IsComplete, result.ToString());
        Assert.Equal(FetchFailure.NotFound, Assert.Single(result.Attempts).Failure);
        Assert.Equal(Content, await ReadOursAsync(Root));
    }

    [Fact]
    public async Task An_endpoint_may_have_a_path()
    {
        await using var server = await TestServer.StartAsync(context =>
            context.Request.Path.StartsWithSegments("/members/3/ipfs", StringComparison.Ordinal) ? WriteAsync(context, [1]) : AnswerAsync(context, 404));
        foreach (var path in new[] { "members/3", "members/3/" })
        {
            Assert.True((await Fetcher.FetchBlockAsync(Cid.OfRawBlock([1]), [new Uri(server.Address, path)], 10, Cancel)).IsComplete);
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

        Assert.Equal("{}"u8.ToArray(), (await Fetcher.GetHoldingsAsync(server.Address, new RoundId(7), Cancel)).Bytes.ToArray());
        Assert.Equal(FetchFailure.TooLarge, Assert.Single((await Fetcher.GetHoldingsAsync(server.Address, new RoundId(8), Cancel)).Attempts).Failure);
        Assert.Equal(FetchStatus.Unavailable, (await Fetcher.GetHoldingsAsync(server.Address, new RoundId(9), Cancel)).Status);

        using var payload = new MemoryStream();
        Assert.True((await Fetcher.GetPayloadAsync(server.Address, digest, new PayloadReader.Member(new MemberId(3)), payload, Content.Length, Cancel)).IsComplete);
        Assert.Equal(Content, payload.ToArray());
        Assert.Equal(
            FetchStatus.Failed, (await Fetcher.GetPayloadAsync(server.Address, digest, new PayloadReader.Member(new MemberId(3)), Stream.Null, Content.Length - 1, Cancel)).Status);
        Assert.Equal(
            FetchStatus.Unavailable, (await Fetcher.GetPayloadAsync(server.Address, digest, new PayloadReader.Auditor(Address.Parse("0x" + new string('4', 40))), Stream.Null, 10, Cancel)).Status);
    }

    [Fact]
    public async Task A_cancelled_fetch_is_cancelled()
    {
        await using var silent = await TestServer.StartAsync(context => Task.Delay(Timeout.Infinite, context.RequestAborted));
        using var cancel = new CancellationTokenSource();
        var fetching = Fetcher.FetchFileAsync(Root, [silent.Address], Content.Length, Ours, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fetching);
    }
}

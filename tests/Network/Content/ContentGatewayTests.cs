using System.Net;
using System.Net.Http.Headers;
using System.Text;
using FedChain.Network.Content;
using FedChain.Protocol;
using FedChain.Protocol.Content;

namespace FedChain.Network.Tests.Content;

public sealed class ContentGatewayTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private readonly Federation _federation = new();
    private readonly HttpClient _http = new();
    private BlockStore _store = null!;
    private ContentGateway _gateway = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _store = new BlockStore(_folder.Path);
        _gateway = await ContentGateway.StartAsync(_store, _federation, new ContentGatewayOptions { PayloadPatience = TimeSpan.Zero, MaxPayloads = 1 }, Cancel);
        _http.BaseAddress = _gateway.BaseAddress;
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _gateway.DisposeAsync();
        _store.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("?format=raw", null)]
    [InlineData("", "application/vnd.ipld.raw")]
    [InlineData("", "text/html;q=0.5, application/vnd.ipld.car;q=0.8, application/vnd.ipld.raw")]
    [InlineData("/?format=raw", "application/vnd.ipld.car")]
    public async Task A_block_is_served_raw(string query, string? accept)
    {
        var block = Bytes.Of(1000);
        var cid = await _store.AddBlockAsync(block, Cancel);
        using var response = await GetAsync($"/ipfs/{cid}{query}", accept: accept);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(block, await response.Content.ReadAsByteArrayAsync(Cancel));
        Assert.Equal("application/vnd.ipld.raw", response.Content.Headers.ContentType!.ToString());
        Assert.Equal(1000, response.Content.Headers.ContentLength);
        Assert.Equal($"\"{cid}.raw\"", response.Headers.ETag!.ToString());
        Assert.Contains("immutable", response.Headers.CacheControl!.ToString(), StringComparison.Ordinal);
        Assert.Equal("nosniff", Assert.Single(response.Headers.GetValues("X-Content-Type-Options")));
        Assert.Equal("attachment", response.Content.Headers.ContentDisposition!.DispositionType);
        Assert.False(response.Headers.Contains("Server"));
    }

    [Fact]
    public async Task A_file_is_served_as_a_CAR_of_its_blocks_depth_first()
    {
        var (cid, _) = await _store.AddAsync(new MemoryStream(Bytes.Of(600_000)), Cancel);
        using var response = await GetAsync($"/ipfs/{cid}?format=car");

        Assert.Equal("application/vnd.ipld.car; version=1; order=dfs; dups=n", response.Content.Headers.ContentType!.ToString());
        var car = await CarReader.OpenAsync(await response.Content.ReadAsStreamAsync(Cancel), cancellationToken: Cancel);
        Assert.Equal([cid], car.Roots);
        var first = (await car.ReadAsync(Cancel))!.Value;
        Assert.Equal(cid, first.Cid);
        foreach (var link in DagPbNode.Decode(first.Bytes.ToArray()).Links)
        {
            Assert.Equal(link.Cid, (await car.ReadAsync(Cancel))!.Value.Cid);
        }

        Assert.Null(await car.ReadAsync(Cancel));
    }

    [Fact]
    public async Task A_CAR_of_scope_block_is_the_root_alone_even_where_its_leaves_are_gone()
    {
        var (cid, _) = await _store.AddAsync(new MemoryStream(Bytes.Of(600_000)), Cancel);
        await _store.DeleteAsync(_store.List().First(block => block.IsRaw), Cancel);
        using var response = await GetAsync($"/ipfs/{cid}?format=car&dag-scope=block");
        var car = await CarReader.OpenAsync(await response.Content.ReadAsStreamAsync(Cancel), cancellationToken: Cancel);
        Assert.Equal(cid, (await car.ReadAsync(Cancel))!.Value.Cid);
        Assert.Null(await car.ReadAsync(Cancel));
    }

    [Theory]
    [InlineData("GET", "", HttpStatusCode.OK)]
    [InlineData("GET", "&car-version=1", HttpStatusCode.OK)]
    [InlineData("HEAD", "", HttpStatusCode.OK)]
    [InlineData("GET", "&car-version=2", HttpStatusCode.BadRequest)]
    [InlineData("OPTIONS", "", HttpStatusCode.NoContent)]
    public async Task Pages_of_other_origins_may_read_blocks(string method, string query, HttpStatusCode status)
    {
        var cid = await _store.AddBlockAsync(Bytes.Of(1000), Cancel);
        using var request = new HttpRequestMessage(new HttpMethod(method), $"/ipfs/{cid}?format=car{query}");
        request.Headers.Add("Origin", "https://reader.example");
        request.Headers.Add("Access-Control-Request-Method", "GET");
        using var response = await _http.SendAsync(request, Cancel);
        Assert.Equal(status, response.StatusCode);
        Assert.Equal("*", Header("Origin"));
        Assert.Equal("GET, HEAD, OPTIONS", Header("Methods"));
        Assert.Contains("Range", Header("Headers"), StringComparison.Ordinal);
        Assert.Contains("X-Ipfs-Roots", Assert.Single(response.Headers.GetValues("Access-Control-Expose-Headers")), StringComparison.Ordinal);

        string Header(string name) => Assert.Single(response.Headers.GetValues($"Access-Control-Allow-{name}"));
    }

    [Fact]
    public async Task A_page_of_another_origin_is_told_of_a_corrupted_block_too_and_of_members_nothing()
    {
        var cid = await _store.AddBlockAsync(Bytes.Of(1000), Cancel);
        Bytes.FlipBit(_store.PathOf(cid));
        using var corrupt = await GetAsync($"/ipfs/{cid}?format=raw");
        Assert.Equal(HttpStatusCode.InternalServerError, corrupt.StatusCode);
        Assert.Equal("*", Assert.Single(corrupt.Headers.GetValues("Access-Control-Allow-Origin")));
        using var holdings = await GetAsync("/fedchain/v1/holdings/7");
        Assert.False(holdings.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task Repeated_leaves_are_sent_once()
    {
        var (cid, _) = await _store.AddAsync(new MemoryStream(new byte[1 << 20]), Cancel);
        using var response = await GetAsync($"/ipfs/{cid}?format=car");
        Assert.InRange((await response.Content.ReadAsByteArrayAsync(Cancel)).Length, 262_144, 270_000);
    }

    [Theory]
    [InlineData("raw", 1000)]
    [InlineData("car", null)]
    public async Task HEAD_has_the_same_headers_and_no_body(string format, int? length)
    {
        var cid = await _store.AddBlockAsync(Bytes.Of(1000), Cancel);
        using var response = await HeadAsync($"/ipfs/{cid}?format={format}");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Contains($"{cid}.{format}", response.Headers.ETag!.Tag, StringComparison.Ordinal);
        Assert.Equal(length, (int?)response.Content.Headers.ContentLength);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync(Cancel));
        using var missing = await HeadAsync($"/ipfs/{Cid.OfRawBlock([9])}?format={format}");
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
    }

    [Theory]
    [InlineData("raw")]
    [InlineData("car")]
    public async Task A_reader_who_has_it_is_told_so(string format)
    {
        var cid = await _store.AddBlockAsync(Bytes.Of(1000), Cancel);
        using var first = await GetAsync($"/ipfs/{cid}?format={format}");
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/ipfs/{cid}?format={format}");
        request.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        using var second = await _http.SendAsync(request, Cancel);
        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
        Assert.Equal(first.Headers.ETag, second.Headers.ETag);
    }

    [Theory]
    [InlineData("/ipfs/bafkrei?format=raw")]
    [InlineData("/ipfs/Qmfoo?format=raw")]
    [InlineData("/ipfs/{cid}")]
    [InlineData("/ipfs/{cid}?format=tar")]
    [InlineData("/ipfs/{cid}?format=")]
    [InlineData("/ipfs/{cid}?format=raw&format=car")]
    [InlineData("/ipfs/{cid}/readme.txt?format=raw")]
    [InlineData("/ipfs/{cid}?format=car&dag-scope=some")]
    [InlineData("/ipfs/{cid}?format=car&entity-bytes=0:9")]
    [InlineData("/ipfs/{cid}?format=car&car-version=2")]
    [InlineData("/ipfs/{cid}?format=car&car-version=1&car-version=2")]
    [InlineData("/ipfs/bafyreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e?format=car")] // dag-cbor
    [InlineData("/ipfs/f01551b200000000000000000000000000000000000000000000000000000000000000000?format=raw")] // Keccak
    [InlineData("/fedchain/v1/holdings/-1")]
    [InlineData("/fedchain/v1/holdings/99999999999999999999")]
    [InlineData("/fedchain/v1/payload/0x12?to=1")]
    [InlineData("/fedchain/v1/payload/0x1111111111111111111111111111111111111111111111111111111111111111")]
    [InlineData("/fedchain/v1/payload/0x1111111111111111111111111111111111111111111111111111111111111111?to=x")]
    [InlineData("/fedchain/v1/payload/0x1111111111111111111111111111111111111111111111111111111111111111?to=0xaa")]
    [InlineData("/fedchain/v1/payload/0x1111111111111111111111111111111111111111111111111111111111111111?to=-3")]
    public async Task What_cannot_be_read_is_a_bad_request_that_says_why(string path)
    {
        var cid = await _store.AddBlockAsync(new byte[] { 1 }, Cancel);
        using var response = await GetAsync(path.Replace("{cid}", cid.ToString(), StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("text/plain", response.Content.Headers.ContentType!.MediaType);
        Assert.NotEmpty(await response.Content.ReadAsStringAsync(Cancel));
        Assert.Null(response.Headers.ETag);
    }

    [Fact]
    public async Task What_is_not_here_is_not_found_and_the_missing_block_is_named()
    {
        var (cid, _) = await _store.AddAsync(new MemoryStream(Bytes.Of(600_000)), Cancel);
        var leaf = _store.List().First(block => block.IsRaw);
        await _store.DeleteAsync(leaf, Cancel);
        foreach (var path in new[] { $"/ipfs/{leaf}?format=raw", $"/ipfs/{leaf}?format=car", $"/ipfs/{cid}?format=car" })
        {
            using var response = await GetAsync(path);
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
            Assert.Contains(leaf.ToString(), await response.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("raw")]
    [InlineData("car")]
    public async Task A_corrupted_block_is_an_error_that_names_it_and_not_its_file(string format)
    {
        var cid = await _store.AddBlockAsync(Bytes.Of(1000), Cancel);
        Bytes.FlipBit(_store.PathOf(cid));
        using var response = await GetAsync($"/ipfs/{cid}?format={format}");
        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Equal("text/plain", response.Content.Headers.ContentType!.MediaType);
        var text = await response.Content.ReadAsStringAsync(Cancel);
        Assert.Contains(cid.ToString(), text, StringComparison.Ordinal);
        Assert.Contains("corrupted", text, StringComparison.Ordinal);
        Assert.DoesNotContain(_folder.Path, text, StringComparison.Ordinal);
        Assert.Null(response.Headers.CacheControl?.MaxAge);
    }

    [Fact]
    public async Task A_corrupted_block_within_a_CAR_cuts_the_connection()
    {
        var (cid, _) = await _store.AddAsync(new MemoryStream(Bytes.Of(2_000_000)), Cancel);
        Bytes.FlipBit(_store.PathOf(_store.List().Last(block => block.IsRaw)));
        using var response = await GetAsync($"/ipfs/{cid}?format=car", completion: HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => response.Content.ReadAsByteArrayAsync(Cancel));
    }

    [Fact]
    public async Task The_usual_probe_of_a_gateway_is_answered()
    {
        using var response = await GetAsync("/ipfs/bafkqaaa?format=raw");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync(Cancel));
    }

    [Fact]
    public async Task Holdings_payloads_and_health_are_served()
    {
        Assert.Equal("""{"ok":true}""", await _http.GetStringAsync("/fedchain/v1/health", Cancel));
        using var holdings = await GetAsync("/fedchain/v1/holdings/7");
        Assert.Equal("application/json", holdings.Content.Headers.ContentType!.MediaType);
        Assert.Equal("""{"round":7}""", await holdings.Content.ReadAsStringAsync(Cancel));
        Assert.Equal("for 3", await _http.GetStringAsync($"/fedchain/v1/payload/{Federation.Digest}?to=3", Cancel));
        Assert.Equal($"for {Federation.Auditor}", await _http.GetStringAsync($"/fedchain/v1/payload/{Federation.Digest}?to={Federation.Auditor}", Cancel));
    }

    [Theory]
    [InlineData("/fedchain/v1/holdings/8")]
    [InlineData("/fedchain/v1/payload/0x1111111111111111111111111111111111111111111111111111111111111111?to=4")]
    [InlineData("/fedchain/v1/payload/0x1111111111111111111111111111111111111111111111111111111111111111?to=0xbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb")]
    [InlineData("/fedchain/v1/payload/0x0000000000000000000000000000000000000000000000000000000000000000?to=3")]
    [InlineData("/fedchain/v2/health")]
    [InlineData("/")]
    public async Task What_the_member_has_not_got_is_not_found(string path)
    {
        using var response = await GetAsync(path);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task Nothing_can_be_written()
    {
        using var response = await _http.PostAsync("/fedchain/v1/health", content: null, Cancel);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
    }

    [Fact]
    public async Task More_payloads_than_are_sealed_at_a_time_are_put_off()
    {
        _federation.Gate = new TaskCompletionSource();
        var first = _http.GetStringAsync($"/fedchain/v1/payload/{Federation.Digest}?to=3", Cancel);
        await _federation.Entered.Task.WaitAsync(Cancel);
        using var second = await GetAsync($"/fedchain/v1/payload/{Federation.Digest}?to=3");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, second.StatusCode);
        _federation.Gate.SetResult();
        Assert.Equal("for 3", await first);
    }

    [Fact]
    public async Task A_taken_port_is_an_error()
    {
        var options = new ContentGatewayOptions { Port = _gateway.BaseAddress.Port };
        await Assert.ThrowsAnyAsync<IOException>(() => ContentGateway.StartAsync(_store, null, options, Cancel));
    }

    private async Task<HttpResponseMessage> GetAsync(
        string path, string? accept = null, HttpCompletionOption completion = HttpCompletionOption.ResponseContentRead)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        foreach (var type in accept?.Split(", ") ?? [])
        {
            request.Headers.Accept.Add(MediaTypeWithQualityHeaderValue.Parse(type));
        }

        return await _http.SendAsync(request, completion, Cancel);
    }

    private async Task<HttpResponseMessage> HeadAsync(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, path);
        return await _http.SendAsync(request, Cancel);
    }

    private sealed class Federation : IFederationContent
    {
        public static readonly Hash256 Digest = Hash256.Parse("0x" + new string('1', 64));

        public static readonly Address Auditor = Address.Parse("0x" + new string('a', 40));

        public TaskCompletionSource? Gate { get; set; }

        public TaskCompletionSource Entered { get; } = new();

        public Task<byte[]?> HoldingsAsync(RoundId round, CancellationToken cancellationToken) =>
            Task.FromResult(round.Value == 7 ? """{"round":7}"""u8.ToArray() : null);

        public IReadOnlyList<Uri>? EndpointsOf(MemberId member) => null;

        public async Task<bool> WritePayloadAsync(Hash256 digest, PayloadReader to, Stream destination, CancellationToken cancellationToken)
        {
            Entered.TrySetResult();
            await (Gate?.Task ?? Task.CompletedTask).WaitAsync(cancellationToken);
            if (digest != Digest || (to != new PayloadReader.Member(new MemberId(3)) && to != new PayloadReader.Auditor(Auditor)))
            {
                return false;
            }

            await destination.WriteAsync(Encoding.ASCII.GetBytes($"for {to}"), cancellationToken);
            return true;
        }
    }
}

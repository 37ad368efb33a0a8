using System.Net;
using System.Text;
using FedChain.Network.Content;
using FedChain.Protocol;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace FedChain.Network.Tests.Content;

/// <summary>A gateway says whether it reaches the endpoints that a member publishes: those, and no others.</summary>
public sealed class ReachTests : IAsyncLifetime
{
    private static readonly MemberId Asked = new(2);

    private readonly TemporaryFolder _folder = new();
    private readonly Members _members = new();
    private readonly FakeTimeProvider _time = new();
    private readonly ContentFetcher _fetcher = new(new ContentFetcherOptions { AllowPrivateAddresses = true }, TimeProvider.System);
    private BlockStore _store = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        _store = new BlockStore(_folder.Path);
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        _fetcher.Dispose();
        _store.Dispose();
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task An_open_endpoint_answers_and_a_closed_one_is_said_to_be_closed()
    {
        await using var open = await StartAsync(allowPrivate: true);
        var closed = await StartAsync(allowPrivate: true);
        _members.Endpoints = [open.BaseAddress, closed.BaseAddress];
        await closed.DisposeAsync();
        await using var gateway = await StartAsync(allowPrivate: true);
        var answers = await AskAsync(gateway);
        Assert.Equal([true, false], answers.Select(a => a.Ok));
        Assert.Equal(open.BaseAddress.AbsoluteUri.TrimEnd('/'), answers[0].Url);
        Assert.Contains("unreachable", answers[1].Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Private_addresses_are_tried_only_where_they_are_allowed()
    {
        await using var server = await TestServer.StartAsync(context => context.Response.WriteAsync("""{"ok":true}"""));
        _members.Endpoints = [server.Address];
        await using var gateway = await StartAsync(allowPrivate: false);
        Assert.Contains("public Internet", Assert.Single(await AskAsync(gateway)).Detail, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData("<html>hello</html>", 200, "isn't a FedChain endpoint")]
    [InlineData("{\"ok\":false}", 200, "isn't a FedChain endpoint")]
    [InlineData("", 302, "redirects aren't followed")]
    public async Task Something_else_on_the_port_is_not_taken_for_the_endpoint(string body, int status, string detail)
    {
        await using var server = await TestServer.StartAsync(context =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.Location = "http://127.0.0.1:1/";
            return context.Response.WriteAsync(body);
        });
        _members.Endpoints = [server.Address];
        await using var gateway = await StartAsync(allowPrivate: true);
        var answer = Assert.Single(await AskAsync(gateway));
        Assert.False(answer.Ok);
        Assert.Contains(detail, answer.Detail, StringComparison.Ordinal);
        Assert.Equal("/fedchain/v1/health", Assert.Single(server.Requests));
    }

    [Fact]
    public async Task What_was_found_is_repeated_for_a_while_instead_of_tried_again()
    {
        await using var server = await TestServer.StartAsync(context => context.Response.WriteAsync("""{"ok":true}"""));
        _members.Endpoints = [server.Address];
        await using var gateway = await StartAsync(allowPrivate: true);
        await AskAsync(gateway);
        await AskAsync(gateway);
        Assert.Single(server.Requests);
        _time.Advance(TimeSpan.FromSeconds(11));
        Assert.True(Assert.Single(await AskAsync(gateway)).Ok);
        Assert.Equal(2, server.Requests.Count);
    }

    [Fact]
    public async Task Unknown_members_and_other_things_than_numbers_are_refused()
    {
        await using var gateway = await StartAsync(allowPrivate: true);
        using var http = new HttpClient { BaseAddress = gateway.BaseAddress };
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync("/fedchain/v1/reach/3", Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await http.GetAsync("/fedchain/v1/reach/http:%2F%2F10.0.0.1", Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await http.PostAsync("/fedchain/v1/reach/2", null, Cancel)).StatusCode);
        await using var bare = await ContentGateway.StartAsync(_store, federation: null, new ContentGatewayOptions(), Cancel);
        using var other = new HttpClient { BaseAddress = bare.BaseAddress };
        Assert.Equal(HttpStatusCode.NotFound, (await other.GetAsync("/fedchain/v1/reach/2", Cancel)).StatusCode);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"endpoints\":[null]}")]
    [InlineData("{\"endpoints\":[{\"url\":\"http://a\",\"ok\":true}]}")]
    [InlineData("{\"endpoints\":[{\"url\":\"http://a\",\"ok\":true,\"detail\":\"\\u001b[31m\"}]}")]
    public void An_answer_of_another_form_is_refused(string json) =>
        Assert.Throws<InvalidDataException>(() => EndpointAnswer.Read(Encoding.UTF8.GetBytes(json)));

    private Task<ContentGateway> StartAsync(bool allowPrivate) =>
        ContentGateway.StartAsync(_store, _members, new ContentGatewayOptions { AllowPrivateAddresses = allowPrivate, Time = _time }, Cancel);

    private async Task<IReadOnlyList<EndpointAnswer>> AskAsync(ContentGateway gateway)
    {
        var result = await _fetcher.GetReachAsync(gateway.BaseAddress, Asked, Cancel);
        Assert.True(result.IsComplete, result.ToString());
        return EndpointAnswer.Read(result.Bytes.Span);
    }

    private sealed class Members : IFederationContent
    {
        public IReadOnlyList<Uri> Endpoints { get; set; } = [];

        public Task<byte[]?> HoldingsAsync(RoundId round, CancellationToken cancellationToken) => Task.FromResult<byte[]?>(null);

        public Task<bool> WritePayloadAsync(Hash256 digest, PayloadReader to, Stream destination, CancellationToken cancellationToken) => Task.FromResult(false);

        public IReadOnlyList<Uri>? EndpointsOf(MemberId member) => member == Asked ? Endpoints : null;
    }
}

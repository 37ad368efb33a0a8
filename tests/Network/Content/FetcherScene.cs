using System.Net;
using FedChain.Network.Content;
using FedChain.Protocol.Content;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace FedChain.Network.Tests.Content;

/// <summary>A member with a file, served by a real gateway, and another who fetches.</summary>
public abstract class FetcherScene : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();

    internal static byte[] Content { get; } = Bytes.Of(1_500_000);

    internal static Uri Nobody { get; } = new("http://127.0.0.1:1/");

    internal static CancellationToken Cancel => TestContext.Current.CancellationToken;

    internal FakeTimeProvider Time { get; } = new();

    internal BlockStore Theirs { get; private set; } = null!;

    internal BlockStore Ours { get; private set; } = null!;

    internal ContentFetcher Fetcher { get; private set; } = null!;

    internal ContentGateway Gateway { get; private set; } = null!;

    /// <summary>The file that is <see cref="Theirs"/>.</summary>
    internal Cid Root { get; private set; }

    public async ValueTask InitializeAsync()
    {
        Theirs = new BlockStore(Path.Combine(_folder.Path, "theirs"));
        Ours = new BlockStore(Path.Combine(_folder.Path, "ours"));
        Fetcher = new ContentFetcher(new ContentFetcherOptions { AllowPrivateAddresses = true }, Time);
        Gateway = await ContentGateway.StartAsync(Theirs, federation: null, new ContentGatewayOptions(), Cancel);
        (Root, _) = await Theirs.AddAsync(new MemoryStream(Content), Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Fetcher.Dispose();
        await Gateway.DisposeAsync();
        Theirs.Dispose();
        Ours.Dispose();
        _folder.Dispose();
    }

    internal static Task AnswerAsync(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    }

    internal static Task WriteAsync(HttpContext context, byte[] bytes) => context.Response.Body.WriteAsync(bytes, context.RequestAborted).AsTask();

    internal Task<FetchResult> FetchAsync(params Uri[] endpoints) => Fetcher.FetchFileAsync(Root, endpoints, Content.Length, Ours, Cancel);

    internal async Task<byte[]> ReadOursAsync(Cid cid)
    {
        using var copy = new MemoryStream();
        await Ours.CopyFileAsync(cid, copy, cancellationToken: Cancel);
        return copy.ToArray();
    }

    /// <summary>A server that asks the real gateway and hands its answer to a test to spoil.</summary>
    internal Task<TestServer> ForwardAsync(Func<HttpContext, byte[], Task> answer) => TestServer.StartAsync(async context =>
    {
        using var http = new HttpClient();
        using var response = await http.GetAsync(new Uri(Gateway.BaseAddress, context.Request.Path + context.Request.QueryString), Cancel);
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

using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace FedChain.Network.Tests.Content;

/// <summary>A real HTTP server on loopback that answers as a test wants it to.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly WebApplication _application;

    private TestServer(WebApplication application) => _application = application;

    public Uri Address => new(_application.Urls.Single());

    public List<string> Requests { get; } = [];

    public static async Task<TestServer> StartAsync(RequestDelegate answer, int port = 0)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        var application = builder.Build();
        var server = new TestServer(application);
        application.Run(context =>
        {
            lock (server.Requests)
            {
                server.Requests.Add(context.Request.Path + context.Request.QueryString);
            }

            return answer(context);
        });
        await application.StartAsync();
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _application.StopAsync(now.Token);
        await _application.DisposeAsync();
    }
}

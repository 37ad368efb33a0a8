using System.Net;
using FedChain.Network;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace FedChain.Node.Peer;

/// <summary>
/// What an operator's monitoring asks, on an address of its own, for it isn't for the other members:
/// <code>
/// GET /health     the peer's status as JSON; 200 if it gets on, 503 if it is stalled or can't read the chain
/// GET /metrics    its metrics in Prometheus' text format
/// </code>
/// </summary>
internal sealed class PeerMonitor : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly PrometheusText _text;

    private PeerMonitor(WebApplication application, PrometheusText text) => (_application, _text) = (application, text);

    /// <summary>Where it listens, with the port that was taken.</summary>
    public Uri BaseAddress => new(_application.Urls.Single());

    /// <exception cref="IOException">The port is taken, or the address isn't this machine's.</exception>
    public static async Task<PeerMonitor> StartAsync(IPEndPoint listen, Pulse pulse, PeerMetrics metrics, CancellationToken cancellationToken)
    {
        var application = QuietServer.CreateBuilder(listen, maxConnections: 16, stopPatience: TimeSpan.FromSeconds(1), NullLoggerFactory.Instance).Build();
        var text = new PrometheusText(metrics.Meter);
        application.MapGet("/health", context =>
        {
            var status = pulse.Look();
            context.Response.StatusCode = (int)(status.IsHealthy ? HttpStatusCode.OK : HttpStatusCode.ServiceUnavailable);
            context.Response.ContentType = "application/json";
            return context.Response.Body.WriteAsync(status.ToJson(), context.RequestAborted).AsTask();
        });
        application.MapGet("/metrics", context =>
        {
            context.Response.ContentType = PrometheusText.ContentType;
            return context.Response.WriteAsync(text.Write(), context.RequestAborted);
        });
        try
        {
            await application.StartAsync(cancellationToken);
            return new PeerMonitor(application, text);
        }
        catch
        {
            text.Dispose();
            await application.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync();
        await _application.DisposeAsync();
        _text.Dispose();
    }
}

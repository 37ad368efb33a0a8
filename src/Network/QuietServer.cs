using System.Net;
using System.Net.Security;
using FedChain.Network.Content;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FedChain.Network;

/// <summary>
/// An HTTP server inside of the peer, which says nothing and decides nothing: no configuration from files or the environment can open another port, nothing
/// is written to the console, requests have no body, and signals are the peer's.
/// </summary>
public static class QuietServer
{
    /// <param name="listen">Address and port; port 0 takes a free one.</param>
    /// <param name="maxConnections">At a time; more are refused.</param>
    /// <param name="stopPatience">How long requests in progress have to end when it stops.</param>
    /// <param name="logging">Where failures are told.</param>
    /// <param name="certificate">For https; null for http.</param>
    public static WebApplicationBuilder CreateBuilder(IPEndPoint listen, int maxConnections, TimeSpan stopPatience, ILoggerFactory logging, TlsCertificate? certificate = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(logging);
        builder.Services.AddSingleton<IHostLifetime, NoHostLifetime>();
        builder.Services.AddRoutingCore();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = stopPatience);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = maxConnections;
            kestrel.Limits.MaxRequestBodySize = 0;
            kestrel.Limits.MaxRequestLineSize = 2048;
            kestrel.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
            kestrel.Listen(listen, options =>
            {
                options.Protocols = HttpProtocols.Http1;
                if (certificate is not null)
                {
                    options.UseHttps(new TlsHandshakeCallbackOptions
                    {
                        OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions { ServerCertificateContext = certificate.Current() }),
                    });
                }
            });
        });
        return builder;
    }

    /// <summary>The peer decides when it ends. The usual lifetime would take Ctrl+C away from it.</summary>
    private sealed class NoHostLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

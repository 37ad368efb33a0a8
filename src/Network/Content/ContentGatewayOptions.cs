using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace FedChain.Network.Content;

/// <summary>How a member's content is served.</summary>
public sealed class ContentGatewayOptions
{
    /// <summary>The address to listen on; this machine only by default. <see cref="IPAddress.Any"/> for all of IPv4.</summary>
    public IPAddress Address { get; set; } = IPAddress.Loopback;

    /// <summary>The port, 0 to 65535; 0, the default, takes a free one.</summary>
    public int Port { get; set; }

    /// <summary>With a certificate https is served, else http; the default, which leaves TLS to a proxy in front.</summary>
    public TlsCertificate? Certificate { get; set; }

    /// <summary>What has to be in every request as <c>Authorization: Bearer TOKEN</c>, but in those for health; null, the default, to serve everybody.</summary>
    public string? Token { get; set; }

    /// <summary>Connections at a time; more are refused. 512 by default.</summary>
    public int MaxConnections { get; set; } = 512;

    /// <summary>Payloads sealed at a time; more wait, and are answered 503 after <see cref="PayloadPatience"/>. 4 by default.</summary>
    public int MaxPayloads { get; set; } = 4;

    /// <summary>How long a request for a payload waits for its turn. 20 seconds by default.</summary>
    public TimeSpan PayloadPatience { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// How long a reader may let the sender wait in all, beside the time that <see cref="MinBytesPerSecond"/> gives it; then it is cut off. 30 seconds by
    /// default, as a fetcher has for an endpoint.
    /// </summary>
    public TimeSpan ReaderPatience { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The rate below which a reader uses up <see cref="ReaderPatience"/>, in bytes a second. 32 KiB by default: who fetches gives up at twice that.</summary>
    public int MinBytesPerSecond { get; set; } = 32 * 1024;

    /// <summary>Whether members' endpoints on private and loopback addresses are tried when somebody asks who can be reached. False by default.</summary>
    public bool AllowPrivateAddresses { get; set; }

    /// <summary>How long a member's endpoints have to answer when they are tried, all at once. 5 seconds by default.</summary>
    public TimeSpan ReachPatience { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long what was found of a member's endpoints is repeated to others who ask. 10 seconds by default.</summary>
    public TimeSpan ReachMemory { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long requests may go on when the gateway stops. 2 seconds by default.</summary>
    public TimeSpan StopPatience { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>For waits and what is remembered for a while.</summary>
    public TimeProvider Time { get; set; } = TimeProvider.System;

    /// <summary>Where failures are told; nowhere by default.</summary>
    public ILoggerFactory Logging { get; set; } = NullLoggerFactory.Instance;
}

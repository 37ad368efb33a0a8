namespace FedChain.Network.Content;

/// <summary>What a fetcher accepts from endpoints, which are written by other members and may be anything.</summary>
public sealed class ContentFetcherOptions
{
    /// <summary>Whether to connect to loopback, private and other addresses that aren't on the public Internet. False by default, or a
    /// member's profile could make the others call services in their own networks.</summary>
    public bool AllowPrivateAddresses { get; set; }

    /// <summary>
    /// Sent as <c>Authorization: Bearer TOKEN</c>: over https, and over http only where private addresses are allowed, as in one's own network. None by default.
    /// </summary>
    public string? Token { get; set; }

    /// <summary>How long a connection may take. 10 seconds by default.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long an endpoint may let wait in all, beside the time that <see cref="MinBytesPerSecond"/> gives it. 30 seconds by default.</summary>
    public TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The rate below which an endpoint uses up <see cref="Patience"/>, in bytes a second. 64 KiB by default.</summary>
    public int MinBytesPerSecond { get; set; } = 64 * 1024;

    /// <summary>The largest statement of holdings, in bytes. 64 KiB by default.</summary>
    public int MaxHoldingsSize { get; set; } = 64 * 1024;
}

using System.Net.Http.Headers;

namespace FedChain.Network.Content;

/// <summary>Where the operator's IPFS node is, and how long it is waited for.</summary>
public sealed class KuboOptions
{
    /// <summary>The RPC API's address, as in http://127.0.0.1:5001.</summary>
    public required Uri Api { get; init; }

    /// <summary>Sent with every request, where the node asks for it (API.Authorizations in its configuration); null for nothing.</summary>
    public AuthenticationHeaderValue? Authorization { get; init; }

    /// <summary>
    /// How long the node may take to say what it has itself. 2 seconds by default. Kubo says so at once; nodes that know no offline mode ask
    /// others meanwhile.
    /// </summary>
    public TimeSpan LocalPatience { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long the node may look for a block among its peers before endpoints are asked instead. 5 seconds by default.</summary>
    public TimeSpan SwarmPatience { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The rate below which moving a file uses up <see cref="Patience"/>, in bytes a second. 1 MiB by default: a swarm that is slower than
    /// that is left for the endpoints, and what has come from it is kept.
    /// </summary>
    public int MinBytesPerSecond { get; init; } = 1 << 20;

    /// <summary>How long the node may take for anything, beside the time that <see cref="MinBytesPerSecond"/> gives it. 30 seconds by default.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Reads an Authorization header's value, such as "Bearer TOKEN" or "Basic BASE64".</summary>
    /// <exception cref="FormatException">It is none; the message doesn't repeat it.</exception>
    public static AuthenticationHeaderValue ParseAuthorization(string text) =>
        AuthenticationHeaderValue.TryParse(text, out var value) && value.Parameter is { Length: > 0 } ? value
            : throw new FormatException("expected the value of an Authorization header: a scheme and a secret, such as 'Bearer TOKEN' or 'Basic BASE64'");
}

namespace FedChain.Network.Chain;

/// <summary>One of the nodes that a <see cref="ChainClient"/> may ask.</summary>
/// <param name="Endpoint">Its URL. The path may hold an access key: show <see cref="Name"/>.</param>
/// <param name="IsInUse">Whether it is the one being asked.</param>
/// <param name="Head">Its latest block when it was last looked at; null if it wasn't, as of an only node.</param>
/// <param name="Fault">Why it is passed over at present; null if it isn't.</param>
public sealed record ProviderStatus(Uri Endpoint, bool IsInUse, ulong? Head, string? Fault)
{
    /// <summary>Host and port.</summary>
    public string Name => Endpoint.Authority;

    public override string ToString() => $"{Name}: {(IsInUse ? "in use" : "in reserve")}{(Head is { } head ? $", at block {head}" : "")}{(Fault is null ? "" : $"; passed over: {Fault}")}";
}

/// <summary>Another node is asked from now on.</summary>
/// <param name="Before">Host and port of the one that was asked.</param>
/// <param name="Now">Of the one that is.</param>
/// <param name="Reason">What was wrong with the one before; null if its turn ended because a preferred one works again.</param>
public sealed record ProviderChange(string Before, string Now, string? Reason);

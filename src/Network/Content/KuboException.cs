namespace FedChain.Network.Content;

/// <summary>The operator's IPFS node can't be used: it is unreachable, refuses, or answers something else than Kubo's RPC API does.</summary>
public sealed class KuboException(string message, bool isTransient, Exception? inner = null) : IOException(message, inner)
{
    /// <summary>Whether the same request may succeed later without anybody changing anything.</summary>
    public bool IsTransient { get; } = isTransient;
}

namespace FedChain.Node.LocalChain;

/// <summary>What the local chain needs is missing or failed; the message says what to do. Never transient: nothing is retried.</summary>
public sealed class LocalChainException : Exception
{
    public LocalChainException(string message)
        : base(message)
    {
    }

    public LocalChainException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

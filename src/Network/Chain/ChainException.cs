using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.Network.Chain;

/// <summary>Talking to the chain failed: the node was not reached, answered something else than asked, or refused.</summary>
public sealed class ChainException : Exception
{
    public ChainException()
    {
    }

    public ChainException(string message)
        : base(message)
    {
    }

    public ChainException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Whether the same request may succeed later: no connection, time-out, overload. Such requests have been retried already.</summary>
    public bool IsTransient { get; init; }

    /// <summary>The JSON-RPC error code, if the node answered with one.</summary>
    public int? Code { get; init; }

    /// <summary>The contract's reason, if the call reverted.</summary>
    public ContractRefusal? Refusal { get; init; }

    /// <summary>There was no answer in time.</summary>
    public bool IsTimeout { get; init; }

    /// <summary>The answer was, or would have been, larger than allowed: ask for less.</summary>
    public bool IsTooMuch { get; init; }
}

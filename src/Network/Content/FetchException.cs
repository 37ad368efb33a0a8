namespace FedChain.Network.Content;

/// <summary>An endpoint failed; becomes an <see cref="EndpointAttempt"/> and doesn't leave the fetcher.</summary>
internal sealed class FetchException(FetchFailure failure, string reason, Exception? inner = null) : Exception(reason, inner)
{
    public FetchFailure Failure { get; } = failure;
}

namespace FedChain.Network.Content;

/// <summary>What came of a fetch.</summary>
public enum FetchStatus
{
    /// <summary>All bytes are here and are the ones that were named.</summary>
    Complete,

    /// <summary>Somebody gave other bytes than were named, or what is named can't be accepted.</summary>
    Failed,

    /// <summary>Nobody had it, or could be reached; it may be there another time.</summary>
    Unavailable,
}

/// <summary>Why an endpoint didn't serve.</summary>
public enum FetchFailure
{
    /// <summary>No connection, no such host, or a TLS failure.</summary>
    Unreachable,

    /// <summary>It answered that it hasn't got it.</summary>
    NotFound,

    /// <summary>It sent bytes that the CID doesn't name, or blocks that nobody asked for.</summary>
    WrongBytes,

    /// <summary>It answered that its own copy is corrupted.</summary>
    CorruptThere,

    /// <summary>It sent more than was allowed, or what is named is larger than that.</summary>
    TooLarge,

    /// <summary>It fell below the minimum rate.</summary>
    TooSlow,

    /// <summary>The connection ended before the content did.</summary>
    CutOff,

    /// <summary>It gave another answer, such as a redirect, which isn't followed, or that it is too busy.</summary>
    Refused,

    /// <summary>Its address is private, and private addresses aren't allowed; or it isn't an http or https URL.</summary>
    NotAllowed,

    /// <summary>The bytes are the ones that are named, but they are no file: the fault of whoever published the CID, not of the endpoint.</summary>
    NotAFile,
}

/// <summary>What one endpoint did.</summary>
/// <param name="Endpoint">Its base URL; null where the own store already shows that what is named can't be accepted.</param>
/// <param name="Failure">Why it didn't serve.</param>
/// <param name="Reason">The same for people, with what was expected and what came.</param>
public sealed record EndpointAttempt(Uri? Endpoint, FetchFailure Failure, string Reason)
{
    public override string ToString() => $"{Endpoint?.ToString() ?? "own store"}: {Reason}";
}

/// <summary>The outcome of a fetch, with what each endpoint did that didn't serve, in the order they were asked.</summary>
/// <param name="Status">What came of it.</param>
/// <param name="ServedBy">Who gave the last bytes; null where nobody did, or where all was here already.</param>
/// <param name="Bytes">The bytes, where a single block or answer was asked for.</param>
/// <param name="Attempts">The failures; also of endpoints asked before one served.</param>
public sealed record FetchResult(FetchStatus Status, Uri? ServedBy, ReadOnlyMemory<byte> Bytes, IReadOnlyList<EndpointAttempt> Attempts)
{
    public bool IsComplete => Status == FetchStatus.Complete;

    /// <summary>One line for people.</summary>
    public override string ToString() => Status switch
    {
        FetchStatus.Complete => ServedBy is null ? "already here" : $"served by {ServedBy}",
        _ when Attempts.Count == 0 => "there is no endpoint to ask",
        _ => string.Join("; ", Attempts),
    };

    internal static FetchResult Complete(Uri? servedBy, ReadOnlyMemory<byte> bytes, IReadOnlyList<EndpointAttempt> attempts) =>
        new(FetchStatus.Complete, servedBy, bytes, attempts);

    internal static FetchResult Incomplete(IReadOnlyList<EndpointAttempt> attempts)
    {
        var failed = attempts.Any(attempt =>
            attempt.Failure is FetchFailure.WrongBytes or FetchFailure.CorruptThere or FetchFailure.TooLarge or FetchFailure.NotAFile);
        return new FetchResult(failed ? FetchStatus.Failed : FetchStatus.Unavailable, ServedBy: null, default, attempts);
    }
}

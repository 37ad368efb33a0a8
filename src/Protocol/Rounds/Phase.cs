namespace FedChain.Protocol.Rounds;

/// <summary>Where a round stands at a moment. Times are chain seconds (Unix); a phase holds from <c>Since</c> inclusive to <c>Until</c> exclusive.</summary>
public abstract record Phase
{
    private Phase()
    {
    }

    /// <summary>Members train and submit.</summary>
    public sealed record Training(ulong Until) : Phase;

    /// <summary>The submitter whose turn it is may publish a candidate.</summary>
    /// <param name="Turn">0-based; the order is <see cref="RoundState.Turns"/>.</param>
    public sealed record Aggregation(int Turn, ulong Since, ulong Until) : Phase;

    /// <summary>The submitters attest the candidate of this turn.</summary>
    public sealed record Attestation(int Turn, ulong Since, ulong Until) : Phase;

    /// <summary>A quorum attested the candidate; its aggregate is the next round's base.</summary>
    public sealed record Finalised(ulong At) : Phase;

    /// <summary>
    /// Too few updates, or no candidate was accepted in any turn; the next round starts from the same base. Or the contract was replaced while the
    /// round ran: the log doesn't date that, and <paramref name="At"/> is the opening.
    /// </summary>
    public sealed record Aborted(ulong At) : Phase;
}

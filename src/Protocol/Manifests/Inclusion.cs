namespace FedChain.Protocol.Manifests;

/// <summary>
/// Which updates enter an aggregate (docs/protocol.md, "Inclusion"): exactly the submissions that at least n - q + 1 of the signed holdings name, where n is
/// the number of submissions and q the quorum. As fewer than n - q + 1 of the submitters may fail, one who does not fail can serve each.
/// </summary>
public static class Inclusion
{
    /// <summary>The included submissions.</summary>
    /// <param name="submissions">n, at least 1.</param>
    /// <param name="quorum">q(n), from 1 to n.</param>
    /// <param name="holdings">One bitmap per submitter that has signed holdings, at least q of them.</param>
    /// <exception cref="ArgumentException">Fewer holdings than the quorum or more than submitters, or a bitmap of another number of submissions.</exception>
    public static SubmissionBitmap Of(int submissions, int quorum, IReadOnlyCollection<SubmissionBitmap> holdings)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(quorum, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(quorum, submissions);
        if (holdings.Count < quorum || holdings.Count > submissions)
        {
            throw new ArgumentException($"Between {quorum} and {submissions} signed holdings decide; got {holdings.Count}.", nameof(holdings));
        }

        if (holdings.Any(held => !held.IsOf(submissions)))
        {
            throw new ArgumentException($"A bitmap is not one of {submissions} submissions.", nameof(holdings));
        }

        var holders = submissions - quorum + 1;
        return SubmissionBitmap.Of(submissions, Enumerable.Range(0, submissions).Where(i => holdings.Count(held => held[i]) >= holders));
    }
}

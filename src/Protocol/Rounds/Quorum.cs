namespace FedChain.Protocol.Rounds;

/// <summary>
/// How many valid attestations finalise a candidate: q(n) = floor(2n/3) + 1 of n submitters, except q(3) = 2
/// (three of three would let one dead member block every round). Source: docs/protocol.md, "Attestation".
/// </summary>
public static class Quorum
{
    /// <param name="submitters">n, at least 1.</param>
    public static int Of(int submitters)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(submitters, 1);
        return submitters == 3 ? 2 : (int)(2L * submitters / 3) + 1;
    }

    /// <summary>How many signed holdings must name an update for it to be included: n - q(n) + 1, so that at least one honest member can serve it.</summary>
    public static int HoldersToInclude(int submitters) => submitters - Of(submitters) + 1;

    /// <summary>How many votes For a proposal needs, of the votes at its snapshot: a majority of all that exist.</summary>
    public static uint OfVotes(uint votes) => (votes / 2) + 1;
}

namespace FedChain.Protocol.Rounds;

/// <summary>A member institution's seat, as the chain's events tell it.</summary>
/// <param name="ActiveFrom">The first round that counts it.</param>
/// <param name="DormantFrom">The first round that no longer counts it because its vote was retired; null while it is awake.</param>
public sealed record Seat(MemberId Id, Address Holder, Address Operator, RoundId ActiveFrom, RoundId? DormantFrom)
{
    /// <summary>Whether the seat counts for a round that is opened now.</summary>
    public bool CountsFor(RoundId round) => ActiveFrom.CompareTo(round) <= 0 && (DormantFrom is not { } dormant || round.CompareTo(dormant) < 0);
}

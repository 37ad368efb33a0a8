using FedChain.Protocol.Ethereum.Abi;

namespace FedChain.Protocol.Ethereum.Contracts;

/// <summary>IRounds.Phase; the values are the contract's.</summary>
public enum RoundPhase : byte
{
    None,
    Training,
    Aggregation,
    Attestation,
    Finalised,
    Aborted,
}

/// <summary>IRounds.Round: the current round as the contract derives it. Times are Unix seconds, <c>Until</c> 0 if the phase doesn't end by itself.</summary>
public sealed record RoundView(
    RoundId Number,
    RoundPhase Phase,
    ulong Turn,
    ulong Since,
    ulong Until,
    ulong ClosesAt,
    Hash256 Policy,
    Hash256 Base,
    Hash256 Set,
    Hash256 Beacon,
    uint Members,
    uint Minimum,
    uint Target,
    uint Submissions,
    uint PublishWindow,
    uint AttestWindow,
    byte MaxTurns,
    Hash256 Candidate,
    Hash256 Aggregate,
    MemberId Aggregator,
    uint Valid,
    uint Invalid)
{
    public static RoundView Read(AbiValues v) => new(
        v.Round(0), v.Enum<RoundPhase>(1), v.UInt64(2), v.UInt64(3), v.UInt64(4), v.UInt64(5), v.Hash(6), v.Hash(7), v.Hash(8), v.Hash(9),
        v.UInt32(10), v.UInt32(11), v.UInt32(12), v.UInt32(13), v.UInt32(14), v.UInt32(15), v.UInt8(16), v.Hash(17), v.Hash(18), v.Member(19), v.UInt32(20), v.UInt32(21));
}

/// <summary>IRounds.Member: what Rounds knows of a seat.</summary>
/// <param name="Commitment">What the seat's next submission has to open.</param>
/// <param name="Commitments">Commitments made so far: the index of the next one.</param>
/// <param name="LastRound">The last round it submitted in; 0 if none.</param>
/// <param name="SeenAt">When it last submitted, in Unix seconds.</param>
public sealed record MemberView(
    Hash256 Commitment, uint Commitments, RoundId LastRound, ulong SeenAt, uint Submitted, uint Published, uint Rejected, uint Contradicted)
{
    public static MemberView Read(AbiValues v) =>
        new(v.Hash(0), v.UInt32(1), v.Round(2), v.UInt64(3), v.UInt32(4), v.UInt32(5), v.UInt32(6), v.UInt32(7));
}

/// <summary>IMembership.Seat; all zero if there is none.</summary>
public sealed record SeatView(
    Address Holder, Address Operator, RoundId ActiveFrom, RoundId DormantFrom, ulong SeenAt, ulong NoticedAt, Hash256 ProfileHash)
{
    public static SeatView Read(AbiValues v) => new(v.Address(0), v.Address(1), v.Round(2), v.Round(3), v.UInt64(4), v.UInt64(5), v.Hash(6));
}

/// <summary>The policy that the next opening puts in force, as Rounds.policy() returns it.</summary>
public sealed record PolicyView(Hash256 Hash, PolicyParams Params, Hash256 Genesis, RoundId LastRound)
{
    public static PolicyView Read(AbiValues v) => new(v.Hash(0), RoundsAbi.ReadParams(v.List(1)), v.Hash(2), v.Round(3));
}

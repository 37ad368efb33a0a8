using System.Numerics;
using FedChain.Protocol.Ethereum.Abi;

namespace FedChain.Protocol.Ethereum.Contracts;

/// <summary>The functions of contracts/interfaces/IRounds.sol.</summary>
public static class RoundsAbi
{
    private const string Params = "(uint32 training, uint32 publishing, uint32 attesting, uint32 interval, uint32 minimum, uint8 maxTurns, uint24 rounds) params";

    private const string Round = "(uint64 number, uint8 phase, uint64 turn, uint64 since, uint64 until, uint64 closesAt, bytes32 policy, bytes32 base, bytes32 set, "
        + "bytes32 beacon, uint32 members, uint32 minimum, uint32 target, uint32 submissions, uint32 publishWindow, uint32 attestWindow, uint8 maxTurns, "
        + "bytes32 candidate, bytes32 aggregate, uint32 aggregator, uint32 valid, uint32 invalid)";

    private static readonly List<AbiFunction> All = [];

    public static AbiConstructor Constructor { get; } =
        AbiConstructor.Parse($"constructor(address membership_, address governance_, string json, {Params}, bytes32 genesis)");

    public static AbiFunction Open { get; } = Add("open() returns (uint256 round)");

    public static AbiFunction Submit { get; } =
        Add("submit(uint256 round, bytes32 policy, bytes32 base, bytes32 manifest, bytes32 secret, bytes32 nextCommitment)");

    public static AbiFunction Publish { get; } = Add("publish(uint256 round, uint256 turn, bytes32 manifest, bytes32 aggregate)");

    public static AbiFunction Attest { get; } = Add("attest(uint256 round, uint256 turn, bytes32 candidate, bool valid)");

    public static AbiFunction AttestBySignatures { get; } =
        Add("attestBySignatures(uint256 round, uint256 turn, bytes32 candidate, (bool valid, bytes signature)[] attestations) returns (uint256 counted)");

    public static AbiFunction Recommit { get; } = Add("recommit(bytes32 commitment)");

    public static AbiFunction SetPolicy { get; } = Add($"setPolicy(bytes32 expected, string json, {Params}, bytes32 genesis)");

    public static AbiFunction SetPaused { get; } = Add("setPaused(bool paused)");

    public static AbiFunction Membership { get; } = Add("membership() returns (address)");

    public static AbiFunction Governance { get; } = Add("governance() returns (address)");

    public static AbiFunction Current { get; } = Add("current() returns (uint256 round)");

    public static AbiFunction CurrentRound { get; } = Add($"round() returns ({Round})");

    public static AbiFunction RoundAt { get; } = Add($"roundAt(uint64 time) returns ({Round})");

    public static AbiFunction Turns { get; } = Add("turns() returns (uint256[] ids)");

    public static AbiFunction Submitter { get; } = Add("submitter(uint256 index) returns (uint256 id)");

    public static AbiFunction Member { get; } = Add(
        "member(uint256 id) returns ((bytes32 commitment, uint32 commitments, uint64 lastRound, uint64 seenAt, uint32 submitted, uint32 published, uint32 rejected, uint32 contradicted))");

    public static AbiFunction Policy { get; } = Add($"policy() returns (bytes32 hash, {Params}, bytes32 genesis, uint256 lastRound)");

    public static AbiFunction PolicyInForce { get; } = Add("policyInForce() returns (bytes32 hash)");

    public static AbiFunction Base { get; } = Add("base() returns (bytes32)");

    public static AbiFunction Finalised { get; } = Add("finalised() returns (uint256)");

    public static AbiFunction Paused { get; } = Add("paused() returns (bool)");

    public static IReadOnlyList<AbiFunction> Functions => All;

    /// <summary>The struct as a value for <see cref="Constructor"/> and <see cref="SetPolicy"/>.</summary>
    public static AbiValues WriteParams(PolicyParams p) =>
        new([(BigInteger)p.Training, (BigInteger)p.Publishing, (BigInteger)p.Attesting, (BigInteger)p.Interval, (BigInteger)p.Minimum, (BigInteger)p.MaxTurns, (BigInteger)p.Rounds]);

    /// <exception cref="FormatException">Not such a struct.</exception>
    public static PolicyParams ReadParams(AbiValues v) =>
        new(v.UInt32(0), v.UInt32(1), v.UInt32(2), v.UInt32(3), v.UInt32(4), v.UInt8(5), v.UInt32(6));

    private static AbiFunction Add(string signature)
    {
        var function = AbiFunction.Parse(signature);
        All.Add(function);
        return function;
    }
}

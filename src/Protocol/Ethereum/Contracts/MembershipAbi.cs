using FedChain.Protocol.Ethereum.Abi;

namespace FedChain.Protocol.Ethereum.Contracts;

/// <summary>The functions of contracts/interfaces/IMembership.sol, and of the ERC-721 and ERC-5805 views under it what FedChain asks.</summary>
public static class MembershipAbi
{
    private static readonly List<AbiFunction> All = [];

    public static AbiConstructor Constructor { get; } = AbiConstructor.Parse("constructor(address[] founders, address governance_, address rounds_)");

    public static AbiFunction Activate { get; } = Add("activate(string profile, address operator, bytes32 commitment)");

    public static AbiFunction ApplyForSeat { get; } = Add("applyForSeat(string profile, address operator, bytes32 commitment) returns (uint256 id, bytes32 application)");

    public static AbiFunction Admit { get; } = Add("admit(uint256 id, bytes32 application)");

    public static AbiFunction SetOperator { get; } = Add("setOperator(address operator, bytes32 commitment)");

    public static AbiFunction UpdateProfile { get; } = Add("updateProfile(string profile)");

    public static AbiFunction Resign { get; } = Add("resign()");

    public static AbiFunction Wake { get; } = Add("wake()");

    public static AbiFunction Dormant { get; } = Add("dormant(uint256 id)");

    public static AbiFunction Expel { get; } = Add("expel(uint256 id)");

    public static AbiFunction Recover { get; } = Add("recover(uint256 id, address newHolder)");

    public static AbiFunction GrantAuditor { get; } = Add("grantAuditor(address auditor, string recipient)");

    public static AbiFunction RevokeAuditor { get; } = Add("revokeAuditor(address auditor)");

    public static AbiFunction SetRounds { get; } = Add("setRounds(address newRounds)");

    public static AbiFunction Governance { get; } = Add("governance() returns (address)");

    public static AbiFunction Rounds { get; } = Add("rounds() returns (address)");

    public static AbiFunction DeploymentBlock { get; } = Add("deploymentBlock() returns (uint256)");

    public static AbiFunction FoundingEndsAt { get; } = Add("foundingEndsAt() returns (uint64)");

    public static AbiFunction RequireFounded { get; } = Add("requireFounded()");

    public static AbiFunction Voters { get; } = Add("voters() returns (uint256)");

    public static AbiFunction LastId { get; } = Add("lastId() returns (uint256)");

    public static AbiFunction SeatById { get; } = Add(
        "seat(uint256 id) returns ((address holder, address operator, uint64 activeFrom, uint64 dormantFrom, uint64 seenAt, uint64 noticedAt, bytes32 profileHash))");

    public static AbiFunction SeatOf { get; } = Add("seatOf(address account) returns (uint256 id)");

    public static AbiFunction OperatedBy { get; } = Add("operatedBy(address account) returns (uint256 id)");

    public static AbiFunction Eligible { get; } = Add("eligible(address operator, uint256 round) returns (uint256 id)");

    public static AbiFunction ApplicationOf { get; } = Add("applicationOf(uint256 id) returns (bytes32)");

    public static AbiFunction AuditorRecipient { get; } = Add("auditorRecipient(address auditor) returns (bytes32)");

    /// <summary>ERC-5805: the account's votes at a time that is over.</summary>
    public static AbiFunction GetPastVotes { get; } = Add("getPastVotes(address account, uint256 timepoint) returns (uint256)");

    /// <summary>ERC-5805: all votes at a time that is over.</summary>
    public static AbiFunction GetPastTotalSupply { get; } = Add("getPastTotalSupply(uint256 timepoint) returns (uint256)");

    public static AbiFunction IdlePeriod { get; } = Add("IDLE_PERIOD() returns (uint256)");

    public static AbiFunction NoticePeriod { get; } = Add("NOTICE_PERIOD() returns (uint256)");

    public static AbiFunction FoundingPeriod { get; } = Add("FOUNDING_PERIOD() returns (uint256)");

    public static IReadOnlyList<AbiFunction> Functions => All;

    private static AbiFunction Add(string signature)
    {
        var function = AbiFunction.Parse(signature);
        All.Add(function);
        return function;
    }
}

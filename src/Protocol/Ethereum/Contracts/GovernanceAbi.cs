using FedChain.Protocol.Ethereum.Abi;

namespace FedChain.Protocol.Ethereum.Contracts;

/// <summary>The functions of contracts/interfaces/IGovernance.sol and of OpenZeppelin's IGovernor under it.</summary>
public static class GovernanceAbi
{
    private const string Proposal = "address[] targets, uint256[] values, bytes[] calldatas, ";

    private static readonly List<AbiFunction> All = [];

    public static AbiConstructor Constructor { get; } =
        AbiConstructor.Parse("constructor(address membership_, uint48 votingDelay_, uint32 votingPeriod_, uint32 executionDelay_)");

    public static AbiFunction Propose { get; } = Add($"propose({Proposal}string description) returns (uint256)");

    public static AbiFunction CastVote { get; } = Add("castVote(uint256 proposalId, uint8 support) returns (uint256)");

    public static AbiFunction CastVoteWithReason { get; } = Add("castVoteWithReason(uint256 proposalId, uint8 support, string reason) returns (uint256)");

    public static AbiFunction Queue { get; } = Add($"queue({Proposal}bytes32 descriptionHash) returns (uint256)");

    public static AbiFunction Execute { get; } = Add($"execute({Proposal}bytes32 descriptionHash) returns (uint256)");

    public static AbiFunction Cancel { get; } = Add($"cancel({Proposal}bytes32 descriptionHash) returns (uint256)");

    public static AbiFunction SetExecutionDelay { get; } = Add("setExecutionDelay(uint32 newExecutionDelay)");

    public static AbiFunction SetVotingDelay { get; } = Add("setVotingDelay(uint48 newVotingDelay)");

    public static AbiFunction SetVotingPeriod { get; } = Add("setVotingPeriod(uint32 newVotingPeriod)");

    public static AbiFunction Membership { get; } = Add("membership() returns (address)");

    public static AbiFunction ExecutionDelay { get; } = Add("executionDelay() returns (uint256)");

    public static AbiFunction VotingDelay { get; } = Add("votingDelay() returns (uint256)");

    public static AbiFunction VotingPeriod { get; } = Add("votingPeriod() returns (uint256)");

    public static AbiFunction GracePeriod { get; } = Add("GRACE_PERIOD() returns (uint256)");

    public static AbiFunction LatestProposal { get; } = Add("latestProposal(uint256 id) returns (uint256 proposalId)");

    public static AbiFunction State { get; } = Add("state(uint256 proposalId) returns (uint8)");

    public static AbiFunction HashProposal { get; } = Add($"hashProposal({Proposal}bytes32 descriptionHash) returns (uint256)");

    public static AbiFunction ProposalSnapshot { get; } = Add("proposalSnapshot(uint256 proposalId) returns (uint256)");

    public static AbiFunction ProposalDeadline { get; } = Add("proposalDeadline(uint256 proposalId) returns (uint256)");

    public static AbiFunction ProposalEta { get; } = Add("proposalEta(uint256 proposalId) returns (uint256)");

    public static AbiFunction ProposalProposer { get; } = Add("proposalProposer(uint256 proposalId) returns (address)");

    public static AbiFunction ProposalVotes { get; } =
        Add("proposalVotes(uint256 proposalId) returns (uint256 againstVotes, uint256 forVotes, uint256 abstainVotes)");

    public static AbiFunction HasVoted { get; } = Add("hasVoted(uint256 proposalId, address account) returns (bool)");

    public static AbiFunction Quorum { get; } = Add("quorum(uint256 timepoint) returns (uint256)");

    public static IReadOnlyList<AbiFunction> Functions => All;

    private static AbiFunction Add(string signature)
    {
        var function = AbiFunction.Parse(signature);
        All.Add(function);
        return function;
    }
}

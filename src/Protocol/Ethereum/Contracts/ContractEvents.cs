using System.Numerics;
using FedChain.Protocol.Ethereum.Abi;

namespace FedChain.Protocol.Ethereum.Contracts;

/// <summary>Decodes the logs of Membership, Rounds and Governance to their records.</summary>
public static class ContractEvents
{
    private static readonly Dictionary<Hash256, (AbiEvent Abi, Func<AbiValues, IContractEvent> Read)> Table = [];

    static ContractEvents()
    {
        AddMembership();
        AddRounds();
        AddGovernance();
    }

    /// <summary>Every event that has a record.</summary>
    public static IEnumerable<AbiEvent> All => Table.Values.Select(entry => entry.Abi);

    /// <summary>Null for an event that FedChain does not follow: those of ERC-721 and the like, which its own say better.</summary>
    /// <exception cref="FormatException">It has the topic of one of ours and not its shape or range: the emitter is not our contract.</exception>
    public static IContractEvent? Decode(IReadOnlyList<Hash256> topics, ReadOnlySpan<byte> data) =>
        topics.Count > 0 && Table.TryGetValue(topics[0], out var entry) ? entry.Read(entry.Abi.Decode(topics, data)) : null;

    private static void AddMembership()
    {
        Add("FederationFounded(address governance, address rounds, uint64 foundingEndsAt, address[] founders)",
            v => new FederationFounded(v.Address(0), v.Address(1), v.UInt64(2), [.. v.List(3).Cast<Address>()]));
        Add("Applied(uint256 indexed id, address indexed holder, address operator, bytes32 commitment, bytes32 application, string profile)",
            v => new Applied(v.Member(0), v.Address(1), v.Address(2), v.Hash(3), v.Hash(4), v.Text(5)));
        Add("SeatActivated(uint256 indexed id, address indexed holder, address indexed operator, uint256 activeFrom, bytes32 profileHash)",
            v => new SeatActivated(v.Member(0), v.Address(1), v.Address(2), v.Round(3), v.Hash(4)));
        Add("SeatVacated(uint256 indexed id, address indexed holder, bool expelled)", v => new SeatVacated(v.Member(0), v.Address(1), v.Bool(2)));
        Add("SeatRecovered(uint256 indexed id, address indexed holder, address indexed previous)",
            v => new SeatRecovered(v.Member(0), v.Address(1), v.Address(2)));
        Add("OperatorChanged(uint256 indexed id, address indexed operator, address indexed previous)",
            v => new OperatorChanged(v.Member(0), v.Address(1), v.Address(2)));
        Add("ProfileUpdated(uint256 indexed id, bytes32 profileHash, string profile)", v => new ProfileUpdated(v.Member(0), v.Hash(1), v.Text(2)));
        Add("DormancyNoticed(uint256 indexed id, uint64 retirableAt)", v => new DormancyNoticed(v.Member(0), v.UInt64(1)));
        Add("SeatDormant(uint256 indexed id, uint256 fromRound)", v => new SeatDormant(v.Member(0), v.Round(1)));
        Add("SeatAwakened(uint256 indexed id, uint256 activeFrom)", v => new SeatAwakened(v.Member(0), v.Round(1)));
        Add("AuditorGranted(address indexed auditor, string recipient)", v => new AuditorGranted(v.Address(0), v.Text(1)));
        Add("AuditorRevoked(address indexed auditor)", v => new AuditorRevoked(v.Address(0)));
        Add("RoundsReplaced(address indexed rounds, address indexed previous, uint256 afterRound)",
            v => new RoundsReplaced(v.Address(0), v.Address(1), v.Round(2)));
    }

    private static void AddRounds()
    {
        Add("PolicySet(bytes32 indexed policy, bytes32 indexed previous, (uint32 training, uint32 publishing, uint32 attesting, uint32 interval, uint32 minimum, uint8 maxTurns, uint24 rounds) params, bytes32 genesis, string json)",
            v => new PolicySet(v.Hash(0), v.Hash(1), RoundsAbi.ReadParams(v.List(2)), v.Hash(3), v.Text(4)));
        Add("PauseSet(bool paused)", v => new PauseSet(v.Bool(0)));
        Add("CommitmentMade(uint256 indexed id, uint256 index, bytes32 commitment, uint256 fromRound)",
            v => new CommitmentMade(v.Member(0), v.UInt64(1), v.Hash(2), v.Round(3)));
        Add("RoundOpened(uint256 indexed round, uint256 indexed opener, bytes32 indexed policy, bytes32 base, uint256 finalised, uint256 members, uint256 minimum, uint64 openedAt, uint64 closesAt, uint64 publishWindow, uint64 attestWindow, uint256 maxTurns)",
            v => new RoundOpened(v.Round(0), v.Member(1), v.Hash(2), v.Hash(3), v.UInt64(4), v.UInt32(5), v.UInt32(6), v.UInt64(7), v.UInt64(8), v.UInt64(9), v.UInt64(10), v.UInt32(11)));
        Add("UpdateSubmitted(uint256 indexed round, uint256 indexed id, uint256 index, bytes32 manifest, bytes32 secret, bytes32 nextCommitment)",
            v => new UpdateSubmitted(v.Round(0), v.Member(1), v.UInt32(2), v.Hash(3), v.Hash(4), v.Hash(5)));
        Add("TargetLowered(uint256 indexed round, uint256 indexed id, uint256 target)", v => new TargetLowered(v.Round(0), v.Member(1), v.UInt32(2)));
        Add("TrainingClosed(uint256 indexed round, uint64 time)", v => new TrainingClosed(v.Round(0), v.UInt64(1)));
        Add("CandidatePublished(uint256 indexed round, uint256 indexed id, uint256 turn, bytes32 candidate, bytes32 manifest, bytes32 aggregate, uint64 time)",
            v => new CandidatePublished(v.Round(0), v.Member(1), v.UInt32(2), v.Hash(3), v.Hash(4), v.Hash(5), v.UInt64(6)));
        Add("Attested(uint256 indexed round, uint256 indexed id, uint256 turn, bytes32 candidate, bool valid)",
            v => new Attested(v.Round(0), v.Member(1), v.UInt32(2), v.Hash(3), v.Bool(4)));
        Add("CandidateRejected(uint256 indexed round, uint256 indexed id, uint256 turn, bytes32 candidate, uint64 time)",
            v => new CandidateRejected(v.Round(0), v.Member(1), v.UInt32(2), v.Hash(3), v.UInt64(4)));
        Add("RoundFinalised(uint256 indexed round, uint256 indexed id, uint256 turn, bytes32 candidate, bytes32 aggregate, uint256 finalised, uint64 time)",
            v => new RoundFinalised(v.Round(0), v.Member(1), v.UInt32(2), v.Hash(3), v.Hash(4), v.UInt64(5), v.UInt64(6)));
        Add("RoundAborted(uint256 indexed round, uint8 reason, uint64 time)", v => new RoundAborted(v.Round(0), v.Enum<AbortReason>(1), v.UInt64(2)));
        Add("Succeeded(uint256 round)", v => new Succeeded(v.Round(0)));
    }

    private static void AddGovernance()
    {
        Add("ProposalCreated(uint256 proposalId, address proposer, address[] targets, uint256[] values, string[] signatures, bytes[] calldatas, uint256 voteStart, uint256 voteEnd, string description)",
            v => new ProposalCreated(
                Proposal(v, 0), v.Address(1), [.. v.List(2).Cast<Address>()], [.. v.List(3).Cast<BigInteger>()],
                [.. v.List(5).Select(c => (ReadOnlyMemory<byte>)(byte[])c)], v.UInt64(6), v.UInt64(7), v.Text(8)));
        Add("VoteCast(address indexed voter, uint256 proposalId, uint8 support, uint256 weight, string reason)",
            v => new VoteCast(v.Address(0), Proposal(v, 1), v.Enum<VoteKind>(2), v.Integer(3), v.Text(4)));
        Add("VoteCastWithParams(address indexed voter, uint256 proposalId, uint8 support, uint256 weight, string reason, bytes params)",
            v => new VoteCast(v.Address(0), Proposal(v, 1), v.Enum<VoteKind>(2), v.Integer(3), v.Text(4))); // counts alike; the parameters mean nothing here
        Add("ProposalQueued(uint256 proposalId, uint256 etaSeconds)", v => new ProposalQueued(Proposal(v, 0), v.UInt64(1)));
        Add("ProposalExecuted(uint256 proposalId)", v => new ProposalExecuted(Proposal(v, 0)));
        Add("ProposalCanceled(uint256 proposalId)", v => new ProposalCanceled(Proposal(v, 0)));
        Add("VotingDelaySet(uint256 oldVotingDelay, uint256 newVotingDelay)", v => new VotingDelaySet(v.UInt64(0), v.UInt64(1)));
        Add("VotingPeriodSet(uint256 oldVotingPeriod, uint256 newVotingPeriod)", v => new VotingPeriodSet(v.UInt64(0), v.UInt64(1)));
        Add("ExecutionDelaySet(uint256 oldExecutionDelay, uint256 newExecutionDelay)", v => new ExecutionDelaySet(v.UInt64(0), v.UInt64(1)));
    }

    private static ProposalId Proposal(AbiValues values, int index) => ProposalId.From(values.Integer(index));

    private static void Add(string signature, Func<AbiValues, IContractEvent> read)
    {
        var abi = AbiEvent.Parse(signature);
        Table.Add(abi.Topic, (abi, read));
    }
}

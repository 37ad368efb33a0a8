using FedChain.Protocol.Ethereum.Abi;

namespace FedChain.Protocol.Ethereum.Contracts;

/// <summary>Every error that a call to FedChain's contracts can end in. One table for all: an error's signature is its identity.</summary>
public static class ContractErrors
{
    private static readonly Dictionary<Selector, AbiError> Table = [];

    // ---- in more than one contract

    public static AbiError OnlyGovernance { get; } = Add("OnlyGovernance(address caller)");

    public static AbiError EmptyCommitment { get; } = Add("EmptyCommitment()");

    public static AbiError NotOperator { get; } = Add("NotOperator(address caller)");

    public static AbiError NotHolder { get; } = Add("NotHolder(address caller)");

    public static AbiError WrongWiring { get; } = Add("WrongWiring(address expected, address actual)");

    // ---- Membership

    public static AbiError OnlyRounds { get; } = Add("OnlyRounds(address caller)");

    public static AbiError ZeroAddress { get; } = Add("ZeroAddress()");

    public static AbiError ProfileLength { get; } = Add("ProfileLength(uint256 length, uint256 least, uint256 most)");

    public static AbiError RecipientLength { get; } = Add("RecipientLength(uint256 length, uint256 least, uint256 most)");

    public static AbiError NoFounders { get; } = Add("NoFounders()");

    public static AbiError NotFounder { get; } = Add("NotFounder(address caller)");

    public static AbiError FoundingOver { get; } = Add("FoundingOver(uint64 endedAt)");

    public static AbiError StillFounding { get; } = Add("StillFounding(uint256 missing, uint64 endsAt)");

    public static AbiError AddressTaken { get; } = Add("AddressTaken(address account, uint256 id)");

    public static AbiError UnknownApplication { get; } = Add("UnknownApplication(uint256 id, bytes32 application)");

    public static AbiError UnknownSeat { get; } = Add("UnknownSeat(uint256 id)");

    public static AbiError NotMember { get; } = Add("NotMember(address caller)");

    public static AbiError NotEligible { get; } = Add("NotEligible(uint256 id, uint256 round, uint256 activeFrom, uint256 dormantFrom)");

    public static AbiError LastMember { get; } = Add("LastMember(uint256 id)");

    public static AbiError NotIdle { get; } = Add("NotIdle(uint256 id, uint64 from)");

    public static AbiError AlreadyDormant { get; } = Add("AlreadyDormant(uint256 id)");

    public static AbiError UnknownAuditor { get; } = Add("UnknownAuditor(address auditor)");

    public static AbiError Soulbound { get; } = Add("Soulbound()");

    // ---- Rounds

    public static AbiError OnlyMembership { get; } = Add("OnlyMembership(address caller)");

    public static AbiError UnexpectedPhase { get; } = Add("UnexpectedPhase(uint256 round, uint8 actual, uint256 allowed)");

    public static AbiError WrongRound { get; } = Add("WrongRound(uint256 expected, uint256 actual)");

    public static AbiError WrongTurn { get; } = Add("WrongTurn(uint256 expected, uint256 actual)");

    public static AbiError WrongPolicy { get; } = Add("WrongPolicy(bytes32 expected, bytes32 actual)");

    public static AbiError WrongBase { get; } = Add("WrongBase(bytes32 expected, bytes32 actual)");

    public static AbiError WrongCandidate { get; } = Add("WrongCandidate(bytes32 expected, bytes32 actual)");

    public static AbiError WrongReveal { get; } = Add("WrongReveal(uint256 id, bytes32 expected, bytes32 actual)");

    public static AbiError EmptyManifest { get; } = Add("EmptyManifest()");

    public static AbiError AlreadySubmitted { get; } = Add("AlreadySubmitted(uint256 round, uint256 id)");

    public static AbiError NotSubmitter { get; } = Add("NotSubmitter(uint256 round, uint256 id)");

    public static AbiError NotYourTurn { get; } = Add("NotYourTurn(uint256 turn, uint256 aggregator, uint256 id)");

    public static AbiError AlreadyAttested { get; } = Add("AlreadyAttested(uint256 round, uint256 turn, uint256 id)");

    /// <summary>Of <c>open</c>.</summary>
    public static AbiError TooEarlyToOpen { get; } = Add("TooEarly(uint64 from)");

    public static AbiError OpeningPaused { get; } = Add("OpeningPaused()");

    public static AbiError Resting { get; } = Add("Resting(uint256 lastRound)");

    public static AbiError TooFewMembers { get; } = Add("TooFewMembers(uint256 members, uint256 minimum)");

    public static AbiError ParamOutOfBounds { get; } = Add("ParamOutOfBounds(string param, uint256 value, uint256 least, uint256 most)");

    public static AbiError EmptyGenesis { get; } = Add("EmptyGenesis()");

    public static AbiError AlreadyStarted { get; } = Add("AlreadyStarted(uint256 round)");

    // ---- Governance

    public static AbiError LiveProposal { get; } = Add("LiveProposal(uint256 id, uint256 proposalId)");

    public static AbiError NoVote { get; } = Add("NoVote(address account, uint256 proposalId)");

    /// <summary>Of <c>execute</c>.</summary>
    public static AbiError TooEarlyToExecute { get; } = Add("TooEarly(uint256 proposalId, uint256 eta)");

    public static AbiError SettingOutOfBounds { get; } = Add("SettingOutOfBounds(string setting, uint256 value, uint256 least, uint256 most)");

    public static AbiError NoEther { get; } = Add("NoEther()");

    public static AbiError GovernorAlreadyCastVote { get; } = Add("GovernorAlreadyCastVote(address voter)");

    public static AbiError GovernorUnexpectedProposalState { get; } = Add("GovernorUnexpectedProposalState(uint256 proposalId, uint8 current, bytes32 expectedStates)");

    public static AbiError GovernorNonexistentProposal { get; } = Add("GovernorNonexistentProposal(uint256 proposalId)");

    /// <summary>By selector: all of the above, those that OpenZeppelin's parts can raise, and Solidity's Error and Panic.</summary>
    public static IReadOnlyDictionary<Selector, AbiError> BySelector { get; } = Complete();

    private static AbiError Add(string signature)
    {
        var error = AbiError.Parse(signature);
        Table.Add(error.Selector, error);
        return error;
    }

    private static Dictionary<Selector, AbiError> Complete()
    {
        ReadOnlySpan<string> inherited =
        [
            "CheckpointUnorderedInsertion()", "ERC5805FutureLookup(uint256 timepoint, uint48 clock)", "ERC6372InconsistentClock()",
            "ERC721IncorrectOwner(address sender, uint256 tokenId, address owner)", "ERC721InsufficientApproval(address operator, uint256 tokenId)",
            "ERC721InvalidApprover(address approver)", "ERC721InvalidOperator(address operator)", "ERC721InvalidOwner(address owner)",
            "ERC721InvalidReceiver(address receiver)", "ERC721InvalidSender(address sender)", "ERC721NonexistentToken(uint256 tokenId)",
            "FailedCall()", "GovernorAlreadyQueuedProposal(uint256 proposalId)", "GovernorDisabledDeposit()",
            "GovernorInsufficientProposerVotes(address proposer, uint256 votes, uint256 threshold)",
            "GovernorInvalidProposalLength(uint256 targets, uint256 calldatas, uint256 values)", "GovernorInvalidSignature(address voter)",
            "GovernorInvalidVoteParams()", "GovernorInvalidVoteType()", "GovernorInvalidVotingPeriod(uint256 votingPeriod)",
            "GovernorOnlyExecutor(address account)", "GovernorProposalQueueingFailed(uint256 proposalId)",
            "GovernorProposalQueueingNotRequired(uint256 proposalId)", "GovernorRestrictedProposer(address proposer)",
            "GovernorUnableToCancel(uint256 proposalId, address account)", "InvalidAccountNonce(address account, uint256 currentNonce)",
            "InvalidShortString()", "SafeCastOverflowedUintDowncast(uint8 bits, uint256 value)", "StringTooLong(string str)",
            "VotesExpiredSignature(uint256 expiry)",
        ];
        foreach (var signature in inherited)
        {
            Add(signature);
        }

        Table.Add(AbiError.Text.Selector, AbiError.Text);
        Table.Add(AbiError.Panic.Selector, AbiError.Panic);
        return Table;
    }
}

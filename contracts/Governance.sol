// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {Governor} from "@openzeppelin/contracts/governance/Governor.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {GovernorCountingSimple} from "@openzeppelin/contracts/governance/extensions/GovernorCountingSimple.sol";
import {GovernorSettings} from "@openzeppelin/contracts/governance/extensions/GovernorSettings.sol";
import {GovernorVotes} from "@openzeppelin/contracts/governance/extensions/GovernorVotes.sol";
import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {IGovernance} from "./interfaces/IGovernance.sol";
import {IMembership} from "./interfaces/IMembership.sol";

/// @title How the federation decides: OpenZeppelin's Governor with an exact majority, its own queue, and bounds on its settings
/// @dev Deployed second, after Membership, which it is given; Rounds asserts that they name each other.
contract Governance is IGovernance, GovernorSettings, GovernorCountingSimple, GovernorVotes {
    /// @notice How long a proposal that passed waits to be queued, and one that is due to be executed.
    uint256 public constant GRACE_PERIOD = 14 days;

    uint256 private constant LEAST_VOTING_PERIOD = 5 seconds;
    uint256 private constant MOST_VOTING_PERIOD = 30 days;
    uint256 private constant MOST_DELAY = 14 days;
    uint256 private constant THRESHOLD = 1; // a member's vote

    uint32 private _executionDelay;
    mapping(uint256 id => uint256 proposalId) private _latestProposals;

    constructor(IMembership membership_, uint48 votingDelay_, uint32 votingPeriod_, uint32 executionDelay_)
        Governor("FedChain Governance")
        GovernorSettings(votingDelay_, votingPeriod_, THRESHOLD)
        GovernorVotes(IVotes(address(membership_)))
    {
        _setExecutionDelay(executionDelay_);
    }

    /// @dev Nothing here could pay it out.
    receive() external payable override {
        revert NoEther();
    }

    // ---- what passes

    /// @notice How many votes For a proposal needs, of the votes at its snapshot: floor(N / 2) + 1.
    function quorum(uint256 timepoint) public view override returns (uint256) {
        return token().getPastTotalSupply(timepoint) / 2 + 1;
    }

    /// @dev A majority of all votes that exist; then For outnumbers Against as well.
    function _quorumReached(uint256 proposalId) internal view override(Governor, GovernorCountingSimple) returns (bool) {
        (, uint256 forVotes,) = proposalVotes(proposalId);
        return forVotes >= quorum(proposalSnapshot(proposalId));
    }

    /// @inheritdoc GovernorCountingSimple
    // solhint-disable-next-line func-name-mixedcase
    function COUNTING_MODE() public pure override(GovernorCountingSimple, IGovernor) returns (string memory) {
        return "support=bravo&quorum=for";
    }

    // ---- who proposes and votes

    /// @dev One live proposal per member, none while the federation is being founded, and none that moves ETH.
    function _propose(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        string memory description,
        address proposer
    ) internal override returns (uint256 proposalId) {
        IMembership members = IMembership(membership());
        members.requireFounded();
        uint256 id = members.seatOf(proposer);
        if (id == 0) revert IMembership.NotHolder(proposer); // it had a vote a second ago, and has given it up since
        uint256 latest = _latestProposals[id];
        if (latest != 0 && _isLive(state(latest))) revert LiveProposal(id, latest);
        for (uint256 i = 0; i < values.length; ++i) {
            if (values[i] != 0) revert NoEther();
        }

        proposalId = super._propose(targets, values, calldatas, description, proposer);
        _latestProposals[id] = proposalId;
    }

    function _isLive(ProposalState state_) private pure returns (bool) {
        return state_ == ProposalState.Pending || state_ == ProposalState.Active || state_ == ProposalState.Succeeded
            || state_ == ProposalState.Queued;
    }

    /// @dev Voting is a sign of life, which Membership is told of.
    function _countVote(uint256 proposalId, address account, uint8 support, uint256 totalWeight, bytes memory params)
        internal
        override(Governor, GovernorCountingSimple)
        returns (uint256 weight)
    {
        if (totalWeight == 0) revert NoVote(account, proposalId);
        weight = super._countVote(proposalId, account, support, totalWeight, params);
        IMembership(membership()).voted(account);
    }

    // ---- queue and execution

    /// @inheritdoc Governor
    function proposalNeedsQueuing(uint256) public pure override returns (bool) {
        return true;
    }

    /// @notice As in OpenZeppelin's Governor; besides, what passed expires `GRACE_PERIOD` after its voting if it wasn't queued, and after
    /// its time of execution if it wasn't executed.
    function state(uint256 proposalId) public view override returns (ProposalState state_) {
        state_ = super.state(proposalId);
        uint256 from;
        if (state_ == ProposalState.Succeeded) from = proposalDeadline(proposalId);
        else if (state_ == ProposalState.Queued) from = proposalEta(proposalId);
        else return state_;
        if (block.timestamp >= from + GRACE_PERIOD) return ProposalState.Expired;
    }

    function _queueOperations(uint256, address[] memory, uint256[] memory, bytes[] memory, bytes32)
        internal
        view
        override
        returns (uint48)
    {
        return uint48(block.timestamp + _executionDelay);
    }

    /// @dev Refuses ETH: what the calls don't take would stay here.
    function execute(address[] memory targets, uint256[] memory values, bytes[] memory calldatas, bytes32 descriptionHash)
        public
        payable
        override
        returns (uint256)
    {
        if (msg.value != 0) revert NoEther();
        return super.execute(targets, values, calldatas, descriptionHash);
    }

    function _executeOperations(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override {
        uint256 eta = proposalEta(proposalId);
        if (block.timestamp < eta) revert TooEarly(proposalId, eta);
        super._executeOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    // ---- settings

    /// @inheritdoc IGovernance
    function setExecutionDelay(uint32 newExecutionDelay) external onlyGovernance {
        _setExecutionDelay(newExecutionDelay);
    }

    function _setExecutionDelay(uint32 newExecutionDelay) private {
        _bound("executionDelay", newExecutionDelay, 0, MOST_DELAY);
        emit ExecutionDelaySet(_executionDelay, newExecutionDelay);
        _executionDelay = newExecutionDelay;
    }

    function _setVotingDelay(uint48 newVotingDelay) internal override {
        _bound("votingDelay", newVotingDelay, 0, MOST_DELAY);
        super._setVotingDelay(newVotingDelay);
    }

    function _setVotingPeriod(uint32 newVotingPeriod) internal override {
        _bound("votingPeriod", newVotingPeriod, LEAST_VOTING_PERIOD, MOST_VOTING_PERIOD);
        super._setVotingPeriod(newVotingPeriod);
    }

    function _setProposalThreshold(uint256 newProposalThreshold) internal override {
        _bound("proposalThreshold", newProposalThreshold, THRESHOLD, THRESHOLD);
        super._setProposalThreshold(newProposalThreshold);
    }

    function _bound(string memory setting, uint256 value, uint256 least, uint256 most) private pure {
        if (value < least || value > most) revert SettingOutOfBounds(setting, value, least, most);
    }

    // ---- views

    /// @inheritdoc IGovernance
    function membership() public view returns (address) {
        return address(token());
    }

    /// @inheritdoc IGovernance
    function executionDelay() external view returns (uint256) {
        return _executionDelay;
    }

    /// @inheritdoc IGovernance
    function latestProposal(uint256 id) external view returns (uint256) {
        return _latestProposals[id];
    }

    // ---- required by Solidity: the bases declare these twice

    /// @inheritdoc GovernorSettings
    function proposalThreshold() public view override(Governor, GovernorSettings) returns (uint256) {
        return super.proposalThreshold();
    }
}

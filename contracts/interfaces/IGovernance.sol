// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

/// @title How the federation decides
/// @notice OpenZeppelin's Governor, whose functions and events (`IGovernor`) it has, executing by itself:
/// - a proposal passes with For >= floor(N / 2) + 1 of the N votes at its snapshot; abstaining is not agreeing;
/// - only members propose, one live proposal each, once founding is over; votes of zero weight revert;
/// - `queue` sets the time of execution, which `execute` enforces; a proposal that passed expires 14 days after it could be executed,
///   or after voting ended if nobody queued it;
/// - its own settings change only by its own votes, within hard bounds.
///
/// It decides admission, expulsion, recovery, auditors (Membership), policy, pause (Rounds), the successor of Rounds, and its settings.
interface IGovernance {
    /// @notice The time between `queue` and the earliest execution, in seconds.
    event ExecutionDelaySet(uint256 oldExecutionDelay, uint256 newExecutionDelay);

    /// @notice Member `id` has a proposal that is neither executed, defeated, cancelled nor expired.
    error LiveProposal(uint256 id, uint256 proposalId);
    /// @notice The account had no vote at the proposal's snapshot.
    error NoVote(address account, uint256 proposalId);
    /// @notice The proposal can't be executed before `eta`.
    error TooEarly(uint256 proposalId, uint256 eta);
    error SettingOutOfBounds(string setting, uint256 value, uint256 least, uint256 most);
    /// @notice No ETH is taken: nothing here could pay it out.
    error NoEther();

    /// @notice Sets `executionDelay`, 0 to 14 days. Only by a vote.
    function setExecutionDelay(uint32 newExecutionDelay) external;

    /// @notice The time between `queue` and the earliest execution, in seconds.
    function executionDelay() external view returns (uint256);

    function membership() external view returns (address);

    /// @notice The latest proposal of member `id`; 0 if it never made one.
    function latestProposal(uint256 id) external view returns (uint256 proposalId);
}

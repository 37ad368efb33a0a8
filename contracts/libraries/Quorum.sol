// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

/// @title How many are enough
/// @notice q(n) = floor(2n / 3) + 1, more than two thirds: two quorums share more than a third of the submitters, hence an honest one as long
/// as fewer than a third lie. With 2 or 3 submitters that would be all of them, and one silent site would stop everybody: there it is 2.
/// A round needs updates from more than half of the N members, so that a minority never trains alone.
library Quorum {
    function votes(uint256 n) internal pure returns (uint256) {
        return n == 3 ? 2 : 2 * n / 3 + 1;
    }

    /// @dev The least number of updates in a round with `members` members, of which the policy asks for `minimum`.
    function updates(uint256 members, uint256 minimum) internal pure returns (uint256) {
        uint256 majority = members / 2 + 1;
        return minimum > majority ? minimum : majority;
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

/// @title Who aggregates
/// @notice The first entries of the Fisher-Yates shuffle of 0..n-1 (R. Durstenfeld, CACM 7(7), 1964, from the front):
/// for i = 0, 1, …: swap entry i with entry i + keccak256(abi.encode(beacon, round, i)) mod (n - i).
library Turns {
    /// @dev Entry `turn` of the shuffle: where the swaps that came before moved it from, followed backwards. Of each swap only the move from i
    /// to partner[i] matters: what is followed always lies above the swaps yet to be undone. Costs O(turn), whatever n is.
    function entry(bytes32 beacon, uint256 round, uint256 n, uint256 turn) internal pure returns (uint256 index) {
        uint256[] memory partner = new uint256[](turn); // entry i was swapped with entry partner[i] >= i
        for (uint256 i = 0; i < turn; ++i) {
            partner[i] = _partner(beacon, round, n, i);
        }
        index = _partner(beacon, round, n, turn);
        for (uint256 i = turn; i > 0;) {
            --i;
            if (index == partner[i]) index = i;
        }
    }

    function _partner(bytes32 beacon, uint256 round, uint256 n, uint256 i) private pure returns (uint256) {
        return i + uint256(keccak256(abi.encode(beacon, round, i))) % (n - i);
    }
}

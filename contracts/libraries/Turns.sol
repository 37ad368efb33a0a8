// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

/// @title Who aggregates
/// @notice The first `count` entries of the Fisher-Yates shuffle of 0..n-1 (R. Durstenfeld, CACM 7(7), 1964, from the front):
/// for i < count: swap entry i with entry i + keccak256(abi.encode(beacon, round, i)) mod (n - i).
/// Only the entries that moved are kept, so it costs O(count^2) whatever n is.
library Turns {
    function order(bytes32 beacon, uint256 round, uint256 n, uint256 count) internal pure returns (uint256[] memory indices) {
        indices = new uint256[](count);
        uint256[] memory moved = new uint256[](count); // moved[k]: a position whose entry is no longer its own index …
        uint256[] memory entry = new uint256[](count); // … but entry[k]
        for (uint256 i = 0; i < count; ++i) {
            uint256 j = i + uint256(keccak256(abi.encode(beacon, round, i))) % (n - i);
            indices[i] = _at(j, moved, entry, i);
            entry[i] = _at(i, moved, entry, i); // position i is never looked at again, so only j's new entry counts
            moved[i] = j;
        }
    }

    function _at(uint256 position, uint256[] memory moved, uint256[] memory entry, uint256 length) private pure returns (uint256) {
        for (uint256 k = length; k > 0; --k) {
            if (moved[k - 1] == position) return entry[k - 1];
        }
        return position;
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IRounds} from "../interfaces/IRounds.sol";

/// @title What is hashed, exactly
/// @notice All are keccak256(abi.encode(…)); integers and ids take a 32-byte word each.
library Preimages {
    bytes32 internal constant ATTESTATION_TYPEHASH = keccak256("Attestation(uint256 round,uint256 turn,bytes32 candidate,bool valid)");

    /// @dev What a seat commits to: bound to chain, contract and seat, so that nobody can copy another's.
    function commitment(address rounds, uint256 id, bytes32 secret) internal view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, rounds, id, secret));
    }

    /// @dev The beacon after one more reveal; the order doesn't matter, and nothing but the secret can be chosen, which was committed to.
    function mix(bytes32 beacon, uint256 round, uint256 id, bytes32 secret) internal pure returns (bytes32) {
        return beacon ^ keccak256(abi.encode(round, id, secret));
    }

    /// @dev The rolling hash of the submissions.
    function extend(bytes32 set, uint256 id, bytes32 manifest) internal pure returns (bytes32) {
        return keccak256(abi.encode(set, id, manifest));
    }

    /// @dev What is voted on: not a digest alone, but that it follows from these submissions, in this turn.
    function candidate(uint256 round, uint256 turn, bytes32 set, bytes32 manifest, bytes32 aggregate) internal pure returns (bytes32) {
        return keccak256(abi.encode(round, turn, set, manifest, aggregate));
    }

    function policy(string memory json, IRounds.Params memory params, bytes32 genesis) internal pure returns (bytes32) {
        return keccak256(abi.encode(keccak256(bytes(json)), params, genesis));
    }

    /// @dev The EIP-712 struct hash of an attestation.
    function attestation(uint256 round, uint256 turn, bytes32 candidate_, bool valid) internal pure returns (bytes32) {
        return keccak256(abi.encode(ATTESTATION_TYPEHASH, round, turn, candidate_, valid));
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {ERC721Votes} from "@openzeppelin/contracts/token/ERC721/extensions/ERC721Votes.sol";
import {Votes} from "@openzeppelin/contracts/governance/utils/Votes.sol";
import {Time} from "@openzeppelin/contracts/utils/types/Time.sol";
import {IMembership} from "./interfaces/IMembership.sol";

/// @title An ERC-721 whose tokens stay where they are, and whose holders vote for themselves
/// @notice `delegates(a)` is `a`: a token is a vote from its minting on, without a transaction. Time is told in seconds (EIP-6372).
abstract contract SoulboundVotes is ERC721Votes {
    /// @inheritdoc Votes
    function clock() public view override returns (uint48) {
        return Time.timestamp();
    }

    /// @inheritdoc Votes
    // solhint-disable-next-line func-name-mixedcase
    function CLOCK_MODE() public pure override returns (string memory) {
        return "mode=timestamp";
    }

    /// @inheritdoc Votes
    function delegates(address account) public pure override returns (address) {
        return account;
    }

    function delegate(address) public pure override {
        revert IMembership.Soulbound();
    }

    function delegateBySig(address, uint256, uint256, uint8, bytes32, bytes32) public pure override {
        revert IMembership.Soulbound();
    }

    /// @dev `safeTransferFrom` comes here too.
    function transferFrom(address, address, uint256) public pure override {
        revert IMembership.Soulbound();
    }

    function approve(address, uint256) public pure override {
        revert IMembership.Soulbound();
    }

    function setApprovalForAll(address, bool) public pure override {
        revert IMembership.Soulbound();
    }
}

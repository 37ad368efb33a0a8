// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {IERC5805} from "@openzeppelin/contracts/interfaces/IERC5805.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IGovernance} from "../../../contracts/interfaces/IGovernance.sol";
import {IMembership} from "../../../contracts/interfaces/IMembership.sol";
import {IRounds} from "../../../contracts/interfaces/IRounds.sol";

// The deployed contracts as tests see them: by their interfaces, so that the contracts need not be compiled with every test.

interface Membership is IMembership, IERC721, IERC5805 {}

interface Governance is IGovernance, IGovernor {
    function setProposalThreshold(uint256 newProposalThreshold) external;
    function setVotingPeriod(uint32 newVotingPeriod) external;
}

interface Rounds is IRounds, IERC5267 {}

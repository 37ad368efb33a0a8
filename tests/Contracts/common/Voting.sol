// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {IMembership} from "../../../contracts/interfaces/IMembership.sol";
import {Federation} from "./Federation.sol";

/// @dev Members who propose and vote. No voting delay, a voting period of 100 s, an execution delay of 50 s.
abstract contract Voting is Federation {
    uint8 internal constant AGAINST = 0;
    uint8 internal constant FOR = 1;
    uint8 internal constant ABSTAIN = 2;

    address[] internal targets = new address[](1);
    uint256[] internal values = new uint256[](1);
    bytes[] internal calls = new bytes[](1);

    function _founded(uint256 n) internal {
        found(n);
        vm.warp(START + 10);
        targets[0] = address(membership);
        calls[0] = abi.encodeCall(IMembership.grantAuditor, (address(77), "age1xyz"));
    }

    /// @dev Asks a contract for the time: the optimiser takes `block.timestamp` for constant, which it is outside of tests.
    function _wait(uint256 time) internal {
        vm.warp(governance.clock() + time);
    }

    function _propose(uint256 id, string memory description) internal returns (uint256) {
        vm.prank(holder(id));
        return governance.propose(targets, values, calls, description);
    }

    function _vote(uint256 id, uint256 proposal, uint8 support) internal {
        vm.prank(holder(id));
        governance.castVote(proposal, support);
    }

    function assertState(uint256 proposal, IGovernor.ProposalState expected) internal view {
        assertEq(uint256(governance.state(proposal)), uint256(expected));
    }

    function _passed(uint256 n) internal returns (uint256 proposal) {
        proposal = _propose(1, "p");
        _wait(1);
        for (uint256 id = 1; id <= n; ++id) {
            _vote(id, proposal, FOR);
        }
        _wait(100);
    }

    /// @dev One call, by a proposal of member `proposer` and the votes of the members from there on, as many as it takes.
    function decide(uint256 proposer, address target, bytes memory call_) internal {
        (targets[0], values[0], calls[0]) = (target, 0, call_);
        _wait(1);
        string memory description = vm.toString(governance.clock());
        uint256 proposal = _propose(proposer, description);
        _wait(1);
        uint256 missing = governance.quorum(governance.proposalSnapshot(proposal));
        for (uint256 id = proposer; missing != 0; ++id) {
            if (membership.seat(id).holder != holder(id) || membership.seat(id).dormantFrom != 0) continue;
            _vote(id, proposal, FOR);
            --missing;
        }
        _wait(100);
        governance.queue(targets, values, calls, keccak256(bytes(description)));
        _wait(50);
        governance.execute(targets, values, calls, keccak256(bytes(description)));
    }
}

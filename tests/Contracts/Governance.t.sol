// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {IGovernance} from "../../contracts/interfaces/IGovernance.sol";
import {IMembership} from "../../contracts/interfaces/IMembership.sol";
import {Voting} from "./common/Voting.sol";

/// @dev In the fixture: no voting delay, a voting period of 100 s, an execution delay of 50 s.
contract GovernanceTest is Voting {
    function test_passes_waits_and_executes() external {
        _founded(3);
        uint256 proposal = _passed(2);
        assertState(proposal, IGovernor.ProposalState.Succeeded);
        governance.queue(targets, values, calls, keccak256("p"));
        uint256 eta = block.timestamp + 50;
        assertEq(governance.proposalEta(proposal), eta);
        vm.warp(eta - 1);
        refused(abi.encodeWithSelector(IGovernance.TooEarly.selector, proposal, eta));
        governance.execute(targets, values, calls, keccak256("p"));
        vm.warp(eta);
        governance.execute(targets, values, calls, keccak256("p"));
        assertEq(membership.auditorRecipient(address(77)), keccak256("age1xyz"));
        assertState(proposal, IGovernor.ProposalState.Executed);
    }

    function test_nothing_executes_without_the_queue() external {
        _founded(3);
        uint256 proposal = _passed(3);
        refused(
            abi.encodeWithSelector(
                IGovernor.GovernorUnexpectedProposalState.selector, proposal, IGovernor.ProposalState.Succeeded, bytes32(uint256(1 << 5))
            )
        );
        governance.execute(targets, values, calls, keccak256("p"));
    }

    /// @dev floor(N / 2) + 1 For, whatever the others say; one of three, or two of four, are too few.
    function test_majority_is_exact() external {
        for (uint256 n = 1; n <= 7; ++n) {
            _founded(n);
            uint256 majority = n / 2 + 1;
            uint256 proposal = _passed(majority - 1);
            assertState(proposal, IGovernor.ProposalState.Defeated);
            proposal = _propose(1, "again");
            _wait(1);
            for (uint256 id = 1; id <= n; ++id) {
                _vote(id, proposal, id <= majority ? FOR : AGAINST);
            }
            _wait(100);
            assertState(proposal, IGovernor.ProposalState.Succeeded);
        }
    }

    function test_abstaining_is_not_agreeing() external {
        _founded(3);
        uint256 proposal = _propose(1, "p");
        _wait(1);
        _vote(1, proposal, FOR);
        _vote(2, proposal, ABSTAIN);
        _vote(3, proposal, ABSTAIN);
        _wait(100);
        assertState(proposal, IGovernor.ProposalState.Defeated);
        vm.assertEq(governance.COUNTING_MODE(), "support=bravo&quorum=for");
    }

    function test_attack_outsiders_zero_weight_votes() external {
        _founded(2);
        uint256 proposal = _propose(1, "p");
        _wait(1);
        refused(abi.encodeWithSelector(IGovernance.NoVote.selector, operator(1), proposal));
        vm.prank(operator(1));
        governance.castVote(proposal, FOR);
        refused(abi.encodeWithSelector(IGovernor.GovernorInsufficientProposerVotes.selector, operator(1), 0, 1));
        vm.prank(operator(1));
        governance.propose(targets, values, calls, "q");
    }

    function test_newcomer_has_no_vote_on_what_was_proposed_before() external {
        _founded(2);
        uint256 proposal = _propose(1, "p");
        _wait(1);
        uint256 id = join();
        refused(abi.encodeWithSelector(IGovernance.NoVote.selector, holder(id), proposal));
        _vote(id, proposal, FOR);
    }

    /// @dev What counts is who had a vote at the snapshot: whoever is gone since may still cast it, and nothing else.
    function test_who_was_expelled_votes_on_what_was_proposed_before() external {
        _founded(3);
        uint256 proposal = _propose(1, "p");
        _wait(1);
        byVote();
        membership.expel(3);
        _vote(1, proposal, FOR);
        assertEq(governance.quorum(governance.proposalSnapshot(proposal)), 2);
        _vote(3, proposal, FOR);
        uint256 later = _propose(2, "q");
        _wait(1);
        refused(abi.encodeWithSelector(IGovernance.NoVote.selector, holder(3), later));
        _vote(3, later, FOR);
        _wait(100);
        assertState(proposal, IGovernor.ProposalState.Succeeded);
        assertState(later, IGovernor.ProposalState.Defeated);
    }

    function test_voting_is_a_sign_of_life() external {
        _founded(2);
        uint256 proposal = _propose(1, "p");
        _wait(7);
        _vote(2, proposal, AGAINST);
        assertEq(uint256(membership.seat(2).seenAt), block.timestamp);
    }

    function test_one_live_proposal_per_member() external {
        _founded(3);
        uint256 proposal = _propose(1, "p");
        assertEq(governance.latestProposal(1), proposal);
        refused(abi.encodeWithSelector(IGovernance.LiveProposal.selector, 1, proposal));
        _propose(1, "q");
        _propose(2, "q");
        _wait(1);
        _vote(1, proposal, FOR);
        _vote(2, proposal, FOR);
        _wait(100);
        refused(abi.encodeWithSelector(IGovernance.LiveProposal.selector, 1, proposal));
        _propose(1, "r");
        governance.queue(targets, values, calls, keccak256("p"));
        refused(abi.encodeWithSelector(IGovernance.LiveProposal.selector, 1, proposal));
        _propose(1, "r");
        // Another holder of the same seat is the same member.
        byVote();
        membership.recover(1, holder(9));
        _wait(50);
        refused(abi.encodeWithSelector(IGovernance.LiveProposal.selector, 1, proposal));
        _propose(9, "r");
        governance.execute(targets, values, calls, keccak256("p"));
        _propose(9, "r");
    }

    function test_no_proposal_before_the_federation_is_founded() external {
        deploy(2);
        activate(1);
        targets[0] = address(membership);
        vm.warp(START + 10);
        refused(abi.encodeWithSelector(IMembership.StillFounding.selector, 1, START + 7 days));
        _propose(1, "p");
        activate(2);
        _propose(1, "p");
    }

    function test_who_just_left_proposes_no_more() external {
        _founded(2);
        vm.prank(holder(2));
        membership.resign();
        refused(abi.encodeWithSelector(IMembership.NotHolder.selector, holder(2)));
        _propose(2, "p");
    }

    function test_what_passed_expires_unqueued() external {
        _founded(3);
        uint256 proposal = _passed(2);
        uint256 deadline = governance.proposalDeadline(proposal);
        vm.warp(deadline + 14 days - 1);
        assertState(proposal, IGovernor.ProposalState.Succeeded);
        vm.warp(deadline + 14 days);
        assertState(proposal, IGovernor.ProposalState.Expired);
        _propose(1, "q");
    }

    function test_what_is_queued_expires() external {
        _founded(3);
        uint256 proposal = _passed(2);
        governance.queue(targets, values, calls, keccak256("p"));
        uint256 eta = governance.proposalEta(proposal);
        vm.warp(eta + 14 days - 1);
        assertState(proposal, IGovernor.ProposalState.Queued);
        vm.warp(eta + 14 days);
        assertState(proposal, IGovernor.ProposalState.Expired);
        refused(
            abi.encodeWithSelector(
                IGovernor.GovernorUnexpectedProposalState.selector, proposal, IGovernor.ProposalState.Expired, bytes32(uint256(1 << 5))
            )
        );
        governance.execute(targets, values, calls, keccak256("p"));
    }

    function test_settings_have_hard_bounds() external {
        _founded(1);
        bytes4 outOfBounds = IGovernance.SettingOutOfBounds.selector;
        refused(abi.encodeWithSelector(outOfBounds, "votingPeriod", 4, 5, 30 days));
        newGovernance(membership, 0, 4, 0);
        refused(abi.encodeWithSelector(outOfBounds, "votingPeriod", 30 days + 1, 5, 30 days));
        newGovernance(membership, 0, 30 days + 1, 0);
        refused(abi.encodeWithSelector(outOfBounds, "votingDelay", 14 days + 1, 0, 14 days));
        newGovernance(membership, 14 days + 1, 5, 0);
        refused(abi.encodeWithSelector(outOfBounds, "executionDelay", 14 days + 1, 0, 14 days));
        newGovernance(membership, 0, 5, 14 days + 1);
        refused(abi.encodeWithSelector(outOfBounds, "proposalThreshold", 2, 1, 1));
        byVote();
        governance.setProposalThreshold(2);
        refused(abi.encodeWithSelector(outOfBounds, "proposalThreshold", 0, 1, 1));
        byVote();
        governance.setProposalThreshold(0);
    }

    function test_settings_change_by_vote_only() external {
        _founded(1);
        refused(abi.encodeWithSelector(IGovernor.GovernorOnlyExecutor.selector, address(this)));
        governance.setExecutionDelay(1);
        refused(abi.encodeWithSelector(IGovernor.GovernorOnlyExecutor.selector, address(this)));
        governance.setVotingPeriod(10);
        vm.expectEmit(true, true, true, true, address(governance));
        emit IGovernance.ExecutionDelaySet(50, 1);
        byVote();
        governance.setExecutionDelay(1);
        assertEq(governance.executionDelay(), 1);
    }

    function test_no_ether_stays() external {
        _founded(2);
        vm.deal(address(this), 1 ether);
        bytes memory noEther = abi.encodeWithSelector(IGovernance.NoEther.selector);
        (bool sent, bytes memory reason) = address(governance).call{value: 1}("");
        assertEq(sent, false);
        assertEq(keccak256(reason), keccak256(noEther));
        refused(noEther);
        governance.execute{value: 1}(targets, values, calls, keccak256("p"));
        values[0] = 1;
        refused(noEther);
        _propose(1, "p");
        (sent,) = address(membership).call{value: 1}("");
        assertEq(sent, false);
        (sent,) = address(rounds).call{value: 1}("");
        assertEq(sent, false);
    }

    /// @dev The votes that exist for: each goes all the way.
    function test_policy_and_pause_by_proposal() external {
        _founded(2);
        (bytes32 previous,,,) = rounds.policy();
        targets[0] = address(rounds);
        calls[0] = abi.encodeCall(rounds.setPolicy, (previous, "{\"v\":2}", defaultParams(), GENESIS));
        _passed(2);
        governance.queue(targets, values, calls, keccak256("p"));
        _wait(50);
        governance.execute(targets, values, calls, keccak256("p"));
        (bytes32 now_,,,) = rounds.policy();
        assertTrue(now_ != previous);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IMembership} from "../../contracts/interfaces/IMembership.sol";
import {IRounds} from "../../contracts/interfaces/IRounds.sol";
import {Federation} from "./common/Federation.sol";

contract SubmittingTest is Federation {
    function test_submission_is_told_and_counted() external {
        found(4);
        open();
        Submission memory s = submission(2);
        vm.expectEmit(true, true, true, true, address(rounds));
        emit IRounds.UpdateSubmitted(1, 2, 0, s.manifest, s.secret, s.nextCommitment);
        send(s);
        IRounds.Round memory r = rounds.round();
        assertEq(uint256(r.submissions), 1);
        assertEq(r.set, keccak256(abi.encode(bytes32(0), uint256(2), s.manifest)));
        assertEq(r.beacon, keccak256(abi.encode(uint256(1), uint256(2), s.secret)));
        assertEq(rounds.submitter(0), 2);
        IRounds.Member memory m = rounds.member(2);
        assertEq(m.commitment, s.nextCommitment);
        assertEq(uint256(m.commitments), 2);
        assertEq(uint256(m.lastRound), 1);
        assertEq(uint256(m.seenAt), block.timestamp);
        assertEq(uint256(m.submitted), 1);
    }

    function test_set_rolls_and_beacon_mixes() external {
        found(4);
        open();
        submit(3);
        submit(1);
        IRounds.Round memory r = rounds.round();
        bytes32 first = keccak256(abi.encode(bytes32(0), uint256(3), manifest(1, 3)));
        assertEq(r.set, keccak256(abi.encode(first, uint256(1), manifest(1, 1))));
        assertEq(r.beacon, keccak256(abi.encode(1, 3, secret(3, 0))) ^ keccak256(abi.encode(1, 1, secret(1, 0))));
        assertEq(rounds.submitter(1), 1);
    }

    function test_all_submissions_close_early() external {
        found(3);
        open();
        submit(1);
        submit(2);
        vm.warp(block.timestamp + 5);
        Submission memory s = submission(3);
        vm.expectEmit(true, true, true, true, address(rounds));
        emit IRounds.TrainingClosed(1, uint64(START + 5));
        send(s);
        assertPhase(IRounds.Phase.Aggregation, 0);
        assertEq(uint256(rounds.round().since), START + 5);
        assertEq(uint256(rounds.round().until), START + 5 + PUBLISHING);
    }

    function test_attack_submitting_at_the_deadlines_exact_second_and_one_after() external {
        found(4);
        open();
        submit(1);
        submit(2);
        vm.warp(START + TRAINING - 1);
        submit(3);
        Submission memory s = submission(4);
        vm.warp(START + TRAINING);
        refused(abi.encodeWithSelector(IRounds.UnexpectedPhase.selector, 1, IRounds.Phase.Aggregation, phases(IRounds.Phase.Training)));
        send(s);
        vm.warp(START + TRAINING + 1);
        refused(abi.encodeWithSelector(IRounds.UnexpectedPhase.selector, 1, IRounds.Phase.Aggregation, phases(IRounds.Phase.Training)));
        send(s);
    }

    function test_nothing_is_taken_before_the_first_round() external {
        found(2);
        Submission memory s = submission(1);
        refused(abi.encodeWithSelector(IRounds.UnexpectedPhase.selector, 0, IRounds.Phase.None, phases(IRounds.Phase.Training)));
        send(s);
    }

    function test_submission_is_for_this_round_policy_and_base_only() external {
        found(2);
        open();
        Submission memory s = submission(1);
        s.round = 2;
        refused(abi.encodeWithSelector(IRounds.WrongRound.selector, 1, 2));
        send(s);
        s = submission(1);
        bytes32 right = s.policy;
        s.policy = keccak256("x");
        refused(abi.encodeWithSelector(IRounds.WrongPolicy.selector, right, s.policy));
        send(s);
        s = submission(1);
        s.base = keccak256("y");
        refused(abi.encodeWithSelector(IRounds.WrongBase.selector, GENESIS, s.base));
        send(s);
        s = submission(1);
        s.manifest = 0;
        refused(abi.encodeWithSelector(IRounds.EmptyManifest.selector));
        send(s);
        s = submission(1);
        s.nextCommitment = 0;
        refused(abi.encodeWithSelector(IRounds.EmptyCommitment.selector));
        send(s);
    }

    function test_one_submission_per_member_and_round() external {
        found(3);
        open();
        submit(1);
        Submission memory s = submission(1);
        refused(abi.encodeWithSelector(IRounds.AlreadySubmitted.selector, 1, 1));
        send(s);
    }

    function test_secret_has_to_open_the_commitment() external {
        found(2);
        open();
        Submission memory s = submission(1);
        s.secret = keccak256("other");
        bytes32 opened = keccak256(abi.encode(block.chainid, address(rounds), uint256(1), s.secret));
        refused(abi.encodeWithSelector(IRounds.WrongReveal.selector, 1, commitment(1, 0), opened));
        send(s);
    }

    function test_commitment_of_another_seat_is_of_no_use() external {
        found(1);
        uint256 id = join();
        // It takes over member 1's commitment and, once that is revealed, its secret.
        vm.prank(operator(id));
        rounds.recommit(commitment(1, 0));
        open();
        submit(1);
        Submission memory s = submission(id);
        s.secret = secret(1, 0);
        bytes32 opened = keccak256(abi.encode(block.chainid, address(rounds), id, s.secret));
        refused(abi.encodeWithSelector(IRounds.WrongReveal.selector, id, commitment(1, 0), opened));
        send(s);
    }

    function test_only_operators_submit() external {
        found(2);
        open();
        Submission memory s = submission(1);
        refused(abi.encodeWithSelector(IMembership.NotOperator.selector, holder(1)));
        vm.prank(holder(1));
        rounds.submit(s.round, s.policy, s.base, s.manifest, s.secret, s.nextCommitment);
    }

    function test_attack_joining_during_a_round() external {
        found(2);
        open();
        uint256 id = join();
        assertEq(uint256(membership.seat(id).activeFrom), 2);
        Submission memory s = submission(id);
        refused(abi.encodeWithSelector(IMembership.NotEligible.selector, id, 1, 2, 0));
        send(s);
        submitAll(2);
        finalise();
        openAgain();
        assertEq(uint256(rounds.round().members), 3);
        submit(id);
    }

    // ---- commitments made outside of a submission

    function test_recommit_waits_for_the_next_opening() external {
        found(2);
        open();
        vm.expectEmit(true, true, true, true, address(rounds));
        emit IRounds.CommitmentMade(1, 1, commitment(1, 1), 2);
        vm.prank(operator(1));
        rounds.recommit(commitment(1, 1));
        assertEq(rounds.member(1).commitment, commitment(1, 0));

        Submission memory s = submission(1);
        s.secret = secret(1, 1);
        refused(abi.encodeWithSelector(IRounds.WrongReveal.selector, 1, commitment(1, 0), commitment(1, 1)));
        send(s);
        vm.warp(rounds.round().closesAt);
        openAgain();
        assertEq(rounds.member(1).commitment, commitment(1, 1));
        secretIndex[1] = 1;
        submit(1);
        assertEq(uint256(rounds.member(1).commitments), 3);
    }

    function test_recommit_between_rounds_holds_from_the_next() external {
        found(2);
        open();
        vm.warp(rounds.round().closesAt);
        vm.prank(operator(1));
        rounds.recommit(commitment(1, 1));
        assertEq(rounds.member(1).commitment, commitment(1, 1));
        openAgain();
        secretIndex[1] = 1;
        submit(1);
    }

    function test_recommit_twice_in_a_round_keeps_the_one_that_is_due() external {
        found(2);
        open();
        for (uint256 i = 1; i <= 2; ++i) {
            vm.prank(operator(1));
            rounds.recommit(commitment(1, i));
        }
        vm.warp(rounds.round().closesAt);
        openAgain();
        // The second one has ripened; a third waits behind it.
        vm.prank(operator(1));
        rounds.recommit(commitment(1, 3));
        assertEq(rounds.member(1).commitment, commitment(1, 2));
        secretIndex[1] = 2;
        submit(1);
        assertEq(rounds.member(1).commitment, commitment(1, 4)); // the submission's takes the place of the one that waited
        vm.warp(rounds.round().closesAt);
        openAgain();
        secretIndex[1] = 4;
        submit(1);
    }

    function test_submitting_supersedes_a_waiting_commitment() external {
        found(2);
        open();
        vm.prank(operator(1));
        rounds.recommit(commitment(1, 1));
        submit(1);
        assertEq(rounds.member(1).commitment, commitment(1, 2));
        submit(2);
        finalise();
        openAgain();
        secretIndex[1] = 2;
        submit(1);
    }

    function test_recommit_after_submitting_replaces_the_next() external {
        found(2);
        open();
        submit(1);
        vm.prank(operator(1));
        rounds.recommit(commitment(1, 2));
        assertEq(rounds.member(1).commitment, commitment(1, 2));
        submit(2);
        finalise();
        openAgain();
        secretIndex[1] = 2;
        submit(1);
    }

    function test_recommit_is_for_operators_and_never_empty() external {
        found(1);
        refused(abi.encodeWithSelector(IRounds.NotOperator.selector, address(this)));
        rounds.recommit(keccak256("x"));
        refused(abi.encodeWithSelector(IRounds.EmptyCommitment.selector));
        vm.prank(operator(1));
        rounds.recommit(0);
    }

    function test_new_operator_opens_the_old_commitment_in_the_running_round() external {
        found(2);
        open();
        vm.prank(holder(1));
        membership.setOperator(operator(9), commitment(1, 1));
        Submission memory s = submission(1);
        refused(abi.encodeWithSelector(IMembership.NotOperator.selector, operator(1)));
        send(s);
        vm.prank(operator(9));
        rounds.submit(s.round, s.policy, s.base, s.manifest, s.secret, s.nextCommitment);
        assertEq(rounds.submitter(0), 1);
        // Nor does the new key get a second submission for the seat.
        s.secret = secret(1, 1);
        refused(abi.encodeWithSelector(IRounds.AlreadySubmitted.selector, 1, 1));
        vm.prank(operator(9));
        rounds.submit(s.round, s.policy, s.base, s.manifest, s.secret, s.nextCommitment);
    }

    // ---- departures

    function test_departure_lowers_the_target() external {
        found(4);
        open();
        submit(1);
        submit(2);
        vm.expectEmit(true, true, true, true, address(rounds));
        emit IRounds.TargetLowered(1, 4, 3);
        vm.prank(holder(4));
        membership.resign();
        assertPhase(IRounds.Phase.Training);
        submit(3);
        assertPhase(IRounds.Phase.Aggregation, 0);
        assertEq(uint256(rounds.round().members), 4);
    }

    function test_departure_of_the_last_one_awaited_closes() external {
        found(4);
        open();
        submitAll(3);
        vm.warp(START + 3);
        vm.expectEmit(true, true, true, true, address(rounds));
        emit IRounds.TrainingClosed(1, uint64(START + 3));
        byVote();
        membership.expel(4);
        assertPhase(IRounds.Phase.Aggregation, 0);
    }

    function test_departures_below_the_minimum_abort() external {
        found(4);
        open();
        submitAll(2);
        for (uint256 id = 3; id <= 4; ++id) {
            vm.prank(holder(id));
            membership.resign();
        }
        assertPhase(IRounds.Phase.Aborted);
        assertEq(uint256(rounds.round().since), block.timestamp);
    }

    function test_departure_after_submitting_changes_nothing() external {
        found(4);
        open();
        submit(1);
        vm.prank(holder(1));
        membership.resign();
        assertEq(uint256(rounds.round().target), 4);
        assertEq(uint256(rounds.round().submissions), 1);
        vm.prank(operator(1));
        (bool ok,) = address(rounds).call(abi.encodeCall(rounds.open, ()));
        assertEq(ok, false);
        submit(2);
        submit(3);
        submit(4);
        assertPhase(IRounds.Phase.Aggregation, 0);
    }

    function test_departure_of_a_newcomer_changes_nothing() external {
        found(2);
        open();
        uint256 id = join();
        vm.prank(holder(id));
        membership.resign();
        assertEq(uint256(rounds.round().target), 2);
    }

    function test_departure_after_the_close_changes_nothing() external {
        found(4);
        open();
        submitAll(3);
        vm.warp(rounds.round().closesAt);
        vm.prank(holder(4));
        membership.resign();
        assertEq(uint256(rounds.round().target), 4);
        assertPhase(IRounds.Phase.Aggregation, 0);
    }

    function test_too_few_submissions_abort_at_the_close() external {
        found(4);
        open();
        submitAll(2);
        vm.warp(START + TRAINING - 1);
        assertPhase(IRounds.Phase.Training);
        vm.warp(START + TRAINING);
        assertPhase(IRounds.Phase.Aborted);
        assertEq(rounds.turns().length, 2);
    }

    function test_policy_minimum_above_the_majority_counts() external {
        found(4);
        IRounds.Params memory params = defaultParams();
        params.minimum = 4;
        setPolicy(params, GENESIS);
        open();
        submitAll(3);
        vm.warp(START + TRAINING);
        assertPhase(IRounds.Phase.Aborted);
    }
}

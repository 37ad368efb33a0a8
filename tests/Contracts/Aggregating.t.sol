// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IRounds} from "../../contracts/interfaces/IRounds.sol";
import {Federation} from "./common/Federation.sol";

contract AggregatingTest is Federation {
    uint256 private closed;

    /// @dev n members have submitted.
    function _closed(uint256 n) private {
        found(n);
        open();
        submitAll(n);
        closed = block.timestamp;
    }

    function _publish(uint256 id, uint256 round, uint256 turn, bytes32 digest, bytes32 aggregate) private {
        vm.prank(operator(id));
        rounds.publish(round, turn, digest, aggregate);
    }

    function test_candidate_is_told_and_is_its_aggregators_vote() external {
        _closed(4);
        uint256 id = aggregator(0);
        bytes32 digest = keccak256(abi.encode("global", uint256(1), uint256(0)));
        bytes32 candidate = keccak256(abi.encode(uint256(1), uint256(0), rounds.round().set, digest, result(1)));
        vm.expectEmit(true, true, true, true, address(rounds));
        emit IRounds.CandidatePublished(1, id, 0, candidate, digest, result(1), uint64(block.timestamp));
        _publish(id, 1, 0, digest, result(1));
        assertPhase(IRounds.Phase.Attestation, 0);
        IRounds.Round memory r = rounds.round();
        assertEq(r.candidate, candidate);
        assertEq(r.aggregate, result(1));
        assertEq(uint256(r.aggregator), id);
        assertEq(uint256(r.valid), 1);
        assertEq(uint256(r.until), block.timestamp + ATTESTING);
        assertEq(uint256(rounds.member(id).published), 1);
        refused(abi.encodeWithSelector(IRounds.AlreadyAttested.selector, 1, 0, id));
        attestRaw(id, 0, candidate, true);
    }

    function test_quorum_finalises() external {
        _closed(4);
        bytes32 candidate = publish(0, result(1));
        uint256 first = aggregator(0);
        uint256[3] memory others = _others(first);
        attest(others[0], 0, candidate, true);
        assertPhase(IRounds.Phase.Attestation, 0);
        vm.warp(block.timestamp + 1);
        vm.expectEmit(true, true, true, true, address(rounds));
        emit IRounds.Attested(1, others[1], 0, candidate, true);
        vm.expectEmit(true, true, true, true, address(rounds));
        emit IRounds.RoundFinalised(1, first, 0, candidate, result(1), 1, uint64(block.timestamp));
        attestRaw(others[1], 0, candidate, true);
        assertPhase(IRounds.Phase.Finalised, 0);
        IRounds.Round memory r = rounds.round();
        assertEq(uint256(r.since), block.timestamp);
        assertEq(uint256(r.until), 0);
        assertEq(r.candidate, candidate);
        assertEq(r.base, GENESIS);
        assertEq(rounds.base(), result(1));
        // It is over: another vote is refused.
        refused(abi.encodeWithSelector(IRounds.UnexpectedPhase.selector, 1, IRounds.Phase.Finalised, phases(IRounds.Phase.Attestation)));
        attestRaw(others[2], 0, candidate, true);
    }

    function test_single_member_is_its_own_quorum() external {
        _closed(1);
        publish(0, result(1));
        assertPhase(IRounds.Phase.Finalised, 0);
        assertEq(rounds.base(), result(1));
        openAgain();
        submit(1);
        publish(0, 0);
        assertPhase(IRounds.Phase.Aborted);
        assertEq(rounds.base(), result(1));
    }

    function test_two_need_both() external {
        _closed(2);
        bytes32 candidate = publish(0, result(1));
        assertPhase(IRounds.Phase.Attestation, 0);
        attest(3 - aggregator(0), 0, candidate, true);
        assertPhase(IRounds.Phase.Finalised, 0);
    }

    function test_three_need_two() external {
        _closed(3);
        bytes32 candidate = publish(0, result(1));
        attest(aggregator(1), 0, candidate, true);
        assertPhase(IRounds.Phase.Finalised, 0);
    }

    function test_votes_against_pass_the_turn_on_at_once() external {
        _closed(4);
        bytes32 candidate = publish(0, result(1));
        uint256 first = aggregator(0);
        uint256[3] memory others = _others(first);
        vm.warp(block.timestamp + 2);
        attest(others[0], 0, candidate, false);
        assertPhase(IRounds.Phase.Attestation, 0);
        vm.expectEmit(true, true, true, true, address(rounds));
        emit IRounds.CandidateRejected(1, first, 0, candidate, uint64(block.timestamp));
        attestRaw(others[1], 0, candidate, false);
        assertPhase(IRounds.Phase.Aggregation, 1);
        IRounds.Round memory r = rounds.round();
        assertEq(uint256(r.since), block.timestamp);
        assertEq(uint256(r.until), block.timestamp + PUBLISHING);
        assertEq(r.candidate, 0);
        assertEq(uint256(rounds.member(first).rejected), 1); // seen at once …

        bytes32 second = publish(1, result(1));
        assertEq(uint256(rounds.member(first).rejected), 1); // … and counted once
        assertPhase(IRounds.Phase.Attestation, 1);
        // Everybody votes anew on the second candidate, whose digest is the same.
        assertTrue(second != candidate);
        for (uint256 id = 1; id <= 4; ++id) {
            if (id != aggregator(1) && rounds.round().phase == IRounds.Phase.Attestation) attest(id, 1, second, true);
        }
        assertPhase(IRounds.Phase.Finalised, 1);
        openAgain();
        assertEq(uint256(rounds.member(first).rejected), 1);
    }

    function test_attack_no_show_aggregator() external {
        _closed(4);
        vm.warp(closed + PUBLISHING - 1);
        assertPhase(IRounds.Phase.Aggregation, 0);
        vm.warp(closed + PUBLISHING);
        assertPhase(IRounds.Phase.Aggregation, 1);
        uint256 late = aggregator(0);
        refused(abi.encodeWithSelector(IRounds.WrongTurn.selector, 1, 0));
        _publish(late, 1, 0, keccak256("m"), result(1));
        refused(abi.encodeWithSelector(IRounds.NotYourTurn.selector, 1, aggregator(1), late));
        _publish(late, 1, 1, keccak256("m"), result(1));
        publish(1, result(1));
        assertPhase(IRounds.Phase.Attestation, 1);
    }

    function test_candidate_lapses_without_a_quorum() external {
        _closed(4);
        bytes32 candidate = publish(0, result(1));
        uint256 first = aggregator(0);
        uint256[3] memory others = _others(first);
        attest(others[0], 0, candidate, true);
        vm.warp(closed + ATTESTING - 1);
        assertPhase(IRounds.Phase.Attestation, 0);
        vm.warp(closed + ATTESTING);
        assertPhase(IRounds.Phase.Aggregation, 1);
        assertEq(uint256(rounds.member(first).rejected), 1);
        assertEq(rounds.round().candidate, 0);
        refused(abi.encodeWithSelector(IRounds.UnexpectedPhase.selector, 1, IRounds.Phase.Aggregation, phases(IRounds.Phase.Attestation)));
        attestRaw(others[1], 0, candidate, true);

        vm.warp(closed + ATTESTING + 3);
        uint256 second = aggregator(1);
        vm.expectEmit(true, true, true, true, address(rounds));
        emit IRounds.CandidateRejected(1, first, 0, candidate, uint64(closed + ATTESTING));
        _publish(second, 1, 1, keccak256("m"), result(1));
        assertEq(uint256(rounds.member(first).rejected), 1);
        assertPhase(IRounds.Phase.Attestation, 1);
    }

    function test_attack_all_no_shows() external {
        _closed(4);
        vm.warp(closed + 3 * PUBLISHING - 1);
        assertPhase(IRounds.Phase.Aggregation, 2);
        vm.warp(closed + 3 * PUBLISHING);
        assertPhase(IRounds.Phase.Aborted);
        assertEq(uint256(rounds.round().since), closed + 3 * PUBLISHING);
        vm.warp(closed + 3 * PUBLISHING + INTERVAL);
        vm.expectEmit(true, true, true, true, address(rounds));
        emit IRounds.RoundAborted(1, IRounds.AbortReason.TurnsExhausted, uint64(closed + 3 * PUBLISHING));
        open();
        assertEq(rounds.round().base, GENESIS);
    }

    function test_last_candidate_without_a_quorum_aborts() external {
        _closed(2);
        vm.warp(closed + PUBLISHING);
        bytes32 candidate = publish(1, result(1));
        uint256 last = aggregator(1);
        uint256 end = block.timestamp + ATTESTING;
        vm.warp(end);
        assertPhase(IRounds.Phase.Aborted);
        assertEq(uint256(rounds.round().since), end);
        vm.warp(end + INTERVAL);
        vm.expectEmit(true, true, true, true, address(rounds));
        emit IRounds.CandidateRejected(1, last, 1, candidate, uint64(end));
        vm.expectEmit(true, true, true, true, address(rounds));
        emit IRounds.RoundAborted(1, IRounds.AbortReason.TurnsExhausted, uint64(end));
        open();
        assertEq(uint256(rounds.member(last).rejected), 1);
    }

    function test_last_candidate_rejected_aborts_at_once() external {
        _closed(2);
        vm.warp(closed + PUBLISHING);
        bytes32 candidate = publish(1, result(1));
        attest(3 - aggregator(1), 1, candidate, false);
        assertPhase(IRounds.Phase.Aborted);
        assertEq(uint256(rounds.round().since), block.timestamp);
        openAgain();
        assertEq(rounds.round().base, GENESIS);
    }

    function test_empty_aggregate_aborts_at_once() external {
        _closed(4);
        bytes32 candidate = publish(0, 0);
        assertEq(rounds.round().aggregate, 0);
        uint256[3] memory others = _others(aggregator(0));
        attest(others[0], 0, candidate, true);
        vm.expectEmit(true, true, true, true, address(rounds));
        emit IRounds.RoundAborted(1, IRounds.AbortReason.TooFewIncluded, uint64(block.timestamp));
        attestRaw(others[1], 0, candidate, true);
        assertPhase(IRounds.Phase.Aborted);
        assertEq(rounds.base(), GENESIS);
        assertEq(rounds.finalised(), 0);
        assertEq(uint256(rounds.member(aggregator(0)).rejected), 0);
        openAgain();
        assertEq(rounds.round().base, GENESIS);
        assertEq(uint256(rounds.member(1).rejected), 0);
    }

    function test_empty_aggregate_can_be_rejected_for_a_true_one() external {
        _closed(2);
        runToResultAfterEmpty();
        assertPhase(IRounds.Phase.Finalised, 1);
        assertEq(rounds.base(), result(1));
    }

    function runToResultAfterEmpty() private {
        bytes32 empty = publish(0, 0);
        attest(aggregator(1), 0, empty, false);
        bytes32 candidate = publish(1, result(1));
        attest(aggregator(0), 1, candidate, true);
    }

    function test_only_the_elected_publishes_in_its_turn() external {
        _closed(4);
        uint256 first = aggregator(0);
        uint256 second = aggregator(1);
        refused(abi.encodeWithSelector(IRounds.NotYourTurn.selector, 0, first, second));
        _publish(second, 1, 0, keccak256("m"), result(1));
        refused(abi.encodeWithSelector(IRounds.WrongTurn.selector, 0, 1));
        _publish(second, 1, 1, keccak256("m"), result(1));
        refused(abi.encodeWithSelector(IRounds.WrongRound.selector, 1, 2));
        _publish(first, 2, 0, keccak256("m"), result(1));
        refused(abi.encodeWithSelector(IRounds.EmptyManifest.selector));
        _publish(first, 1, 0, 0, result(1));
        refused(abi.encodeWithSelector(IRounds.NotOperator.selector, address(this)));
        rounds.publish(1, 0, keccak256("m"), result(1));
        _publish(first, 1, 0, keccak256("m"), result(1));
        // One candidate in a turn.
        refused(abi.encodeWithSelector(IRounds.UnexpectedPhase.selector, 1, IRounds.Phase.Attestation, phases(IRounds.Phase.Aggregation)));
        _publish(first, 1, 0, keccak256("m2"), result(1));
    }

    function test_nothing_is_published_while_it_trains() external {
        found(2);
        open();
        submit(1);
        refused(abi.encodeWithSelector(IRounds.UnexpectedPhase.selector, 1, IRounds.Phase.Training, phases(IRounds.Phase.Aggregation)));
        _publish(1, 1, 0, keccak256("m"), result(1));
        refused(
            abi.encodeWithSelector(
                IRounds.UnexpectedPhase.selector,
                1,
                IRounds.Phase.Training,
                phases(IRounds.Phase.Aggregation) | phases(IRounds.Phase.Attestation) | phases(IRounds.Phase.Finalised)
                    | phases(IRounds.Phase.Aborted)
            )
        );
        rounds.turns();
    }

    function test_attack_expulsion_during_ones_turn() external {
        _closed(4);
        uint256 first = aggregator(0);
        byVote();
        membership.expel(first);
        refused(abi.encodeWithSelector(IRounds.NotOperator.selector, operator(first)));
        _publish(first, 1, 0, keccak256("m"), result(1));
        vm.warp(closed + PUBLISHING);
        publish(1, result(1));
        assertPhase(IRounds.Phase.Attestation, 1);
    }

    function test_new_operator_takes_over_the_seats_turn() external {
        _closed(4);
        uint256 first = aggregator(0);
        bytes32 next = commitment(first, 2);
        vm.prank(holder(first));
        membership.setOperator(operator(77), next);
        refused(abi.encodeWithSelector(IRounds.NotOperator.selector, operator(first)));
        _publish(first, 1, 0, keccak256("m"), result(1));
        _publish(77, 1, 0, keccak256("m"), result(1));
        bytes32 candidate = rounds.round().candidate;
        // … and not a second vote.
        refused(abi.encodeWithSelector(IRounds.AlreadyAttested.selector, 1, 0, first));
        attestRaw(77, 0, candidate, true);
    }

    function attestRaw(uint256 id, uint256 turn, bytes32 candidate, bool valid) private {
        vm.prank(operator(id));
        rounds.attest(1, turn, candidate, valid);
    }

    function _others(uint256 first) private pure returns (uint256[3] memory others) {
        uint256 n;
        for (uint256 id = 1; id <= 4; ++id) {
            if (id != first) others[n++] = id;
        }
    }
}

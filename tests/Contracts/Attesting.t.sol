// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IRounds} from "../../contracts/interfaces/IRounds.sol";
import {Federation} from "./common/Federation.sol";

contract AttestingTest is Federation {
    bytes32 private candidate;
    uint256 private first;

    /// @dev n members have submitted, and the first aggregator has published.
    function _published(uint256 n) private {
        found(n);
        open();
        submitAll(n);
        first = aggregator(0);
        candidate = publish(0, result(1));
    }

    function _attest(uint256 id, uint256 round, uint256 turn, bytes32 about) private {
        vm.prank(operator(id));
        rounds.attest(round, turn, about, true);
    }

    /// @dev A member other than the first aggregator.
    function _other(uint256 offset, uint256 n) private view returns (uint256) {
        return (first - 1 + offset) % n + 1;
    }

    function test_vote_is_about_this_round_turn_and_candidate() external {
        _published(4);
        uint256 id = _other(1, 4);
        refused(abi.encodeWithSelector(IRounds.WrongRound.selector, 1, 2));
        _attest(id, 2, 0, candidate);
        refused(abi.encodeWithSelector(IRounds.WrongTurn.selector, 0, 1));
        _attest(id, 1, 1, candidate);
        bytes32 other = keccak256("x");
        refused(abi.encodeWithSelector(IRounds.WrongCandidate.selector, candidate, other));
        _attest(id, 1, 0, other);
    }

    function test_one_vote_per_member_and_turn() external {
        _published(7);
        uint256 id = _other(1, 7);
        attest(id, 0, candidate, false);
        refused(abi.encodeWithSelector(IRounds.AlreadyAttested.selector, 1, 0, id));
        _attest(id, 1, 0, candidate);
        // Nor by another key of the same seat.
        bytes32 next = commitment(id, 2);
        vm.prank(holder(id));
        membership.setOperator(operator(50), next);
        refused(abi.encodeWithSelector(IRounds.AlreadyAttested.selector, 1, 0, id));
        _attest(50, 1, 0, candidate);
        refused(abi.encodeWithSelector(IRounds.NotOperator.selector, operator(id)));
        _attest(id, 1, 0, candidate);
    }

    function test_only_submitters_vote() external {
        found(4);
        open();
        submitAll(3);
        vm.warp(rounds.round().closesAt);
        candidate = publish(0, result(1));
        refused(abi.encodeWithSelector(IRounds.NotSubmitter.selector, 1, 4));
        _attest(4, 1, 0, candidate);
        uint256 newcomer = join();
        refused(abi.encodeWithSelector(IRounds.NotSubmitter.selector, 1, newcomer));
        _attest(newcomer, 1, 0, candidate);
        refused(abi.encodeWithSelector(IRounds.NotOperator.selector, holder(1)));
        vm.prank(holder(1));
        rounds.attest(1, 0, candidate, true);
    }

    function test_who_left_votes_no_more() external {
        _published(4);
        uint256 id = _other(1, 4);
        vm.prank(holder(id));
        membership.resign();
        refused(abi.encodeWithSelector(IRounds.NotOperator.selector, operator(id)));
        _attest(id, 1, 0, candidate);
    }

    function test_vote_against_what_was_finalised_is_counted() external {
        _published(4);
        uint256 doubter = _other(1, 4);
        attest(doubter, 0, candidate, false);
        assertEq(uint256(rounds.member(doubter).contradicted), 0);
        attest(_other(2, 4), 0, candidate, true);
        attest(_other(3, 4), 0, candidate, true);
        assertPhase(IRounds.Phase.Finalised, 0);
        assertEq(uint256(rounds.member(doubter).contradicted), 1);
        assertEq(uint256(rounds.member(_other(2, 4)).contradicted), 0);
        for (uint256 i = 0; i < 2; ++i) {
            runRound(4); // counted once, whenever it submits again
            assertEq(uint256(rounds.member(doubter).contradicted), 1);
        }
        assertEq(uint256(rounds.member(first).contradicted), 0);
    }

    function test_vote_against_what_was_rejected_is_not_held_against_anybody() external {
        _published(4);
        attest(_other(1, 4), 0, candidate, false);
        attest(_other(2, 4), 0, candidate, false);
        bytes32 second = publish(1, result(1));
        uint256 next = aggregator(1);
        uint256 voted;
        for (uint256 id = 1; id <= 4 && voted < 2; ++id) {
            if (id == next) continue;
            attest(id, 1, second, true);
            ++voted;
        }
        assertPhase(IRounds.Phase.Finalised, 1);
        for (uint256 id = 1; id <= 4; ++id) {
            assertEq(uint256(rounds.member(id).contradicted), 0);
        }
        runRound(4);
        for (uint256 id = 1; id <= 4; ++id) {
            assertEq(uint256(rounds.member(id).contradicted), 0);
        }
    }

    function test_nobody_has_no_counters() external {
        found(4);
        open(); // no candidate yet
        IRounds.Member memory nobody;
        assertEq(keccak256(abi.encode(rounds.member(0))), keccak256(abi.encode(nobody)));
    }

    /// @dev History keeps four bits for each of 64 rounds to a word.
    function test_contradictions_are_told_apart_over_many_rounds() external {
        found(4);
        for (uint256 round = 1; round <= 70; ++round) {
            if (round == 1) open();
            else openAgain();
            submitAll(4);
            candidate = publish(0, result(round));
            first = aggregator(0);
            attest(_other(1, 4), 0, candidate, round % 2 == 0);
            attest(_other(2, 4), 0, candidate, true);
            if (rounds.round().phase == IRounds.Phase.Attestation) attest(_other(3, 4), 0, candidate, true);
        }
        uint256 sum;
        for (uint256 id = 1; id <= 4; ++id) {
            sum += rounds.member(id).contradicted;
        }
        assertEq(sum, 35);
    }

    // ---- signed votes

    function _batch(uint256 n) private pure returns (IRounds.SignedAttestation[] memory) {
        return new IRounds.SignedAttestation[](n);
    }

    function test_signed_votes_settle_in_a_batch() external {
        _published(7); // q = 5
        IRounds.SignedAttestation[] memory batch = _batch(4);
        for (uint256 i = 0; i < 4; ++i) {
            batch[i] = _sign(_other(i + 1, 7), 1, 0, candidate, true);
        }
        vm.expectEmit(true, true, true, true, address(rounds));
        emit IRounds.Attested(1, _other(1, 7), 0, candidate, true);
        assertEq(rounds.attestBySignatures(1, 0, candidate, batch), 4);
        assertPhase(IRounds.Phase.Finalised, 0);
    }

    function test_bad_and_duplicate_signatures_are_skipped() external {
        _published(7);
        attest(_other(1, 7), 0, candidate, true);
        IRounds.SignedAttestation[] memory batch = _batch(8);
        batch[0] = _sign(_other(1, 7), 1, 0, candidate, true); // voted by transaction
        batch[1] = _sign(first, 1, 0, candidate, true); // the aggregator's vote is its candidate
        batch[2] = _sign(99, 1, 0, candidate, true); // nobody
        batch[3] = IRounds.SignedAttestation(true, hex"1234");
        batch[4] = _sign(_other(2, 7), 1, 0, candidate, true);
        batch[4].valid = false; // not what was signed: recovers to a stranger
        batch[5] = _sign(_other(3, 7), 1, 1, candidate, true); // for another turn
        batch[6] = _sign(_other(4, 7), 1, 0, candidate, true);
        batch[7] = _sign(_other(4, 7), 1, 0, candidate, false); // twice
        assertEq(rounds.attestBySignatures(1, 0, candidate, batch), 1);
        assertEq(uint256(rounds.round().valid), 3);
        assertEq(uint256(rounds.round().invalid), 0);
    }

    function test_attack_replaying_an_attestation_of_turn_0_in_turn_1_or_another_round() external {
        _published(7);
        IRounds.SignedAttestation[] memory batch = _batch(1);
        batch[0] = _sign(_other(1, 7), 1, 0, candidate, true);
        vm.warp(block.timestamp + ATTESTING);
        bytes32 second = publish(1, result(1));
        assertEq(rounds.attestBySignatures(1, 1, second, batch), 0);
        refused(abi.encodeWithSelector(IRounds.WrongTurn.selector, 1, 0));
        rounds.attestBySignatures(1, 0, candidate, batch);
        refused(abi.encodeWithSelector(IRounds.WrongCandidate.selector, second, candidate));
        rounds.attestBySignatures(1, 1, candidate, batch);
        vm.warp(block.timestamp + 1000);
        openAgain();
        submitAll(7);
        bytes32 third = publish(0, result(1));
        assertEq(rounds.attestBySignatures(2, 0, third, batch), 0);
    }

    function test_batch_stops_at_the_decision() external {
        _published(4); // q = 3, more than 1 against rejects
        IRounds.SignedAttestation[] memory batch = _batch(3);
        for (uint256 i = 0; i < 3; ++i) {
            batch[i] = _sign(_other(i + 1, 4), 1, 0, candidate, false);
        }
        assertEq(rounds.attestBySignatures(1, 0, candidate, batch), 2);
        assertPhase(IRounds.Phase.Aggregation, 1);
        assertEq(uint256(rounds.member(first).rejected), 1);
    }

    function test_signature_of_a_rotated_key_is_skipped() external {
        _published(7);
        uint256 id = _other(1, 7);
        IRounds.SignedAttestation[] memory batch = _batch(1);
        batch[0] = _sign(id, 1, 0, candidate, true);
        bytes32 next = commitment(id, 2);
        vm.prank(holder(id));
        membership.setOperator(operator(50), next);
        assertEq(rounds.attestBySignatures(1, 0, candidate, batch), 0);
    }

    function test_domain_is_as_written() external {
        found(1);
        (, string memory name, string memory version, uint256 chainId, address verifyingContract,,) = rounds.eip712Domain();
        vm.assertEq(name, "FedChain");
        vm.assertEq(version, "1");
        assertEq(chainId, block.chainid);
        assertEq(verifyingContract, address(rounds));
    }
}

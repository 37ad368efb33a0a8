// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IRounds} from "../../contracts/interfaces/IRounds.sol";
import {Rounds} from "./common/Contracts.sol";
import {Federation} from "./common/Federation.sol";

/// @dev Attempts to act twice, late, as somebody else, or on something else; and the bounds of what lying members can do.
contract AttacksOnRoundsTest is Federation {
    /// @dev Its call is of no use to others, and its digest, which names its member, hinders nobody.
    function test_attack_copying_anothers_manifest() external {
        found(3);
        open();
        Submission memory seen = submission(1);
        bytes32 opened = keccak256(abi.encode(block.chainid, address(rounds), uint256(2), seen.secret));
        refused(abi.encodeWithSelector(IRounds.WrongReveal.selector, 2, commitment(2, 0), opened));
        vm.prank(operator(2));
        rounds.submit(seen.round, seen.policy, seen.base, seen.manifest, seen.secret, seen.nextCommitment);

        Submission memory copy = submission(2);
        copy.manifest = seen.manifest;
        send(copy);
        bytes32 set = keccak256(abi.encode(bytes32(0), uint256(2), seen.manifest));
        assertEq(rounds.round().set, set); // told apart by the member
        send(seen);
        assertEq(rounds.round().set, keccak256(abi.encode(set, uint256(1), seen.manifest)));
    }

    /// @dev Seats act, not keys.
    function test_attack_submit_rotate_submit() external {
        found(4);
        open();
        submit(1);
        bytes32 next = commitment(1, 2);
        vm.prank(holder(1));
        membership.setOperator(operator(50), next);
        Submission memory s = submission(1);
        for (uint256 index = 0; index < 3; ++index) {
            refused(abi.encodeWithSelector(IRounds.AlreadySubmitted.selector, 1, 1));
            vm.prank(operator(50));
            rounds.submit(s.round, s.policy, s.base, s.manifest, secret(1, index), s.nextCommitment);
        }
        assertEq(uint256(rounds.round().submissions), 1);
    }

    function test_attack_front_running_publish() external {
        found(4);
        open();
        submitAll(4);
        uint256 first = aggregator(0);
        uint256 other = first % 4 + 1;
        bytes32 digest = keccak256("m");
        refused(abi.encodeWithSelector(IRounds.NotYourTurn.selector, 0, first, other));
        vm.prank(operator(other));
        rounds.publish(1, 0, digest, result(1));
        refused(abi.encodeWithSelector(IRounds.NotOperator.selector, holder(first)));
        vm.prank(holder(first));
        rounds.publish(1, 0, digest, result(1));
        vm.prank(operator(first));
        rounds.publish(1, 0, digest, result(1));
        assertEq(uint256(rounds.round().aggregator), first);
    }

    /// @dev On the branch that won, the same turn has another candidate: the old votes are about the one that isn't there.
    function test_attack_replaying_an_attestation_after_a_reorganisation() external {
        found(4);
        open();
        submitAll(3);
        uint256 fork = vm.snapshotState();
        submit(4);
        bytes32 lost = publish(0, result(1));
        IRounds.SignedAttestation[] memory batch = new IRounds.SignedAttestation[](4);
        for (uint256 i = 0; i < 4; ++i) {
            batch[i] = _sign(i + 1, 1, 0, lost, true);
        }
        vm.revertToState(fork);

        vm.warp(rounds.round().closesAt); // the fourth submission came too late here
        bytes32 won = publish(0, result(1));
        assertTrue(won != lost);
        assertEq(rounds.attestBySignatures(1, 0, won, batch), 0);
        uint256 other = rounds.submitter(0) == aggregator(0) ? rounds.submitter(1) : rounds.submitter(0);
        refused(abi.encodeWithSelector(IRounds.WrongCandidate.selector, won, lost));
        vm.prank(operator(other));
        rounds.attest(1, 0, lost, true);
        assertEq(uint256(rounds.round().valid), 1);
    }

    /// @dev Nor on another chain with the same contracts (a fork of the chain), or for another Rounds of this one.
    function test_attack_replaying_an_attestation_on_another_chain_or_contract() external {
        found(4);
        open();
        submitAll(4);
        bytes32 candidate = publish(0, result(1));
        Rounds here = rounds;
        IRounds.SignedAttestation[] memory batch = new IRounds.SignedAttestation[](8);
        vm.chainId(4242);
        for (uint256 i = 0; i < 4; ++i) {
            batch[i] = _sign(i + 1, 1, 0, candidate, true);
        }
        vm.chainId(31_337);
        rounds = newRounds(address(membership), address(governance), GENESIS);
        for (uint256 i = 0; i < 4; ++i) {
            batch[4 + i] = _sign(i + 1, 1, 0, candidate, true);
        }
        rounds = here;
        assertEq(rounds.attestBySignatures(1, 0, candidate, batch), 0);
        // What was signed here is of no use once the chain has split and this is the other half.
        batch[0] = _sign(aggregator(1), 1, 0, candidate, true);
        vm.chainId(4242);
        assertEq(rounds.attestBySignatures(1, 0, candidate, batch), 2); // those of the first loop: with the aggregator's own, a quorum
        assertPhase(IRounds.Phase.Finalised, 0);
    }

    // ---- lying members: nine of them; q(9) = 7, and with the least turnout q(5) = 4

    /// @dev A third can hold a right result up for a turn when everybody submitted, but not make a wrong one final at any turnout.
    function test_attack_a_third_of_members_attesting_wrongly() external {
        _ninth(9);
        bytes32 candidate = publish(0, result(1));
        _attestAll(2, 0, candidate, false);
        assertPhase(IRounds.Phase.Finalised, 0); // fewer than a third did nothing

        openAgain();
        submitAll(9);
        candidate = publish(0, result(2));
        _attestAll(3, 0, candidate, false);
        assertPhase(IRounds.Phase.Aggregation, 1); // a third: this turn is lost
        candidate = publish(1, result(2));
        _attestAll(0, 1, candidate, false);
        assertPhase(IRounds.Phase.Finalised, 1);

        openAgain();
        submitAll(5);
        vm.warp(rounds.round().closesAt);
        candidate = publish(0, keccak256("wrong"));
        _attestAll(3, 0, candidate, true); // with the aggregator: 3 lie, 2 don't
        assertPhase(IRounds.Phase.Aggregation, 1);
    }

    /// @dev One more than a third, at the least turnout: what quorums of two thirds of more than half are worth, as the design says.
    function test_attack_a_third_plus_one_attesting_wrongly() external {
        _ninth(5);
        bytes32 candidate = publish(0, keccak256("wrong"));
        _attestAll(4, 0, candidate, true);
        assertPhase(IRounds.Phase.Finalised, 0);

        // When everybody takes part, as many can't.
        openAgain();
        submitAll(9);
        candidate = publish(0, keccak256("wrong"));
        _attestAll(4, 0, candidate, true);
        assertPhase(IRounds.Phase.Aggregation, 1);
    }

    function _ninth(uint256 submissions) private {
        found(9);
        open();
        submitAll(submissions);
        if (submissions < 9) vm.warp(rounds.round().closesAt);
    }

    /// @dev Each submitter votes while it can, the honest ones against what the liars say. An aggregator's candidate was its vote; when it
    /// counts among the liars (they vote valid), they are one fewer.
    function _attestAll(uint256 liars, uint256 turn, bytes32 candidate, bool theirs) private {
        uint256 lying = theirs ? liars - 1 : liars;
        uint256 n = rounds.round().submissions;
        for (uint256 i = 0; i < n && rounds.round().phase == IRounds.Phase.Attestation; ++i) {
            uint256 id = rounds.submitter(i);
            if (id == aggregator(turn)) continue;
            attest(id, turn, candidate, lying != 0 ? theirs : !theirs);
            if (lying != 0) --lying;
        }
    }

    // ---- limits

    /// @dev Counters have 32 bits: the 65,536th submission is counted like the first.
    function test_attack_65535_submissions_worth_of_counters() external {
        found(4);
        runRound(4);
        bytes32[5] memory slots;
        for (uint256 id = 1; id <= 4; ++id) {
            slots[id] = keccak256(abi.encode(id, uint256(6 + 2 ** 29 + 7))); // Rounds: six words, the submitters, seven of the policy, records
            uint256 word = uint256(vm.load(address(rounds), slots[id]));
            assertEq(uint32(word >> 112), 1); // it is the word: one submission so far
            assertEq(uint40(word), 1); // in round 1
            uint256 counters = uint256(0xffff) << 80 | uint256(0xffff) << 112 | uint256(0xffff) << 144 | uint256(0xffff) << 176;
            uint256 kept = word & ((1 << 80) - 1);
            vm.store(address(rounds), slots[id], bytes32(kept | counters | uint256(0xffff) << 208));
        }
        openAgain();
        submitAll(4);
        bytes32 candidate = publish(0, result(2));
        uint256 first = aggregator(0);
        uint256 doubter = first % 4 + 1;
        attest(doubter, 0, candidate, false);
        attest(doubter % 4 + 1, 0, candidate, true);
        attest((doubter + 1) % 4 + 1, 0, candidate, true);
        assertPhase(IRounds.Phase.Finalised, 0);
        IRounds.Member memory m = rounds.member(first);
        assertEq(uint256(m.submitted), 65_536);
        assertEq(uint256(m.published), 65_536);
        assertEq(uint256(m.commitments), 65_536);
        assertEq(uint256(m.rejected), 65_535);
        assertEq(uint256(rounds.member(doubter).contradicted), 65_536);
    }

    /// @dev From any phase, however far: nothing overflows, the deadlines stay where they were, and the next round opens.
    function test_attack_block_timestamps_that_jump() external {
        found(4);
        open();
        uint256[3] memory ends = [START + TRAINING, START + 3 * PUBLISHING, START + ATTESTING + 2 * PUBLISHING];
        uint256[3] memory jumps = [START + 1000, START + 3650 days, 2 ** 39]; // the last is the year 19,391
        for (uint256 phase = 0; phase < 3; ++phase) {
            if (phase == 1) submitAll(4);
            if (phase == 2) publish(0, result(1));
            for (uint256 i = 0; i < jumps.length; ++i) {
                uint256 before = vm.snapshotState();
                vm.warp(jumps[i]);
                assertPhase(IRounds.Phase.Aborted);
                assertEq(uint256(rounds.round().since), ends[phase]);
                open();
                assertEq(rounds.current(), 2);
                submitAll(4);
                finalise();
                assertEq(rounds.base(), result(2));
                vm.revertToState(before);
                vm.warp(START);
            }
        }
    }
}

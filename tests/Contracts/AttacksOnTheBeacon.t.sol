// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IMembership} from "../../contracts/interfaces/IMembership.sol";
import {IRounds} from "../../contracts/interfaces/IRounds.sol";
import {Rounds} from "./common/Contracts.sol";
import {Federation} from "./common/Federation.sol";

/// @dev Attempts to choose who aggregates.
contract AttacksOnTheBeaconTest is Federation {
    uint256 private constant LAST = 7;

    function setUp() external {
        found(LAST);
    }

    /// @dev The last to submit knows every other secret. Whatever it writes into its update, the beacon is what its commitment made it.
    function testFuzz_attack_grinding_the_beacon_by_content(bytes32 content, bytes32 nextCommitment) external {
        if (content == 0 || nextCommitment == 0) return;
        open();
        submitAll(LAST - 1);
        Submission memory s = submission(LAST);
        (s.manifest, s.nextCommitment) = (content, nextCommitment);
        bytes32 settled = rounds.round().beacon ^ keccak256(abi.encode(uint256(1), LAST, secret(LAST, 0)));
        send(s);
        assertEq(rounds.round().beacon, settled);
    }

    /// @dev … and another secret is refused.
    function testFuzz_attack_grinding_the_beacon_by_another_secret(bytes32 other) external {
        open();
        submitAll(LAST - 1);
        Submission memory s = submission(LAST);
        if (other == s.secret) return;
        s.secret = other;
        bytes32 opened = keccak256(abi.encode(block.chainid, address(rounds), LAST, other));
        refused(abi.encodeWithSelector(IRounds.WrongReveal.selector, LAST, commitment(LAST, 0), opened));
        send(s);
    }

    /// @dev Whoever orders the submissions permutes the indices, but moves neither the beacon nor the entries of the shuffle.
    function testFuzz_attack_grinding_the_beacon_by_order(uint256 seed) external {
        open();
        uint256[] memory ids = new uint256[](LAST);
        bytes32 settled;
        for (uint256 i = 0; i < LAST; ++i) {
            ids[i] = i + 1;
            settled ^= keccak256(abi.encode(uint256(1), i + 1, secret(i + 1, 0)));
        }
        for (uint256 i = 0; i < LAST; ++i) {
            uint256 j = i + uint256(keccak256(abi.encode(seed, i))) % (LAST - i);
            (ids[i], ids[j]) = (ids[j], ids[i]);
            submit(ids[i]);
        }
        assertEq(rounds.round().beacon, settled);
        uint256[] memory turns = rounds.turns();
        for (uint256 i = 0; i < turns.length; ++i) {
            assertEq(turns[i], ids[_entry(settled, LAST, i)]);
        }
    }

    /// @dev Nor do height, time, randomness or the block's producer.
    function testFuzz_attack_grinding_the_beacon_by_the_choice_of_block(uint64 height, uint8 wait, bytes32 random, address producer)
        external
    {
        open();
        submitAll(LAST - 1);
        bytes32 settled = rounds.round().beacon ^ keccak256(abi.encode(uint256(1), LAST, secret(LAST, 0)));
        vm.roll(bound(height, block.number, type(uint64).max));
        vm.warp(START + bound(wait, 0, TRAINING - 1));
        vm.prevrandao(random);
        vm.coinbase(producer);
        submit(LAST);
        assertEq(rounds.round().beacon, settled);
    }

    /// @dev It costs the withholder the round, which goes on without it; its commitment stays the same, so nothing is chosen anew.
    function test_attack_withholding_a_reveal() external {
        open();
        submitAll(LAST - 1);
        vm.warp(rounds.round().closesAt);
        assertPhase(IRounds.Phase.Aggregation, 0);
        bytes32 candidate = publish(0, result(1));
        refused(abi.encodeWithSelector(IRounds.NotSubmitter.selector, 1, LAST));
        vm.prank(operator(LAST));
        rounds.attest(1, 0, candidate, true);
        for (uint256 id = 1; id < LAST; ++id) {
            if (id != aggregator(0) && rounds.round().phase == IRounds.Phase.Attestation) attest(id, 0, candidate, true);
        }
        assertPhase(IRounds.Phase.Finalised, 0);
        assertEq(uint256(rounds.member(LAST).submitted), 0); // one round missed
        assertEq(uint256(rounds.member(1).submitted), 1);
        assertEq(rounds.member(LAST).commitment, commitment(LAST, 0));
    }

    /// @dev A secret chosen once the others' are known is of no use in that round.
    function test_attack_recommitting_after_others_revealed() external {
        open();
        submitAll(LAST - 1);
        vm.prank(operator(LAST));
        rounds.recommit(commitment(LAST, 1));
        Submission memory s = submission(LAST);
        s.secret = secret(LAST, 1);
        refused(abi.encodeWithSelector(IRounds.WrongReveal.selector, LAST, commitment(LAST, 0), commitment(LAST, 1)));
        send(s);
        // Nor with another operator, who brings a commitment along.
        bytes32 another = commitment(LAST, 2);
        vm.prank(holder(LAST));
        membership.setOperator(operator(99), another);
        refused(abi.encodeWithSelector(IRounds.WrongReveal.selector, LAST, commitment(LAST, 0), another));
        vm.prank(operator(99));
        rounds.submit(s.round, s.policy, s.base, s.manifest, secret(LAST, 2), s.nextCommitment);
    }

    /// @dev In a successor of Rounds nobody has committed. Who does so only while its first round trains knows the secrets revealed so far.
    function test_attack_committing_late_to_a_successor() external {
        runRound(LAST);
        rounds = _successor();
        for (uint256 id = 1; id < LAST; ++id) {
            secretIndex[id] = 0;
            vm.prank(operator(id));
            rounds.recommit(commitment(id, 0));
        }
        byVote();
        membership.setRounds(address(rounds));
        vm.warp(block.timestamp + INTERVAL);
        open();
        submitAll(LAST - 1);

        secretIndex[LAST] = 0;
        bytes32 late = commitment(LAST, 0);
        vm.expectEmit(true, true, true, true, address(rounds));
        emit IRounds.CommitmentMade(LAST, 0, late, 3);
        vm.prank(operator(LAST));
        rounds.recommit(late);
        Submission memory s = submission(LAST);
        refused(abi.encodeWithSelector(IRounds.WrongReveal.selector, LAST, 0, late));
        send(s);
        bytes32 another = commitment(LAST, 1);
        vm.prank(holder(LAST));
        membership.setOperator(operator(99), another);
        refused(abi.encodeWithSelector(IRounds.WrongReveal.selector, LAST, 0, another));
        vm.prank(operator(99));
        rounds.submit(s.round, s.policy, s.base, s.manifest, secret(LAST, 1), s.nextCommitment);

        // It waits for the next round, as any commitment does.
        vm.warp(rounds.round().closesAt);
        finalise();
        openAgain();
        assertEq(rounds.member(LAST).commitment, another);
        vm.prank(operator(99));
        rounds.submit(3, s.policy, result(2), manifest(3, LAST), secret(LAST, 1), commitment(LAST, 2));
    }

    function _successor() private returns (Rounds) {
        return newRounds(address(membership), address(governance), result(1));
    }

    /// @dev Entry i of the shuffled indices, by shuffling them.
    function _entry(bytes32 beacon, uint256 n, uint256 wanted) private pure returns (uint256) {
        uint256[] memory array = new uint256[](n);
        for (uint256 i = 0; i < n; ++i) {
            array[i] = i;
        }
        for (uint256 i = 0; i <= wanted; ++i) {
            uint256 j = i + uint256(keccak256(abi.encode(beacon, uint256(1), i))) % (n - i);
            (array[i], array[j]) = (array[j], array[i]);
        }
        return array[wanted];
    }
}

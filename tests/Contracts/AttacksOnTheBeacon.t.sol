// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IMembership} from "../../contracts/interfaces/IMembership.sol";
import {IRounds} from "../../contracts/interfaces/IRounds.sol";
import {Rounds} from "./common/Contracts.sol";
import {Federation} from "./common/Federation.sol";

/// @dev Attempts to choose who aggregates.
contract AttacksOnTheBeaconTest is Federation {
    /// @dev The last to submit knows every other secret. Whatever it writes into its update, the beacon is what its commitment made it.
    function testFuzz_attack_grinding_the_beacon_by_content(bytes32 content, bytes32 nextCommitment) external {
        if (content == 0 || nextCommitment == 0) return;
        found(4);
        open();
        submitAll(3);
        Submission memory s = submission(4);
        (s.manifest, s.nextCommitment) = (content, nextCommitment);
        bytes32 settled = rounds.round().beacon ^ keccak256(abi.encode(uint256(1), uint256(4), secret(4, 0)));
        send(s);
        assertEq(rounds.round().beacon, settled);
    }

    /// @dev … and another secret is refused.
    function testFuzz_attack_grinding_the_beacon_by_another_secret(bytes32 other) external {
        found(4);
        open();
        submitAll(3);
        Submission memory s = submission(4);
        if (other == s.secret) return;
        s.secret = other;
        bytes32 opened = keccak256(abi.encode(block.chainid, address(rounds), uint256(4), other));
        refused(abi.encodeWithSelector(IRounds.WrongReveal.selector, 4, commitment(4, 0), opened));
        send(s);
    }

    /// @dev Whoever orders the submissions permutes the indices, but moves neither the beacon nor the entries of the shuffle.
    function testFuzz_attack_grinding_the_beacon_by_order(uint256 seed) external {
        found(7);
        open();
        uint256[] memory ids = new uint256[](7);
        bytes32 settled;
        for (uint256 i = 0; i < 7; ++i) {
            ids[i] = i + 1;
            settled ^= keccak256(abi.encode(uint256(1), i + 1, secret(i + 1, 0)));
        }
        for (uint256 i = 0; i < 7; ++i) {
            uint256 j = i + uint256(keccak256(abi.encode(seed, i))) % (7 - i);
            (ids[i], ids[j]) = (ids[j], ids[i]);
            submit(ids[i]);
        }
        assertEq(rounds.round().beacon, settled);
        uint256[] memory turns = rounds.turns();
        for (uint256 i = 0; i < turns.length; ++i) {
            assertEq(turns[i], ids[_entry(settled, 7, i)]);
        }
    }

    /// @dev Nor do height, time, randomness or the block's producer.
    function testFuzz_attack_grinding_the_beacon_by_the_choice_of_block(uint64 height, uint8 wait, bytes32 random, address producer)
        external
    {
        found(4);
        open();
        submitAll(3);
        bytes32 settled = rounds.round().beacon ^ keccak256(abi.encode(uint256(1), uint256(4), secret(4, 0)));
        vm.roll(bound(height, block.number, type(uint64).max));
        vm.warp(START + bound(wait, 0, TRAINING - 1));
        vm.prevrandao(random);
        vm.coinbase(producer);
        submit(4);
        assertEq(rounds.round().beacon, settled);
    }

    /// @dev It costs the withholder the round, which goes on without it; its commitment stays the same, so nothing is chosen anew.
    function test_attack_withholding_a_reveal() external {
        found(4);
        open();
        submitAll(3);
        vm.warp(rounds.round().closesAt);
        assertPhase(IRounds.Phase.Aggregation, 0);
        bytes32 candidate = publish(0, result(1));
        refused(abi.encodeWithSelector(IRounds.NotSubmitter.selector, 1, 4));
        vm.prank(operator(4));
        rounds.attest(1, 0, candidate, true);
        for (uint256 id = 1; id <= 3; ++id) {
            if (id != aggregator(0) && rounds.round().phase == IRounds.Phase.Attestation) attest(id, 0, candidate, true);
        }
        assertPhase(IRounds.Phase.Finalised, 0);
        assertEq(uint256(rounds.member(4).submitted), 0); // one round missed
        assertEq(uint256(rounds.member(1).submitted), 1);
        assertEq(rounds.member(4).commitment, commitment(4, 0));
    }

    /// @dev A secret chosen once the others' are known is of no use in that round.
    function test_attack_recommitting_after_others_revealed() external {
        found(4);
        open();
        submitAll(3);
        vm.prank(operator(4));
        rounds.recommit(commitment(4, 1));
        Submission memory s = submission(4);
        s.secret = secret(4, 1);
        refused(abi.encodeWithSelector(IRounds.WrongReveal.selector, 4, commitment(4, 0), commitment(4, 1)));
        send(s);
        // Nor with another operator, who brings a commitment along.
        bytes32 another = commitment(4, 2);
        vm.prank(holder(4));
        membership.setOperator(operator(44), another);
        refused(abi.encodeWithSelector(IRounds.WrongReveal.selector, 4, commitment(4, 0), another));
        vm.prank(operator(44));
        rounds.submit(s.round, s.policy, s.base, s.manifest, secret(4, 2), s.nextCommitment);
    }

    /// @dev In a successor of Rounds nobody has committed. Who does so only while its first round trains knows the secrets revealed so far.
    function test_attack_committing_late_to_a_successor() external {
        found(4);
        runRound(4);
        rounds = _successor();
        for (uint256 id = 1; id <= 3; ++id) {
            secretIndex[id] = 0;
            vm.prank(operator(id));
            rounds.recommit(commitment(id, 0));
        }
        byVote();
        membership.setRounds(address(rounds));
        vm.warp(block.timestamp + INTERVAL);
        open();
        submitAll(3);

        secretIndex[4] = 0;
        bytes32 late = commitment(4, 0);
        vm.expectEmit(true, true, true, true, address(rounds));
        emit IRounds.CommitmentMade(4, 0, late, 3);
        vm.prank(operator(4));
        rounds.recommit(late);
        Submission memory s = submission(4);
        refused(abi.encodeWithSelector(IRounds.WrongReveal.selector, 4, 0, late));
        send(s);
        bytes32 another = commitment(4, 1);
        vm.prank(holder(4));
        membership.setOperator(operator(44), another);
        refused(abi.encodeWithSelector(IRounds.WrongReveal.selector, 4, 0, another));
        vm.prank(operator(44));
        rounds.submit(s.round, s.policy, s.base, s.manifest, secret(4, 1), s.nextCommitment);

        // It waits for the next round, as any commitment does.
        vm.warp(rounds.round().closesAt);
        finalise();
        openAgain();
        assertEq(rounds.member(4).commitment, another);
        vm.prank(operator(44));
        rounds.submit(3, s.policy, result(2), manifest(3, 4), secret(4, 1), commitment(4, 2));
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

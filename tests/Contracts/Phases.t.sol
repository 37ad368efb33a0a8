// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IRounds} from "../../contracts/interfaces/IRounds.sol";
import {Phases} from "../../contracts/libraries/Phases.sol";
import {Quorum} from "../../contracts/libraries/Quorum.sol";
import {Turns} from "../../contracts/libraries/Turns.sol";
import {Test} from "./common/Test.sol";

/// @dev Properties of the pure transitions.
contract PhasesTest is Test {
    using Phases for Phases.Head;
    using Phases for Phases.Turn;
    using Phases for Phases.PackedHead;
    using Phases for Phases.PackedTurn;

    /// @dev The derivation jumps; this walks from deadline to deadline.
    function testFuzz_derivation_is_the_walk_over_the_deadlines(
        uint8 submissions,
        uint8 minimum,
        uint8 maxTurns,
        uint8 index,
        uint16 publishWindow,
        uint16 attestWindow,
        uint32 elapsed,
        bool candidate
    ) external pure {
        (Phases.Head memory head, Phases.Turn memory turn) =
            _state(submissions, minimum, maxTurns, index, publishWindow, attestWindow, candidate);
        uint256 time = uint256(head.openedAt) + bound(elapsed, 0, 2_000_000);
        if (turn.since != 0 && time < turn.since) time = turn.since; // what is stored lies in the past
        Phases.Now memory state = Phases.derive(head, turn, time);
        _assertIsTheWalk(head, turn, time, state);
    }

    function _state(
        uint8 submissions,
        uint8 minimum,
        uint8 maxTurns,
        uint8 index,
        uint16 publishWindow,
        uint16 attestWindow,
        bool candidate
    ) private pure returns (Phases.Head memory head, Phases.Turn memory turn) {
        head.number = 1;
        head.openedAt = 1_000_000;
        head.closesAt = 1_000_100;
        head.submissions = uint32(bound(submissions, 0, 20));
        head.minimum = uint32(bound(minimum, 1, 10));
        turn.stage = Phases.Stage.Waiting;
        turn.maxTurns = uint8(bound(maxTurns, 1, 8));
        turn.publishWindow = uint32(bound(publishWindow, 1, 1000));
        turn.attestWindow = uint32(bound(attestWindow, 1, 1000));
        uint256 turns = head.count(turn);
        if (head.submissions < head.minimum || turns == 0) return (head, turn);
        if (candidate) {
            turn.stage = Phases.Stage.Candidate;
            turn.index = uint8(bound(index, 0, turns - 1));
            turn.since = head.closesAt + turn.index * turn.publishWindow;
        } else {
            turn.index = uint8(bound(index, 0, turns));
            if (turn.index != 0) turn.since = head.closesAt + turn.index * turn.publishWindow;
        }
    }

    function _assertIsTheWalk(Phases.Head memory head, Phases.Turn memory turn, uint256 time, Phases.Now memory state) private pure {
        if (time < head.closesAt) return _assert(state, IRounds.Phase.Training, 0, head.openedAt, head.closesAt);
        if (head.submissions < head.minimum) return _assert(state, IRounds.Phase.Aborted, 0, head.closesAt, 0);
        uint256 start = turn.since == 0 ? head.closesAt : turn.since;
        uint256 index = turn.index;
        if (turn.stage == Phases.Stage.Candidate) {
            if (time < start + turn.attestWindow) {
                return _assert(state, IRounds.Phase.Attestation, index, start, start + turn.attestWindow);
            }
            start += turn.attestWindow;
            ++index;
            assertEq(state.lapsedAt, start);
        }
        while (index < head.count(turn)) {
            if (time < start + turn.publishWindow) {
                return _assert(state, IRounds.Phase.Aggregation, index, start, start + turn.publishWindow);
            }
            start += turn.publishWindow;
            ++index;
        }
        _assert(state, IRounds.Phase.Aborted, 0, start, 0);
    }

    function _assert(Phases.Now memory state, IRounds.Phase phase, uint256 turn, uint256 since, uint256 until) private pure {
        assertEq(uint256(state.phase), uint256(phase));
        assertEq(state.turn, turn);
        assertEq(state.since, since);
        assertEq(state.until, until);
    }

    function testFuzz_head_survives_its_slot(uint40 a, uint40 b, uint40 c, uint32 d, uint32 e, uint32 f, uint32 g) external pure {
        Phases.Head memory head = Phases.Head(a, b, c, d, e, f, g);
        assertEq(keccak256(abi.encode(head.pack().unpack())), keccak256(abi.encode(head)));
    }

    function testFuzz_turn_survives_its_slot(uint40 a, uint8 b, uint8 c, bool d, uint8 e, uint32 f, uint32 g, uint32 h, uint32 i, uint32 j)
        external
        pure
    {
        Phases.Turn memory turn = Phases.Turn(a, b, Phases.Stage(c % 5), d, e, f, g, h, i, j);
        assertEq(keccak256(abi.encode(turn.pack().unpack())), keccak256(abi.encode(turn)));
    }

    /// @dev Two quorums share more than a third, from 4 on; a quorum never needs everybody, but of one or two; it is always above half.
    function testFuzz_quorum(uint32 n) external pure {
        uint256 count = bound(n, 1, type(uint32).max);
        uint256 q = Quorum.votes(count);
        assertTrue(q <= count);
        assertTrue(2 * q > count);
        if (count > 3) {
            assertTrue(3 * (2 * q - count) > count);
            assertTrue(q < count);
        }
    }

    /// @dev Following one entry backwards gives what the shuffle of an array does.
    function testFuzz_order_is_the_shuffle(bytes32 beacon, uint40 round, uint8 n, uint8 count) external pure {
        uint256 size = bound(n, 1, 60);
        uint256 wanted = bound(count, 1, size < 8 ? size : 8);
        uint256[] memory array = new uint256[](size);
        for (uint256 i = 0; i < size; ++i) {
            array[i] = i;
        }
        for (uint256 i = 0; i < wanted; ++i) {
            uint256 j = i + uint256(keccak256(abi.encode(beacon, uint256(round), i))) % (size - i);
            (array[i], array[j]) = (array[j], array[i]);
        }
        for (uint256 i = 0; i < wanted; ++i) {
            assertEq(Turns.entry(beacon, round, size, i), array[i]);
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IRounds} from "../interfaces/IRounds.sol";

/// @title The phase of a round, from what is stored and the time
/// @notice A pure function: no transaction is ever needed to let a deadline pass. All intervals are half-open.
library Phases {
    /// @dev What the round waits for, as far as transactions have told; time may have moved on since.
    enum Stage {
        /// No round was opened.
        Idle,
        /// For submissions, or for turn `index` to publish, since `since` (0: since the close).
        Waiting,
        /// For votes on the candidate of turn `index`, since `since`.
        Candidate,
        /// For nothing: a quorum made it final at `since`.
        Finalised,
        /// For nothing: a quorum ended it at `since`, for want of included updates.
        Aborted
    }

    /// @dev Written at the opening and by submissions. In storage it is one slot, which is read and written as a whole:
    /// | - 8 | submissions 32 | target 32 | minimum 32 | members 32 | closesAt 40 | openedAt 40 | number 40 |
    struct Head {
        uint40 number;
        uint40 openedAt;
        uint40 closesAt;
        uint32 members;
        uint32 minimum;
        uint32 target;
        uint32 submissions;
    }

    /// @dev Written at the opening, by candidates and by votes. In storage it is one slot as well:
    /// | - 24 | invalid 32 | valid 32 | aggregator 32 | attestWindow 32 | publishWindow 32 | maxTurns 8 | empty 8 | stage 8 | index 8 | since 40 |
    struct Turn {
        uint40 since;
        uint8 index;
        Stage stage;
        /// The candidate's aggregate is 0 (the slot that would hold it is left as it was).
        bool empty;
        uint8 maxTurns;
        uint32 publishWindow;
        uint32 attestWindow;
        /// Who published the candidate; while Waiting: whose candidate was rejected, which is not in its counter yet. 0 if none.
        uint32 aggregator;
        uint32 valid;
        uint32 invalid;
    }

    type PackedHead is uint256;
    type PackedTurn is uint256;

    struct Now {
        IRounds.Phase phase;
        /// Meaningful in Aggregation and Attestation.
        uint256 turn;
        /// When the phase began.
        uint256 since;
        /// When it ends by itself; 0 if it doesn't.
        uint256 until;
        /// The candidate of turn `Turn.index` found no quorum in time, at `lapsedAt`; 0 if it isn't so.
        uint256 lapsedAt;
        /// Why it is Aborted.
        IRounds.AbortReason reason;
    }

    /// @param time Not before anything that is stored.
    function derive(Head memory head, Turn memory turn, uint256 time) internal pure returns (Now memory state) {
        if (turn.stage == Stage.Idle) return state;
        if (turn.stage == Stage.Finalised || turn.stage == Stage.Aborted) {
            state.phase = turn.stage == Stage.Finalised ? IRounds.Phase.Finalised : IRounds.Phase.Aborted;
            state.reason = IRounds.AbortReason.TooFewIncluded;
            (state.turn, state.since) = (turn.index, turn.since);
            return state;
        }
        if (time < head.closesAt) {
            state.phase = IRounds.Phase.Training;
            (state.since, state.until) = (head.openedAt, head.closesAt);
            return state;
        }
        if (head.submissions < head.minimum) {
            state.phase = IRounds.Phase.Aborted;
            state.reason = IRounds.AbortReason.TooFewUpdates;
            state.since = head.closesAt;
            return state;
        }

        uint256 index = turn.index;
        uint256 start = turn.since == 0 ? head.closesAt : turn.since;
        if (turn.stage == Stage.Candidate) {
            uint256 end = start + turn.attestWindow;
            if (time < end) {
                state.phase = IRounds.Phase.Attestation;
                (state.turn, state.since, state.until) = (index, start, end);
                return state;
            }
            state.lapsedAt = end;
            start = end;
            ++index;
        }

        uint256 left = count(head, turn) - index; // turns that may still begin; index <= count, since a turn that ended had begun
        uint256 lapsed = (time - start) / turn.publishWindow;
        if (lapsed < left) {
            state.phase = IRounds.Phase.Aggregation;
            state.turn = index + lapsed;
            state.since = start + lapsed * turn.publishWindow;
            state.until = state.since + turn.publishWindow;
        } else {
            state.phase = IRounds.Phase.Aborted;
            state.reason = IRounds.AbortReason.TurnsExhausted;
            state.since = start + left * turn.publishWindow;
        }
    }

    /// @dev How many turns the round has.
    function count(Head memory head, Turn memory turn) internal pure returns (uint256) {
        return head.submissions < turn.maxTurns ? head.submissions : turn.maxTurns;
    }

    function pack(Head memory head) internal pure returns (PackedHead) {
        return PackedHead.wrap(
            uint256(head.number) | uint256(head.openedAt) << 40 | uint256(head.closesAt) << 80 | uint256(head.members) << 120
                | uint256(head.minimum) << 152 | uint256(head.target) << 184 | uint256(head.submissions) << 216
        );
    }

    function unpack(PackedHead packed) internal pure returns (Head memory) {
        uint256 word = PackedHead.unwrap(packed);
        return Head({
            number: uint40(word),
            openedAt: uint40(word >> 40),
            closesAt: uint40(word >> 80),
            members: uint32(word >> 120),
            minimum: uint32(word >> 152),
            target: uint32(word >> 184),
            submissions: uint32(word >> 216)
        });
    }

    function pack(Turn memory turn) internal pure returns (PackedTurn) {
        return PackedTurn.wrap(
            uint256(turn.since) | uint256(turn.index) << 40 | uint256(turn.stage) << 48 | uint256(turn.empty ? 1 : 0) << 56
                | uint256(turn.maxTurns) << 64 | uint256(turn.publishWindow) << 72 | uint256(turn.attestWindow) << 104
                | uint256(turn.aggregator) << 136 | uint256(turn.valid) << 168 | uint256(turn.invalid) << 200
        );
    }

    function unpack(PackedTurn packed) internal pure returns (Turn memory) {
        uint256 word = PackedTurn.unwrap(packed);
        return Turn({
            since: uint40(word),
            index: uint8(word >> 40),
            stage: Stage(uint8(word >> 48)),
            empty: uint8(word >> 56) != 0,
            maxTurns: uint8(word >> 64),
            publishWindow: uint32(word >> 72),
            attestWindow: uint32(word >> 104),
            aggregator: uint32(word >> 136),
            valid: uint32(word >> 168),
            invalid: uint32(word >> 200)
        });
    }
}

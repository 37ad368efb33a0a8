// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IRounds} from "./interfaces/IRounds.sol";
import {Members} from "./libraries/Members.sol";
import {Phases} from "./libraries/Phases.sol";
import {Policies} from "./libraries/Policies.sol";
import {Turns} from "./libraries/Turns.sol";

/// @title What Rounds stores, and how it is read
abstract contract RoundsState is IRounds {
    using Members for Members.State;
    using Phases for Phases.Head;
    using Phases for Phases.Turn;
    using Phases for Phases.PackedHead;
    using Phases for Phases.PackedTurn;

    /// @inheritdoc IRounds
    address public immutable membership;
    /// @inheritdoc IRounds
    address public immutable governance;

    // The current round
    Phases.PackedHead internal _head;
    Phases.PackedTurn internal _turn;
    bytes32 internal _set; // of an earlier round until the first submission
    bytes32 internal _beacon; // likewise
    bytes32 internal _candidate; // of an earlier turn or round, unless the stage says that there is one
    bytes32 internal _aggregate; // likewise, or the candidate's is 0
    uint32[2 ** 32] internal _submitters; // by submission index, eight to a slot; of earlier rounds beyond the submissions

    Policies.State internal _policies;
    Members.State internal _members;

    constructor(address membership_, address governance_) {
        (membership, governance) = (membership_, governance_);
    }

    /// @inheritdoc IRounds
    function current() external view returns (uint256) {
        return _head.unpack().number;
    }

    /// @inheritdoc IRounds
    function round() external view returns (Round memory) {
        return _roundAt(block.timestamp);
    }

    /// @inheritdoc IRounds
    function roundAt(uint64 time) external view returns (Round memory) {
        return _roundAt(time > block.timestamp ? time : block.timestamp);
    }

    /// @inheritdoc IRounds
    function turns() external view returns (uint256[] memory ids) {
        (Phases.Head memory head, Phases.Turn memory turn) = (_head.unpack(), _turn.unpack());
        Phase phase = _now(head, turn).phase;
        if (phase == Phase.None || phase == Phase.Training) {
            revert UnexpectedPhase(
                head.number, phase, _bit(Phase.Aggregation) | _bit(Phase.Attestation) | _bit(Phase.Finalised) | _bit(Phase.Aborted)
            );
        }
        ids = new uint256[](head.count(turn));
        for (uint256 i = 0; i < ids.length; ++i) {
            ids[i] = _submitters[Turns.entry(_beacon, head.number, head.submissions, i)];
        }
    }

    /// @inheritdoc IRounds
    function submitter(uint256 index) external view returns (uint256) {
        return index < _head.unpack().submissions ? _submitters[index] : 0;
    }

    /// @inheritdoc IRounds
    function member(uint256 id) external view returns (Member memory) {
        Members.Record memory record = _members.records[id];
        (Phases.Head memory head, Phases.Turn memory turn) = (_head.unpack(), _turn.unpack());
        bool unsettled = id != 0 && turn.aggregator == id && (turn.stage == Phases.Stage.Waiting || _now(head, turn).lapsedAt != 0);
        bool closedToIt = block.timestamp >= head.closesAt || record.lastRound == head.number;
        return Member({
            commitment: _members.due(id, closedToIt ? uint256(head.number) + 1 : head.number),
            commitments: record.commitments,
            lastRound: record.lastRound,
            seenAt: record.seenAt,
            submitted: record.submitted,
            published: record.published,
            rejected: record.rejected + (unsettled ? 1 : 0),
            contradicted: record.contradicted + (_members.wasContradicted(id) ? 1 : 0)
        });
    }

    /// @inheritdoc IRounds
    function policy() external view returns (bytes32 hash, Params memory params, bytes32 genesis, uint256 lastRound) {
        Policies.Terms memory terms = _policies.terms;
        params = Params({
            training: terms.training,
            publishing: terms.publishing,
            attesting: terms.attesting,
            interval: terms.interval,
            minimum: terms.minimum,
            maxTurns: terms.maxTurns,
            rounds: terms.rounds
        });
        return (_policies.policy, params, _policies.genesis, terms.lastRound);
    }

    /// @inheritdoc IRounds
    function policyInForce() external view returns (bytes32) {
        return _policies.inForce;
    }

    /// @inheritdoc IRounds
    function base() external view returns (bytes32) {
        if (_turn.unpack().stage == Phases.Stage.Finalised) return _aggregate;
        return _policies.inForce == 0 ? _policies.genesis : _policies.base;
    }

    /// @inheritdoc IRounds
    function finalised() external view returns (uint256) {
        return uint256(_policies.finalised) + (_turn.unpack().stage == Phases.Stage.Finalised ? 1 : 0);
    }

    /// @inheritdoc IRounds
    function paused() external view returns (bool) {
        return _policies.paused;
    }

    function _roundAt(uint256 time) private view returns (Round memory r) {
        Phases.Head memory head = _head.unpack();
        Phases.Turn memory turn = _turn.unpack();
        Phases.Now memory state = Phases.derive(head, turn, time);
        (r.number, r.phase, r.turn) = (head.number, state.phase, uint64(state.turn));
        (r.since, r.until, r.closesAt) = (uint64(state.since), uint64(state.until), head.closesAt);
        (r.policy, r.base) = (_policies.inForce, _policies.base);
        if (head.submissions != 0) (r.set, r.beacon) = (_set, _beacon);
        (r.members, r.minimum, r.target, r.submissions) = (head.members, head.minimum, head.target, head.submissions);
        (r.publishWindow, r.attestWindow, r.maxTurns) = (turn.publishWindow, turn.attestWindow, turn.maxTurns);
        if (turn.stage > Phases.Stage.Waiting && state.lapsedAt == 0) {
            (r.candidate, r.aggregate) = (_candidate, turn.empty ? bytes32(0) : _aggregate);
            (r.aggregator, r.valid, r.invalid) = (turn.aggregator, turn.valid, turn.invalid);
        }
    }

    function _now(Phases.Head memory head, Phases.Turn memory turn) internal view returns (Phases.Now memory) {
        return Phases.derive(head, turn, block.timestamp);
    }

    function _bit(Phase phase) internal pure returns (uint256) {
        return 1 << uint256(phase);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IRounds} from "../interfaces/IRounds.sol";
import {Preimages} from "./Preimages.sol";

/// @title What Rounds keeps of each seat: its commitment, its vote in the turn, its counters
library Members {
    struct Record {
        /// @dev | pending 8 | vote 8 | contradicted 32 | rejected 32 | published 32 | submitted 32 | commitments 32 | seenAt 40 | lastRound 40 |
        uint40 lastRound;
        uint40 seenAt;
        uint32 commitments;
        uint32 submitted;
        uint32 published;
        uint32 rejected;
        uint32 contradicted;
        /// @dev The last vote in round `lastRound`: 0 none, else turn + 1, with AGAINST.
        uint8 vote;
        bool pending;
        bytes32 commitment;
    }

    /// @dev A commitment that waits for round `from`: the current one is still needed if the seat has yet to submit.
    struct Pending {
        bytes32 commitment;
        uint40 from;
    }

    struct State {
        mapping(uint256 id => Record) records;
        mapping(uint256 id => Pending) pendings;
        /// Four bits a round: 1 + the turn that was finalised in spite of votes against it.
        mapping(uint256 word => uint256) contested;
    }

    uint8 private constant AGAINST = 0x80;

    /// @dev Opens the seat's commitment, once in a round, and takes the next. The chance for a new commitment to depend on what others
    /// revealed is gone: it counts from the next opening, before which nobody else's secret for that round is known.
    function reveal(State storage self, uint256 id, uint256 round, bytes32 secret, bytes32 next) internal {
        Record storage record = self.records[id];
        if (record.lastRound == round) revert IRounds.AlreadySubmitted(round, id);
        if (next == 0) revert IRounds.EmptyCommitment();
        bytes32 expected = due(self, id, round);
        bytes32 actual = Preimages.commitment(address(this), id, secret);
        if (actual != expected) revert IRounds.WrongReveal(id, expected, actual);

        if (wasContradicted(self, id)) ++record.contradicted;
        record.lastRound = uint40(round);
        record.seenAt = uint40(block.timestamp);
        ++record.commitments;
        ++record.submitted;
        record.vote = 0;
        record.pending = false;
        record.commitment = next;
    }

    /// @dev A commitment outside of `reveal`, for the rounds after `round`. A seat's first one waits too: in a successor of Rounds, seats that
    /// count for the running round may not have committed yet, and would choose their secret knowing the others'.
    /// @param training Whether `round` still takes submissions.
    function commit(State storage self, uint256 id, uint256 round, bool training, bytes32 commitment) internal {
        if (commitment == 0) revert IRounds.EmptyCommitment();
        Record storage record = self.records[id];
        uint32 index = record.commitments;
        if (training && record.lastRound != round) {
            record.commitment = due(self, id, round);
            record.pending = true;
            self.pendings[id] = Pending(commitment, uint40(round + 1));
        } else {
            record.commitment = commitment;
            record.pending = false;
        }
        record.commitments = index + 1;
        emit IRounds.CommitmentMade(id, index, commitment, round + 1);
    }

    /// @dev The commitment that the seat has to open in `round`; 0 if it never made one.
    function due(State storage self, uint256 id, uint256 round) internal view returns (bytes32) {
        Record storage record = self.records[id];
        return record.pending && self.pendings[id].from <= round ? self.pendings[id].commitment : record.commitment;
    }

    /// @dev The aggregator's candidate is its valid vote.
    function published(State storage self, uint256 id, uint256 turn) internal {
        Record storage record = self.records[id];
        ++record.published;
        record.vote = uint8(turn + 1);
    }

    /// @dev Notes a vote. False if the seat did not submit in the round, or has voted in this turn.
    function vote(State storage self, uint256 id, uint256 round, uint256 turn, bool valid) internal returns (bool) {
        Record storage record = self.records[id];
        if (record.lastRound != round || record.vote & ~AGAINST == turn + 1) return false;
        record.vote = uint8(turn + 1) | (valid ? 0 : AGAINST);
        return true;
    }

    /// @dev Notes that the turn was finalised although somebody voted against it.
    function contest(State storage self, uint256 round, uint256 turn) internal {
        self.contested[round / 64] |= (turn + 1) << (4 * (round % 64));
    }

    /// @dev Whether the seat's last vote was against a candidate that was then finalised: it waits there to be counted.
    function wasContradicted(State storage self, uint256 id) internal view returns (bool) {
        Record storage record = self.records[id];
        if (record.vote & AGAINST == 0) return false;
        uint256 round = record.lastRound;
        return (self.contested[round / 64] >> (4 * (round % 64))) & 0xf == record.vote & ~AGAINST;
    }
}

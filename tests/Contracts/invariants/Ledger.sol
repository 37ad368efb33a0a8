// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IRounds} from "../../../contracts/interfaces/IRounds.sol";
import {Federation} from "../common/Federation.sol";
import {Vm} from "../common/Test.sol";

/// @dev What happened to a federation, written down beside it while random calls are made, and what must follow from it. A rule that is
/// found broken stays noted, so that its invariant can say so; the calls themselves never revert.
abstract contract Ledger is Federation {
    enum Rule {
        OneSubmission,
        MembersOnly,
        Permutation,
        Quorum,
        Elsewhere,
        FinalStays,
        PhasesAdvance,
        GoneIsGone,
        Base,
        NoEther,
        Votes,
        Refusals
    }

    /// @dev The candidate that waits for its votes.
    struct Ballot {
        bytes32 candidate;
        bytes32 aggregate;
        uint256 round;
        uint256 turn;
        uint256 aggregator;
        uint256 lapsesAt;
    }

    struct Counters {
        uint256 submitted;
        uint256 published;
        uint256 rejected;
        uint256 contradicted;
    }

    /// @dev What a seat has to open: `due`, or `waiting` from round `from` on. Indices of its commitments plus 1; 0: none.
    struct Commitments {
        uint256 made;
        uint256 due;
        uint256 waiting;
        uint256 from;
    }

    uint8 internal constant VALID = 1;
    uint8 internal constant AGAINST = 2;

    uint256 private broken;
    uint256 private keys = 5000;
    mapping(uint256 id => uint256) internal operatorKey;
    mapping(uint256 id => address) internal holderNow;
    mapping(uint256 id => bool) internal gone;

    // By contract, since a successor starts anew
    mapping(address => mapping(uint256 id => Commitments)) internal commitments;
    mapping(address => mapping(uint256 id => Counters)) internal counters;
    mapping(address => mapping(uint256 round => mapping(uint256 id => bool))) internal memberAt;
    mapping(address => mapping(uint256 round => mapping(uint256 id => bool))) internal submitted;
    mapping(address => mapping(bytes32 candidate => mapping(uint256 id => uint8))) internal votes;
    mapping(address => mapping(uint256 round => uint256)) internal endings;

    Ballot internal ballot;
    Ballot internal finalBallot; // of the current round, once it is final
    bytes32 internal lastAggregate; // of the last final round, until an opening takes it up
    bytes32 internal base;
    bytes32 internal policyInForce;
    bytes32 internal genesisInForce;
    uint256 internal lastRound;
    uint256 internal lastPhase;

    /// @dev How often each interesting thing happened, so that a walk can show that it does.
    mapping(bytes32 => uint256) public happened;

    function holds(Rule rule) external view returns (bool) {
        return broken & (1 << uint256(rule)) == 0;
    }

    function _hold(Rule rule, bool condition) internal {
        if (!condition) broken |= 1 << uint256(rule);
    }

    function _note(string memory what) internal {
        ++happened[keccak256(bytes(what))];
    }

    function _freshKey() internal returns (uint256) {
        return ++keys;
    }

    function _operator(uint256 id) internal view returns (address) {
        return vm.addr(operatorKey[id]);
    }

    /// @dev A member id, of the gone as well.
    function _any(uint256 seed) internal view returns (uint256) {
        return seed % membership.lastId() + 1;
    }

    /// @dev One that is there, if there is one not far from the seed.
    function _living(uint256 seed) internal view returns (uint256 id) {
        id = _any(seed);
        for (uint256 i = 0; i < membership.lastId() && gone[id]; ++i) {
            id = id % membership.lastId() + 1;
        }
    }

    /// @dev The call as one account would make it, and a count of the endings that it logged.
    function _call(address from, address to, bytes memory data) internal returns (bool ok, bytes memory returned) {
        vm.recordLogs();
        vm.prank(from);
        (ok, returned) = to.call(data);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; ok && i < logs.length; ++i) {
            bytes32 topic = logs[i].topics[0];
            if (topic != IRounds.RoundFinalised.selector && topic != IRounds.RoundAborted.selector) continue;
            uint256 times = ++endings[logs[i].emitter][uint256(logs[i].topics[1])];
            _hold(Rule.FinalStays, times == 1);
        }
    }

    function _quorum(uint256 n) internal pure returns (uint256) {
        if (n < 3) return n;
        return n == 3 ? 2 : (2 * n) / 3 + 1;
    }

    /// @dev Votes of distinct submitters on the ballot.
    function _tally(uint8 kind) internal view returns (uint256 count) {
        for (uint256 id = 1; id <= membership.lastId(); ++id) {
            if (votes[address(rounds)][ballot.candidate][id] == kind && submitted[address(rounds)][ballot.round][id]) ++count;
        }
    }

    /// @dev Compares what is seen with what was written down; after each call and each wait.
    function _observe() internal {
        IRounds.Round memory r = rounds.round();
        _observePhase(r);
        if (ballot.candidate != 0) _observeBallot(r);
        if (finalBallot.candidate != 0 && finalBallot.round == r.number) {
            _hold(
                Rule.FinalStays,
                r.phase == IRounds.Phase.Finalised && r.candidate == finalBallot.candidate && r.aggregate == finalBallot.aggregate
                    && rounds.base() == finalBallot.aggregate
            );
        }
        if (r.phase > IRounds.Phase.Training) _observeTurns(r);
    }

    function _observePhase(IRounds.Round memory r) private {
        uint256 place = uint256(r.turn) * 2 + uint256(r.phase);
        if (r.phase == IRounds.Phase.Finalised || r.phase == IRounds.Phase.Aborted) place = 1000 + uint256(r.phase);
        _hold(
            Rule.PhasesAdvance,
            r.number > lastRound || (r.number == lastRound && place >= lastPhase && (lastPhase < 1000 || place == lastPhase))
        );
        (lastRound, lastPhase) = (r.number, place);
    }

    function _observeBallot(IRounds.Round memory r) private {
        uint256 n = r.submissions;
        (uint256 valid, uint256 against) = (_tally(VALID), _tally(AGAINST));
        if (r.phase == IRounds.Phase.Attestation && r.turn == ballot.turn) {
            _hold(Rule.Elsewhere, r.valid == valid && r.invalid == against);
            _hold(Rule.Quorum, valid < _quorum(n) && against <= n - _quorum(n));
            return;
        }
        if (valid >= _quorum(n)) {
            _hold(Rule.Quorum, r.candidate == ballot.candidate && r.aggregate == ballot.aggregate && r.turn == ballot.turn);
            if (ballot.aggregate == 0) {
                _hold(Rule.Quorum, r.phase == IRounds.Phase.Aborted);
                _note("aborted by agreement");
            } else {
                _hold(Rule.Quorum, r.phase == IRounds.Phase.Finalised);
                (finalBallot, lastAggregate) = (ballot, ballot.aggregate);
                _note("finalised");
                for (uint256 id = 1; id <= membership.lastId(); ++id) {
                    if (votes[address(rounds)][ballot.candidate][id] != AGAINST) continue;
                    ++counters[address(rounds)][id].contradicted;
                    _note("contradicted");
                }
            }
        } else {
            _hold(Rule.Quorum, r.phase != IRounds.Phase.Finalised && (against > n - _quorum(n) || block.timestamp >= ballot.lapsesAt));
            ++counters[address(rounds)][ballot.aggregator].rejected;
            _note(against > n - _quorum(n) ? "rejected by votes" : "rejected by time");
        }
        delete ballot;
    }

    /// @dev min(maxTurns, n) distinct submitters.
    function _observeTurns(IRounds.Round memory r) private {
        uint256[] memory turns = rounds.turns();
        _hold(Rule.Permutation, turns.length == (r.submissions < r.maxTurns ? r.submissions : r.maxTurns));
        for (uint256 i = 0; i < turns.length; ++i) {
            _hold(Rule.Permutation, submitted[address(rounds)][r.number][turns[i]]);
            for (uint256 j = 0; j < i; ++j) {
                _hold(Rule.Permutation, turns[i] != turns[j]);
            }
        }
    }
}

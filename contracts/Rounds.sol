// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IGovernance} from "./interfaces/IGovernance.sol";
import {IMembership} from "./interfaces/IMembership.sol";
import {IRounds} from "./interfaces/IRounds.sol";
import {Members} from "./libraries/Members.sol";
import {Phases} from "./libraries/Phases.sol";
import {Policies} from "./libraries/Policies.sol";
import {Preimages} from "./libraries/Preimages.sol";
import {Quorum} from "./libraries/Quorum.sol";
import {Turns} from "./libraries/Turns.sol";
import {RoundsState} from "./RoundsState.sol";

/// @title The training rounds: authorisation, calls and events over the transitions in libraries/
/// @notice There is one current round; its slots are used again by the next, and history is events, so the cost of a call depends neither on
/// the number of members nor on age. Nothing is set back to zero: a slot that the round has not written yet counts as empty.
/// @dev Deployed last, after Membership and Governance; the constructor asserts that the three name each other. Calls go to those two only.
contract Rounds is RoundsState, EIP712 {
    using Members for Members.State;
    using Phases for Phases.Head;
    using Phases for Phases.Turn;
    using Phases for Phases.PackedHead;
    using Phases for Phases.PackedTurn;
    using Policies for Policies.State;
    using SafeCast for uint256;

    modifier onlyGovernance() {
        if (msg.sender != governance) revert OnlyGovernance(msg.sender);
        _;
    }

    modifier onlyMembership() {
        if (msg.sender != membership) revert OnlyMembership(msg.sender);
        _;
    }

    /// @param membership_ Names `governance_` as its Governance; names this contract as its Rounds, or else its successor is deployed here.
    /// @param governance_ Takes its votes from `membership_`.
    constructor(address membership_, address governance_, string memory json, Params memory params, bytes32 genesis)
        RoundsState(membership_, governance_)
        EIP712("FedChain", "1")
    {
        address named = IMembership(membership_).governance();
        if (named != governance_) revert WrongWiring(governance_, named);
        named = IGovernance(governance_).membership();
        if (named != membership_) revert WrongWiring(membership_, named);
        named = IMembership(membership_).rounds();
        if (named != address(this) && named.code.length == 0) revert WrongWiring(address(this), named);
        _setPolicy(json, params, genesis);
    }

    // ---- opening

    /// @inheritdoc IRounds
    function open() external returns (uint256 number) {
        (uint256 opener, uint256 members) = IMembership(membership).opening(msg.sender);
        Phases.Head memory head = _head.unpack();
        Phases.Turn memory turn = _turn.unpack();
        _settleEnd(head, turn);

        Policies.Opening memory p = _policies.next(turn.stage == Phases.Stage.Finalised ? _aggregate : bytes32(0), head.number + 1, members);
        uint40 time = uint40(block.timestamp);
        head = Phases.Head({
            number: head.number + 1,
            openedAt: time,
            closesAt: time + p.terms.training,
            members: members.toUint32(),
            minimum: p.minimum.toUint32(),
            target: members.toUint32(),
            submissions: 0
        });
        turn = Phases.Turn({
            since: 0,
            index: 0,
            stage: Phases.Stage.Waiting,
            empty: false,
            maxTurns: p.terms.maxTurns,
            publishWindow: p.terms.publishing,
            attestWindow: p.terms.attesting,
            aggregator: 0,
            valid: 0,
            invalid: 0
        });
        (_head, _turn) = (head.pack(), turn.pack());
        emit RoundOpened(
            head.number,
            opener,
            p.policy,
            p.base,
            p.finalised,
            members,
            p.minimum,
            head.openedAt,
            head.closesAt,
            p.terms.publishing,
            p.terms.attesting,
            p.terms.maxTurns
        );
        return head.number;
    }

    /// @dev Refuses while the last round runs or has just ended; tells what time alone has decided.
    function _settleEnd(Phases.Head memory head, Phases.Turn memory turn) private {
        Phases.Now memory state = Phases.derive(head, turn, block.timestamp);
        if (state.phase == Phase.None) return;
        if (state.phase != Phase.Finalised && state.phase != Phase.Aborted) {
            revert UnexpectedPhase(head.number, state.phase, _bit(Phase.None) | _bit(Phase.Finalised) | _bit(Phase.Aborted));
        }
        uint256 opensAt = state.since + _policies.terms.interval;
        if (block.timestamp < opensAt) revert TooEarly(uint64(opensAt));
        if (state.phase == Phase.Aborted && turn.stage != Phases.Stage.Aborted) {
            _settleRejection(head, turn, state.lapsedAt);
            emit RoundAborted(head.number, state.reason, uint64(state.since));
        }
    }

    // ---- submitting

    /// @inheritdoc IRounds
    function submit(uint256 round_, bytes32 policy_, bytes32 base_, bytes32 manifest, bytes32 secret, bytes32 nextCommitment) external {
        Phases.Head memory head = _head.unpack();
        if (round_ != head.number) revert WrongRound(head.number, round_);
        // While a round trains, its turns have not begun: the head alone says so (closesAt is 0 before the first round).
        if (block.timestamp >= head.closesAt) revert UnexpectedPhase(round_, _now(head, _turn.unpack()).phase, _bit(Phase.Training));
        _policies.requireInForce(policy_, base_);
        if (manifest == 0) revert EmptyManifest();

        uint256 id = IMembership(membership).eligible(msg.sender, round_);
        _members.reveal(id, round_, secret, nextCommitment);

        uint256 index = head.submissions;
        (_set, _beacon) =
        (
            Preimages.extend(index == 0 ? bytes32(0) : _set, id, manifest),
            Preimages.mix(index == 0 ? bytes32(0) : _beacon, round_, id, secret)
        );
        _submitters[index] = uint32(id);
        head.submissions = uint32(index + 1);
        emit UpdateSubmitted(round_, id, index, manifest, secret, nextCommitment);
        _closeIfComplete(head);
        _head = head.pack();
    }

    /// @inheritdoc IRounds
    function recommit(bytes32 commitment) external {
        uint256 id = _operator();
        _commit(id, commitment);
    }

    /// @inheritdoc IRounds
    function register(uint256 id, bytes32 commitment) external onlyMembership {
        _commit(id, commitment);
    }

    function _commit(uint256 id, bytes32 commitment) private {
        Phases.Head memory head = _head.unpack();
        _members.commit(id, head.number, block.timestamp < head.closesAt, commitment);
    }

    /// @inheritdoc IRounds
    function departed(uint256 id, bool eligible) external onlyMembership {
        Phases.Head memory head = _head.unpack();
        if (!eligible || block.timestamp >= head.closesAt || _members.records[id].lastRound == head.number) return;
        --head.target;
        emit TargetLowered(head.number, id, head.target);
        _closeIfComplete(head);
        _head = head.pack();
    }

    function _closeIfComplete(Phases.Head memory head) private {
        if (head.submissions != head.target) return;
        head.closesAt = uint40(block.timestamp);
        emit TrainingClosed(head.number, head.closesAt);
    }

    // ---- aggregating

    /// @inheritdoc IRounds
    function publish(uint256 round_, uint256 turn_, bytes32 manifest, bytes32 aggregate) external {
        Phases.Head memory head = _head.unpack();
        Phases.Turn memory turn = _turn.unpack();
        Phases.Now memory state = _require(head, turn, round_, turn_, Phase.Aggregation);
        if (manifest == 0) revert EmptyManifest();
        _settleRejection(head, turn, state.lapsedAt);

        uint256 id = _operator();
        uint256 aggregator = _submitters[Turns.entry(_beacon, round_, head.submissions, turn_)];
        if (id != aggregator) revert NotYourTurn(turn_, aggregator, id);
        _members.published(id, turn_);

        bytes32 candidate = Preimages.candidate(round_, turn_, _set, manifest, aggregate);
        turn.since = uint40(block.timestamp);
        turn.index = uint8(turn_);
        turn.stage = Phases.Stage.Candidate;
        turn.empty = aggregate == 0;
        turn.aggregator = uint32(id);
        (turn.valid, turn.invalid) = (1, 0);
        _candidate = candidate;
        if (aggregate != 0) _aggregate = aggregate;
        emit CandidatePublished(round_, id, turn_, candidate, manifest, aggregate, turn.since);
        _decide(head, turn, candidate);
        _turn = turn.pack();
    }

    // ---- attesting

    /// @inheritdoc IRounds
    function attest(uint256 round_, uint256 turn_, bytes32 candidate, bool valid) external {
        (Phases.Head memory head, Phases.Turn memory turn) = _requireCandidate(round_, turn_, candidate);
        uint256 id = _operator();
        if (!_members.vote(id, round_, turn_, valid)) {
            if (_members.records[id].lastRound != round_) revert NotSubmitter(round_, id);
            revert AlreadyAttested(round_, turn_, id);
        }
        if (valid) ++turn.valid;
        else ++turn.invalid;
        emit Attested(round_, id, turn_, candidate, valid);
        _decide(head, turn, candidate);
        _turn = turn.pack();
    }

    /// @inheritdoc IRounds
    function attestBySignatures(uint256 round_, uint256 turn_, bytes32 candidate, SignedAttestation[] calldata attestations)
        external
        returns (uint256 counted)
    {
        (Phases.Head memory head, Phases.Turn memory turn) = _requireCandidate(round_, turn_, candidate);
        bytes32 agreeing = _hashTypedDataV4(Preimages.attestation(round_, turn_, candidate, true));
        bytes32 opposing = _hashTypedDataV4(Preimages.attestation(round_, turn_, candidate, false));
        uint256 quorum = Quorum.votes(head.submissions);
        uint256 tolerated = head.submissions - quorum;
        (uint256 valid, uint256 invalid) = (turn.valid, turn.invalid);
        for (uint256 i = 0; i < attestations.length; ++i) {
            SignedAttestation calldata signed = attestations[i];
            bool agrees = signed.valid;
            (address signer, ECDSA.RecoverError error_,) = ECDSA.tryRecoverCalldata(agrees ? agreeing : opposing, signed.signature);
            if (error_ != ECDSA.RecoverError.NoError) continue;
            uint256 id = IMembership(membership).operatedBy(signer);
            if (id == 0 || !_members.vote(id, round_, turn_, agrees)) continue;
            if (agrees) ++valid;
            else ++invalid;
            emit Attested(round_, id, turn_, candidate, agrees);
            if (valid >= quorum || invalid > tolerated) break; // what comes after the decision is left
        }
        counted = valid + invalid - turn.valid - turn.invalid;
        (turn.valid, turn.invalid) = (valid.toUint32(), invalid.toUint32());
        _decide(head, turn, candidate);
        _turn = turn.pack();
    }

    /// @dev Ends the round, or the turn, if the votes suffice.
    function _decide(Phases.Head memory head, Phases.Turn memory turn, bytes32 candidate) private {
        uint256 n = head.submissions;
        uint256 quorum = Quorum.votes(n);
        uint40 time = uint40(block.timestamp);
        if (turn.valid >= quorum) {
            turn.since = time;
            if (turn.empty) {
                turn.stage = Phases.Stage.Aborted;
                emit RoundAborted(head.number, AbortReason.TooFewIncluded, time);
            } else {
                turn.stage = Phases.Stage.Finalised;
                // Only they look at history.
                if (turn.invalid != 0) _members.contest(head.number, turn.index);
                emit RoundFinalised(head.number, turn.aggregator, turn.index, candidate, _aggregate, _policies.finalised + 1, time);
            }
        } else if (turn.invalid > n - quorum) {
            emit CandidateRejected(head.number, turn.aggregator, turn.index, candidate, time);
            (turn.since, turn.index, turn.stage) = (time, turn.index + 1, Phases.Stage.Waiting); // the aggregator stays: see below
        }
    }

    /// @dev Counts the rejection of the turn's last candidate, if there was one; that of one without a quorum is told here as well. Left to the
    /// next `publish` or `open`, so that a vote which rejects costs no more than another.
    function _settleRejection(Phases.Head memory head, Phases.Turn memory turn, uint256 lapsedAt) private {
        if (turn.aggregator == 0) return;
        ++_members.records[turn.aggregator].rejected;
        if (lapsedAt != 0) emit CandidateRejected(head.number, turn.aggregator, turn.index, _candidate, uint64(lapsedAt));
    }

    // ---- policy

    /// @inheritdoc IRounds
    function setPolicy(bytes32 expected, string calldata json, Params calldata params, bytes32 genesis) external onlyGovernance {
        if (expected != _policies.policy) revert WrongPolicy(_policies.policy, expected);
        _setPolicy(json, params, genesis);
    }

    function _setPolicy(string memory json, Params memory params, bytes32 genesis) private {
        bytes32 previous = _policies.policy;
        bytes32 hash = _policies.replace(json, params, genesis, _head.unpack().number);
        emit PolicySet(hash, previous, params, genesis, json);
    }

    /// @inheritdoc IRounds
    function setPaused(bool paused_) external onlyGovernance {
        _policies.paused = paused_;
        emit PauseSet(paused_);
    }

    /// @inheritdoc IRounds
    function succeed(uint256 round_) external onlyMembership {
        Phases.Head memory head = _head.unpack();
        if (head.number != 0 || _turn.unpack().stage != Phases.Stage.Idle) revert AlreadyStarted(head.number);
        head.number = round_.toUint40();
        _head = head.pack();
        _policies.restAfter(round_);
        emit Succeeded(round_);
    }

    // ---- checks

    function _operator() private view returns (uint256 id) {
        id = IMembership(membership).operatedBy(msg.sender);
        if (id == 0) revert NotOperator(msg.sender);
    }

    function _requireCandidate(uint256 round_, uint256 turn_, bytes32 candidate)
        private
        view
        returns (Phases.Head memory head, Phases.Turn memory turn)
    {
        (head, turn) = (_head.unpack(), _turn.unpack());
        _require(head, turn, round_, turn_, Phase.Attestation);
        if (candidate != _candidate) revert WrongCandidate(_candidate, candidate);
    }

    function _require(Phases.Head memory head, Phases.Turn memory turn, uint256 round_, uint256 turn_, Phase phase)
        private
        view
        returns (Phases.Now memory state)
    {
        if (round_ != head.number) revert WrongRound(head.number, round_);
        state = _now(head, turn);
        if (state.phase != phase) revert UnexpectedPhase(round_, state.phase, _bit(phase));
        if (turn_ != state.turn) revert WrongTurn(state.turn, turn_);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IRounds} from "../../../contracts/interfaces/IRounds.sol";
import {Ledger} from "./Ledger.sol";

/// @dev The calls on Rounds, right and wrong, by members, former members and strangers.
abstract contract RoundCalls is Ledger {
    struct Signed {
        IRounds.SignedAttestation attestation;
        uint256 id;
        uint256 key;
        bytes32 about; // all that was signed for
    }

    bytes32 private constant TYPE = keccak256("Attestation(uint256 round,uint256 turn,bytes32 candidate,bool valid)");
    uint256 private constant KEPT = 16;
    Signed[] private kept; // of any round, turn, contract and chain
    bytes32 private earlierCandidate;

    function openRound(uint256 seed) external {
        uint256 number = rounds.current();
        (bytes32 hash,, bytes32 genesis,) = rounds.policy();
        (bool ok,) = _call(_operator(_living(seed)), address(rounds), abi.encodeCall(IRounds.open, ()));
        if (ok) {
            if (lastAggregate != 0) (base, lastAggregate) = (lastAggregate, 0);
            if (hash != policyInForce && genesis != genesisInForce) (base, genesisInForce) = (genesis, genesis);
            policyInForce = hash;
            delete finalBallot;
            IRounds.Round memory r = rounds.round();
            _hold(Rule.Base, r.base == base && rounds.base() == base && r.policy == hash && r.number == number + 1);
            uint256 members;
            for (uint256 id = 1; id <= membership.lastId(); ++id) {
                if (gone[id] || membership.balanceOf(holderNow[id]) == 0) continue;
                memberAt[address(rounds)][r.number][id] = true;
                ++members;
            }
            _hold(Rule.MembersOnly, r.members == members);
            _note("opened");
        }
        _observe();
    }

    /// @dev Submits as it should be, or, with small `wrong`, not quite so.
    function submitUpdate(uint256 seed, uint8 wrong) public {
        uint256 id = _any(seed);
        uint256 round = rounds.current();
        Commitments storage c = commitments[address(rounds)][id];
        uint256 opens = c.waiting != 0 && c.from <= round ? c.waiting : c.due;
        IRounds.Round memory r = rounds.round();
        bool entitled = r.phase == IRounds.Phase.Training && memberAt[address(rounds)][round][id] && !gone[id] && opens != 0
            && !submitted[address(rounds)][round][id] && wrong > 4;
        bytes memory call_ = abi.encodeCall(
            IRounds.submit,
            (
                wrong == 0 ? round + 1 : round,
                wrong == 1 ? bytes32(seed) : r.policy,
                wrong == 2 ? bytes32(seed) : r.base,
                wrong == 3 ? bytes32(0) : manifest(round, id),
                wrong == 4 ? bytes32(seed) : secret(id, opens == 0 ? 0 : opens - 1),
                commitment(id, c.made)
            )
        );
        (bool ok,) = _call(_operator(id), address(rounds), call_);
        _hold(Rule.Refusals, ok == entitled);
        if (ok) {
            _hold(Rule.OneSubmission, !submitted[address(rounds)][round][id]);
            _hold(Rule.MembersOnly, memberAt[address(rounds)][round][id] && !gone[id]);
            submitted[address(rounds)][round][id] = true;
            ++counters[address(rounds)][id].submitted;
            (c.made, c.due, c.waiting) = (c.made + 1, c.made + 1, 0);
            _note("submitted");
        }
        _observe();
    }

    /// @dev Most of the members, one after another: random calls alone would seldom close a round.
    function submitMost(uint256 seed) external {
        for (uint256 i = 0; i < membership.lastId(); ++i) {
            if ((seed >> (8 + i % 200)) % 8 != 0) submitUpdate(seed % 1000 + i, 255);
        }
    }

    function publishCandidate(uint256 seed, bool empty) external {
        IRounds.Round memory r = rounds.round();
        bool aggregating = r.phase == IRounds.Phase.Aggregation;
        uint256 turn = seed % 16 == 0 ? seed % 8 : r.turn;
        uint256 id = aggregating && seed % 8 != 0 ? rounds.turns()[r.turn] : _any(seed >> 8);
        bytes32 aggregate = empty && (seed >> 4) % 2 == 0 ? bytes32(0) : keccak256(abi.encode("aggregate", address(rounds), r.number, seed));
        bytes32 digest = keccak256(abi.encode("global", r.number, turn, seed));
        bool entitled = aggregating && turn == r.turn && !gone[id] && rounds.turns()[r.turn] == id;
        (bool ok,) = _call(_operator(id), address(rounds), abi.encodeCall(IRounds.publish, (r.number, turn, digest, aggregate)));
        _hold(Rule.Refusals, ok == entitled);
        if (ok) {
            bytes32 candidate = keccak256(abi.encode(uint256(r.number), turn, r.set, digest, aggregate));
            if (ballot.candidate != 0) earlierCandidate = ballot.candidate;
            ballot = Ballot(candidate, aggregate, r.number, turn, id, block.timestamp + r.attestWindow);
            votes[address(rounds)][candidate][id] = VALID;
            ++counters[address(rounds)][id].published;
            _note("published");
        }
        _observe();
    }

    function attestDirectly(uint256 seed, uint8 wrong) public {
        uint256 id = _any(seed);
        IRounds.Round memory r = rounds.round();
        bytes32 candidate = wrong == 0 ? earlierCandidate : r.candidate;
        (uint256 round, uint256 turn) = (wrong == 1 ? r.number + 1 : r.number, wrong == 2 ? r.turn + 1 : r.turn);
        bool valid = (seed >> 16) % 4 != 0;
        bool entitled = r.phase == IRounds.Phase.Attestation && wrong > 2 && _mayVote(id);
        (bool ok,) = _call(_operator(id), address(rounds), abi.encodeCall(IRounds.attest, (round, turn, candidate, valid)));
        _hold(Rule.Refusals, ok == entitled);
        if (r.phase == IRounds.Phase.Attestation && wrong <= 2 && _mayVote(id)) _note("vote for elsewhere");
        if (ok) {
            _hold(Rule.Elsewhere, candidate == ballot.candidate && round == ballot.round && turn == ballot.turn);
            votes[address(rounds)][candidate][id] = valid ? VALID : AGAINST;
            _note("attested");
        }
        _observe();
    }

    /// @dev Most of the members, mostly agreeing, or mostly not; some on something else than what is voted on.
    function attestMost(uint256 seed) external {
        bool hostile = seed % 3 == 0;
        for (uint256 i = 0; i < membership.lastId(); ++i) {
            bool against = ((seed >> (8 + i % 200)) % 8 == 0) != hostile;
            uint8 wrong = uint8((seed >> (16 + i % 200)) % 32);
            if (rounds.round().phase == IRounds.Phase.Attestation) attestDirectly(seed % 1000 + i + (against ? 0 : 1 << 16), wrong);
        }
    }

    /// @dev A batch of new signatures, some for elsewhere, and of old ones.
    function attestBySignatures(uint256 seed, uint8 count) external {
        IRounds.Round memory r = rounds.round();
        if (r.phase != IRounds.Phase.Attestation) return;
        uint256 n = count % 5;
        IRounds.SignedAttestation[] memory batch = new IRounds.SignedAttestation[](n + (kept.length == 0 ? 0 : 2));
        bytes32 here = _about(r.number, r.turn, ballot.candidate, address(rounds), block.chainid);
        uint256 counted;
        for (uint256 i = 0; i < batch.length; ++i) {
            Signed memory signed =
                i < n ? _sign(uint256(keccak256(abi.encode(seed, i))), r) : kept[uint256(keccak256(abi.encode(seed, i))) % kept.length];
            batch[i] = signed.attestation;
            if (signed.key != operatorKey[signed.id] || !_mayVote(signed.id) || _decided(r.submissions)) continue;
            if (signed.about != here) {
                _note("signature for elsewhere");
                continue;
            }
            votes[address(rounds)][ballot.candidate][signed.id] = signed.attestation.valid ? VALID : AGAINST;
            ++counted;
        }
        (bool ok, bytes memory returned) =
            _call(address(this), address(rounds), abi.encodeCall(IRounds.attestBySignatures, (r.number, r.turn, ballot.candidate, batch)));
        _hold(Rule.Elsewhere, ok && abi.decode(returned, (uint256)) == counted);
        if (counted != 0) _note("settled by signature");
        if (counted < batch.length) _note("signature skipped");
        _observe();
    }

    function _mayVote(uint256 id) private view returns (bool) {
        return !gone[id] && submitted[address(rounds)][ballot.round][id] && votes[address(rounds)][ballot.candidate][id] == 0;
    }

    function _decided(uint256 n) private view returns (bool) {
        return _tally(VALID) >= _quorum(n) || _tally(AGAINST) > n - _quorum(n);
    }

    function _about(uint256 round, uint256 turn, bytes32 candidate, address target, uint256 chain) private pure returns (bytes32) {
        return keccak256(abi.encode(round, turn, candidate, target, chain));
    }

    function _sign(uint256 seed, IRounds.Round memory r) private returns (Signed memory signed) {
        uint256 elsewhere = (seed >> 64) % 16;
        signed.id = _any(seed);
        signed.key = operatorKey[signed.id];
        signed.attestation.valid = (seed >> 32) % 4 != 0;
        uint256 round = elsewhere == 0 ? r.number + 1 : r.number;
        uint256 turn = elsewhere == 1 ? r.turn + 1 : r.turn;
        bytes32 candidate = elsewhere == 2 ? earlierCandidate : ballot.candidate;
        address target = elsewhere == 3 ? address(membership) : address(rounds);
        uint256 chain = elsewhere == 4 ? block.chainid + 1 : block.chainid;
        signed.about = _about(round, turn, candidate, target, chain);
        bytes32 vote = keccak256(abi.encode(TYPE, round, turn, candidate, signed.attestation.valid));
        signed.attestation.signature = _signature(signed.key, _domain(chain, target), vote);
        if (kept.length < KEPT) kept.push(signed);
        else kept[seed % KEPT] = signed;
    }

    function _signature(uint256 key, bytes32 domain, bytes32 vote) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, keccak256(abi.encodePacked(hex"1901", domain, vote)));
        return abi.encodePacked(r, s, v);
    }

    function _domain(uint256 chain, address target) private pure returns (bytes32) {
        bytes32 type_ = keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        return keccak256(abi.encode(type_, keccak256("FedChain"), keccak256("1"), chain, target));
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IMembership} from "../../../contracts/interfaces/IMembership.sol";
import {IRounds} from "../../../contracts/interfaces/IRounds.sol";
import {VoteCalls} from "./VoteCalls.sol";

/// @dev A federation of seven that everything random is done to.
abstract contract AllCalls is VoteCalls {
    address private immutable test = msg.sender;

    constructor() {
        found(7);
        for (uint256 id = 1; id <= 7; ++id) {
            (operatorKey[id], holderNow[id]) = (OPERATOR_KEY + id, holder(id));
            commitments[address(rounds)][id] = Commitments({made: 1, due: 1, waiting: 0, from: 0});
        }
    }

    function countersAgree() external view returns (bool) {
        for (uint256 id = 1; id <= membership.lastId(); ++id) {
            IRounds.Member memory m = rounds.member(id);
            Counters memory c = counters[address(rounds)][id];
            if (m.submitted != c.submitted || m.published != c.published) return false;
            if (m.rejected != c.rejected || m.contradicted != c.contradicted) return false;
        }
        return true;
    }

    /// @dev A token for each seat that is awake, and no address in two seats.
    function seatsAgree() external view returns (bool) {
        uint256 tokens;
        for (uint256 id = 1; id <= membership.lastId(); ++id) {
            IMembership.Seat memory s = membership.seat(id);
            if ((s.holder == address(0)) != gone[id]) return false;
            if (gone[id]) continue;
            uint256 balance = membership.balanceOf(s.holder);
            if (balance != (s.dormantFrom == 0 ? 1 : 0) || membership.getVotes(s.holder) != balance) return false;
            if (balance == 1 && membership.ownerOf(id) != s.holder) return false;
            if (s.holder != holderNow[id] || s.operator != _operator(id)) return false;
            if (membership.seatOf(s.holder) != id || membership.operatedBy(s.operator) != id) return false;
            tokens += balance;
        }
        return tokens == membership.voters() && tokens > 0;
    }

    /// @dev Waits, and opens as some member. Where votes are needed (pause, rest, too few members for the minimum), they are had.
    function opensAgain() external returns (bool) {
        if (msg.sender != test) return true; // a check, not one of the calls to make at random
        IRounds.Round memory r = rounds.round();
        (, IRounds.Params memory p,, uint256 allowed) = rounds.policy();
        uint256 end = r.closesAt > block.timestamp ? r.closesAt : block.timestamp;
        vm.warp(end + uint256(r.maxTurns) * (uint256(r.publishWindow) + r.attestWindow) + p.interval);
        if (rounds.paused()) {
            byVote();
            rounds.setPaused(false);
        }
        if (r.number >= allowed || membership.voters() < p.minimum) setPolicy(defaultParams(), GENESIS);
        (bool ok,) = _call(_operator(_living(block.timestamp)), address(rounds), abi.encodeCall(IRounds.open, ()));
        return ok && rounds.current() == r.number + 1;
    }

    /// @dev What the round waits for, mostly done as it should be: rounds get somewhere, so that the rest meets them in every state.
    function advance(uint256 seed) external {
        seed = uint256(keccak256(abi.encode(seed)));
        IRounds.Phase phase = rounds.round().phase;
        if (seed % 8 == 0) {
            this.wait(seed >> 8);
        } else if (phase == IRounds.Phase.Training) {
            this.submitMost(seed >> 8);
            if (seed % 4 == 1 && rounds.round().phase == IRounds.Phase.Training) vm.warp(rounds.round().until);
        } else if (phase == IRounds.Phase.Aggregation) {
            this.publishCandidate(seed >> 8, seed % 4 == 1);
        } else if (phase == IRounds.Phase.Attestation) {
            this.attestMost(seed >> 8);
        } else {
            vm.warp(block.timestamp + INTERVAL);
            this.openRound(seed >> 8);
        }
    }

    /// @dev One call out of all, by weights.
    function step(uint256 seed) external {
        seed = uint256(keccak256(abi.encode(seed)));
        uint256 kind = seed % 34;
        uint256 rest = seed / 34;
        if (kind < 5) this.wait(rest);
        else if (kind < 8) this.openRound(rest);
        else if (kind < 10) this.submitUpdate(rest, uint8((rest >> 64) % 16));
        else if (kind < 14) this.submitMost(rest);
        else if (kind < 17) this.publishCandidate(rest, (rest >> 64) % 4 != 0);
        else if (kind < 18) this.attestDirectly(rest, uint8((rest >> 64) % 16));
        else if (kind < 20) this.attestMost(rest);
        else if (kind < 22) this.attestBySignatures(rest, uint8(rest >> 64));
        else if (kind < 23) this.joinFederation();
        else if (kind < 24) this.leaveFederation(rest, (rest >> 64) % 2 == 0);
        else if (kind < 25) this.rotateOperator(rest);
        else if (kind < 26) this.recoverSeat(rest);
        else if (kind < 27) this.commitAgain(rest);
        else if (kind < 28) this.retire(rest);
        else if (kind < 29) this.wakeUp(rest);
        else if (kind < 30) this.changePolicy(rest, (rest >> 64) % 2 == 0);
        else if (kind < 31) this.replaceRounds(rest);
        else if (kind < 32) this.actThoughGone(rest);
        else if (kind < 33) this.decideByVotes(rest);
        else this.actWithoutVote(rest);
        if ((seed >> 128) % 64 == 0) this.pause(rest);
        if ((seed >> 128) % 64 == 1) this.sendEther(rest, bytes4(uint32(rest)));
    }
}

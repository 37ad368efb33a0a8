// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {IMembership} from "../../../contracts/interfaces/IMembership.sol";
import {IRounds} from "../../../contracts/interfaces/IRounds.sol";
import {RoundCalls} from "./RoundCalls.sol";

/// @dev What changes seats, policy and the contract in use; time; and what must never work.
abstract contract SeatCalls is RoundCalls {
    uint256 private constant MOST_SEATS = 9;
    uint256 private constant MOST_SUCCESSORS = 3;
    uint256 private successors;
    mapping(uint256 id => address) private goneHolder;

    /// @dev To the next deadline, the second before it, or by a little.
    function wait(uint256 seed) external {
        IRounds.Round memory r = rounds.round();
        uint256 to = block.timestamp + seed % 30;
        if (r.until != 0 && seed % 3 == 0) to = r.until - (seed >> 8) % 2;
        else if (r.phase >= IRounds.Phase.Finalised) to = block.timestamp + INTERVAL;
        if (to > block.timestamp) vm.warp(to);
        _observe();
    }

    // ---- seats

    function joinFederation() external {
        if (membership.voters() >= MOST_SEATS || membership.lastId() > 40) return;
        uint256 id = membership.lastId() + 1;
        operatorKey[id] = _freshKey();
        holderNow[id] = vm.addr(_freshKey());
        bytes32 first = commitment(id, 0);
        vm.prank(holderNow[id]);
        (, bytes32 application) = membership.applyForSeat(profile(id), _operator(id), first);
        byVote();
        membership.admit(id, application);
        _committed(id);
        _note("joined");
        _observe();
    }

    function leaveFederation(uint256 seed, bool expelled) external {
        if (membership.voters() < 4 && seed % 16 != 0) return; // seldom down to the last
        uint256 id = _living(seed);
        address from = expelled ? address(governance) : holderNow[id];
        bool last = membership.voters() == 1 && membership.balanceOf(holderNow[id]) == 1;
        (bool ok,) =
            _call(from, address(membership), expelled ? abi.encodeCall(IMembership.expel, (id)) : abi.encodeCall(IMembership.resign, ()));
        _hold(Rule.Refusals, ok == !last);
        if (ok) {
            (gone[id], goneHolder[id]) = (true, holderNow[id]);
            _note("left");
        }
        _observe();
    }

    function rotateOperator(uint256 seed) external {
        uint256 id = _living(seed);
        operatorKey[id] = _freshKey();
        bytes32 next = commitment(id, commitments[address(rounds)][id].made);
        (bool ok,) = _call(holderNow[id], address(membership), abi.encodeCall(IMembership.setOperator, (_operator(id), next)));
        _hold(Rule.Refusals, ok);
        _committed(id);
        _observe();
    }

    function recoverSeat(uint256 seed) external {
        uint256 id = _living(seed);
        holderNow[id] = vm.addr(_freshKey());
        (bool ok,) = _call(address(governance), address(membership), abi.encodeCall(IMembership.recover, (id, holderNow[id])));
        _hold(Rule.Refusals, ok);
        _observe();
    }

    function commitAgain(uint256 seed) external {
        uint256 id = _living(seed);
        bytes32 next = commitment(id, commitments[address(rounds)][id].made);
        (bool ok,) = _call(_operator(id), address(rounds), abi.encodeCall(IRounds.recommit, (next)));
        _hold(Rule.Refusals, ok);
        _committed(id);
        _observe();
    }

    /// @dev Writes a commitment down; it must wait while the round that trains could still take its secret.
    function _committed(uint256 id) internal {
        Commitments storage c = commitments[address(rounds)][id];
        uint256 round = rounds.current();
        bool training = rounds.round().phase == IRounds.Phase.Training;
        if (c.waiting != 0 && c.from <= round) (c.due, c.waiting) = (c.waiting, 0);
        ++c.made;
        if (training && !submitted[address(rounds)][round][id]) (c.waiting, c.from) = (c.made, round + 1);
        else (c.due, c.waiting) = (c.made, 0);
    }

    /// @dev Now and then after half a year without a sign of life, and at times again a month later.
    function retire(uint256 seed) external {
        if (seed % 4 == 0) vm.warp(block.timestamp + 181 days);
        uint256 id = _living((seed >> 8) % 4 == 0 ? seed >> 16 : 0);
        _retire(id);
        if ((seed >> 4) % 2 == 0) vm.warp(block.timestamp + 31 days);
        _retire(id);
        _observe();
    }

    function _retire(uint256 id) private {
        (bool ok,) = _call(address(this), address(membership), abi.encodeCall(IMembership.dormant, (id)));
        if (ok) _note(membership.seat(id).dormantFrom == 0 ? "warned" : "retired");
    }

    function wakeUp(uint256 seed) external {
        uint256 id = _living(seed);
        (bool ok,) = _call(_operator(id), address(membership), abi.encodeCall(IMembership.wake, ()));
        _hold(Rule.Refusals, ok);
        _observe();
    }

    // ---- by vote

    function changePolicy(uint256 seed, bool restart) external {
        IRounds.Params memory p = defaultParams();
        p.training = uint32(seed % 200 + 1);
        p.publishing = uint32((seed >> 16) % 100 + 1);
        p.attesting = uint32((seed >> 32) % 100 + 1);
        p.minimum = uint32((seed >> 48) % 4 + 1);
        p.maxTurns = uint8((seed >> 56) % 8 + 1);
        p.rounds = uint24((seed >> 64) % 50 + 1);
        setPolicy(p, restart ? keccak256(abi.encode(seed)) : genesisInForce == 0 ? GENESIS : genesisInForce);
        _observe();
    }

    function pause(uint256 seed) external {
        byVote();
        rounds.setPaused(seed % 4 == 0);
        _observe();
    }

    /// @dev Most of the members commit before the vote takes effect.
    function replaceRounds(uint256 seed) external {
        if (successors == MOST_SUCCESSORS || seed % 8 != 0 || rounds.current() == 0) return;
        ++successors;
        address previous = address(rounds);
        rounds = newRounds(address(membership), address(governance), keccak256(abi.encode("genesis", seed)));
        for (uint256 id = 1; id <= membership.lastId(); ++id) {
            if (gone[id] || (seed >> (8 + id)) % 8 == 0) continue;
            bytes32 first = commitment(id, 0);
            vm.prank(_operator(id));
            rounds.recommit(first);
            _committed(id);
        }
        byVote();
        membership.setRounds(address(rounds));
        delete ballot;
        delete finalBallot;
        (lastAggregate, policyInForce, genesisInForce, lastPhase) = (0, 0, 0, 0);
        (bool ok,) = _call(_operator(_living(seed)), previous, abi.encodeCall(IRounds.open, ()));
        _hold(Rule.GoneIsGone, !ok); // the old contract opens nothing more
        _note("replaced");
        _observe();
    }

    // ---- what must not work

    function actThoughGone(uint256 seed) external {
        uint256 id = _any(seed);
        if (!gone[id]) return;
        IRounds.Round memory r = rounds.round();
        bytes32 next = commitment(id, 0);
        _fails(_operator(id), address(rounds), abi.encodeCall(IRounds.open, ()));
        _fails(_operator(id), address(rounds), abi.encodeCall(IRounds.publish, (r.number, r.turn, next, next)));
        _fails(_operator(id), address(rounds), abi.encodeCall(IRounds.attest, (r.number, r.turn, r.candidate, true)));
        _fails(_operator(id), address(rounds), abi.encodeCall(IRounds.recommit, (next)));
        _fails(_operator(id), address(membership), abi.encodeCall(IMembership.wake, ()));
        _fails(goneHolder[id], address(membership), abi.encodeCall(IMembership.wake, ()));
        _fails(goneHolder[id], address(membership), abi.encodeCall(IMembership.setOperator, (_operator(id), next)));
        _fails(goneHolder[id], address(membership), abi.encodeCall(IMembership.resign, ()));
        _fails(goneHolder[id], address(membership), abi.encodeCall(IMembership.activate, ("{}", _operator(id), next)));
        _fails(
            goneHolder[id],
            address(governance),
            abi.encodeCall(IGovernor.propose, (new address[](1), new uint256[](1), new bytes[](1), "back"))
        );
        _note("gone and acting");
        _observe();
    }

    function _fails(address from, address to, bytes memory data) private {
        (bool ok,) = _call(from, to, data);
        _hold(Rule.GoneIsGone, !ok);
    }

    function sendEther(uint256 seed, bytes4 selector) external {
        address[3] memory targets = [address(membership), address(governance), address(rounds)];
        vm.deal(address(this), 1 ether);
        bool ok;
        for (uint256 i = 0; i < targets.length; ++i) {
            (ok,) = targets[i].call{value: seed % 100 + 1}("");
            _hold(Rule.NoEther, !ok);
            (ok,) = targets[i].call{value: seed % 100 + 1}(abi.encodePacked(selector, new bytes(128)));
            _hold(Rule.NoEther, !ok);
        }
        bytes memory execute =
            abi.encodeCall(IGovernor.execute, (new address[](1), new uint256[](1), new bytes[](1), keccak256(abi.encode(seed))));
        (ok,) = address(governance).call{value: 1}(execute);
        _hold(Rule.NoEther, !ok);
        _hold(Rule.NoEther, address(membership).balance + address(governance).balance + address(rounds).balance == 0);
        _observe();
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IMembership} from "../../contracts/interfaces/IMembership.sol";
import {IRounds} from "../../contracts/interfaces/IRounds.sol";
import {Voting} from "./common/Voting.sol";

/// @dev The whole life of a federation of any size, by votes as they are cast, none of it assumed.
contract SizesTest is Voting {
    function test_a_federation_of_1_lives() external {
        _live(1);
    }

    function test_a_federation_of_2_lives() external {
        _live(2);
    }

    function test_a_federation_of_3_lives() external {
        _live(3);
    }

    function test_a_federation_of_4_lives() external {
        _live(4);
    }

    function test_a_federation_of_7_lives() external {
        _live(7);
    }

    function test_a_federation_of_100_lives() external {
        _live(100);
    }

    function test_departures_from_1_in_every_phase() external {
        _departInEveryPhase(1);
    }

    function test_departures_from_2_in_every_phase() external {
        _departInEveryPhase(2);
    }

    function test_departures_from_3_in_every_phase() external {
        _departInEveryPhase(3);
    }

    function test_departures_from_4_in_every_phase() external {
        _departInEveryPhase(4);
    }

    function test_departures_from_7_in_every_phase() external {
        _departInEveryPhase(7);
    }

    enum When {
        BeforeTheFirstRound,
        InTraining,
        Submitted,
        InItsTurn,
        WithItsCandidateOut,
        Finalised,
        Aborted
    }

    /// @dev One member goes, by resignation and by expulsion; the others, if there are any, end the next round without it.
    function _departInEveryPhase(uint256 n) private {
        found(n);
        for (uint256 when = 0; when <= uint256(type(When).max); ++when) {
            for (uint256 expelled = 0; expelled < 2; ++expelled) {
                uint256 before = vm.snapshotState();
                uint256 id = _reach(When(when), n);
                if (n == 1) refused(abi.encodeWithSelector(IMembership.LastMember.selector, id));
                if (expelled == 0) {
                    _resign(id);
                } else {
                    byVote();
                    membership.expel(id);
                }
                _goOn(n, n == 1 ? 0 : id);
                vm.revertToState(before);
                vm.warp(START);
            }
        }
    }

    /// @return The member that has to go: the last, or the elected.
    function _reach(When when, uint256 n) private returns (uint256) {
        if (when == When.BeforeTheFirstRound) return n;
        open();
        if (when == When.InTraining) {
            submitAll(n - 1);
            return n;
        }
        if (when == When.Submitted) {
            submit(n);
            return n;
        }
        submitAll(n);
        if (when == When.InItsTurn) return aggregator(0);
        if (when == When.Aborted) {
            while (rounds.round().phase != IRounds.Phase.Aborted) {
                vm.warp(rounds.round().until);
            }
            return n;
        }
        if (when == When.Finalised) finalise();
        else publish(0, result(1));
        return aggregator(0);
    }

    /// @param gone Who is no member any more; 0: nobody.
    function _goOn(uint256 n, uint256 gone) private {
        while (rounds.round().until != 0) {
            vm.warp(rounds.round().until);
        }
        vm.warp(membership.clock() + INTERVAL);
        vm.prank(operator(gone == 1 ? 2 : 1));
        rounds.open();
        assertEq(uint256(rounds.round().members), gone == 0 ? n : n - 1);
        for (uint256 id = 1; id <= n; ++id) {
            if (id != gone) submit(id);
        }
        finalise();
        assertPhase(IRounds.Phase.Finalised, 0);
        assertEq(rounds.base(), result(rounds.current()));
    }

    function _live(uint256 n) private {
        found(n);
        runRound(n);
        _changePolicy(n);
        _pause(n);
        _succeed(n);
        _join(n);
        if (n > 2) _leaveInEveryPhase(n);
        _retire(n);
        _recover(n);
    }

    function _policyCall(uint32 publishing, bytes32 genesis) private view returns (bytes memory) {
        (bytes32 previous,,,) = rounds.policy();
        IRounds.Params memory params = defaultParams();
        params.publishing = publishing;
        return abi.encodeCall(IRounds.setPolicy, (previous, JSON, params, genesis));
    }

    function _changePolicy(uint256 n) private {
        decide(1, address(rounds), _policyCall(PUBLISHING + 1, GENESIS));
        runRound(n);
        assertEq(uint256(rounds.round().publishWindow), PUBLISHING + 1);
        assertEq(rounds.round().base, result(1)); // the base goes on …
        assertEq(rounds.finalised(), 2);
        decide(1, address(rounds), _policyCall(PUBLISHING, keccak256("second genesis")));
        runRound(n);
        assertEq(rounds.round().base, keccak256("second genesis")); // … unless the genesis is another
        assertEq(rounds.finalised(), 1);
    }

    function _pause(uint256 n) private {
        decide(1, address(rounds), abi.encodeCall(IRounds.setPaused, (true)));
        refused(abi.encodeWithSelector(IRounds.OpeningPaused.selector));
        vm.prank(operator(1));
        rounds.open();
        decide(1, address(rounds), abi.encodeCall(IRounds.setPaused, (false)));
        runRound(n);
        assertPhase(IRounds.Phase.Finalised);
    }

    /// @dev Everybody commits to the successor while the vote runs.
    function _succeed(uint256 n) private {
        uint256 last = rounds.current();
        address previous = address(rounds);
        rounds = newRounds(address(membership), address(governance), keccak256("third genesis"));
        for (uint256 id = 1; id <= n; ++id) {
            secretIndex[id] = 0;
            bytes32 first = commitment(id, 0);
            vm.prank(operator(id));
            rounds.recommit(first);
        }
        decide(1, address(membership), abi.encodeCall(IMembership.setRounds, (address(rounds))));
        assertEq(rounds.current(), last);
        refused(abi.encodeWithSelector(IMembership.OnlyRounds.selector, previous));
        vm.prank(operator(1));
        IRounds(previous).open();
        runRound(n);
        assertEq(rounds.current(), last + 1);
        assertEq(rounds.round().base, keccak256("third genesis"));
    }

    function _join(uint256 n) private {
        vm.prank(holder(n + 1));
        (uint256 id, bytes32 application) = membership.applyForSeat(profile(n + 1), operator(n + 1), commitment(n + 1, 0));
        assertEq(id, n + 1);
        decide(1, address(membership), abi.encodeCall(IMembership.admit, (id, application)));
        assertEq(membership.voters(), n + 1);
        runRound(n + 1);
        assertEq(uint256(rounds.round().members), n + 1);
    }

    /// @dev One member is expelled while the round trains and one resigns in each later phase; each round goes on to its result.
    function _leaveInEveryPhase(uint256 n) private {
        uint256[4] memory leavers;
        for (uint256 i = 0; i < 4; ++i) {
            leavers[i] = n + 2 + i;
            assertEq(_admit(), leavers[i]);
        }
        uint256 count = n + 5;
        IRounds.Params memory params = defaultParams();
        params.training = 1 days; // a vote fits in
        (bytes32 previous,,,) = rounds.policy();
        decide(1, address(rounds), abi.encodeCall(IRounds.setPolicy, (previous, JSON, params, keccak256("third genesis"))));
        openAgain();
        decide(1, address(membership), abi.encodeCall(IMembership.expel, (leavers[3])));
        assertEq(uint256(rounds.round().target), count - 1);
        submitAll(count - 1); // closes early, without the one that left
        _resign(leavers[2]);
        bytes32 candidate = _publishNext();
        _resign(leavers[1]);
        _finish(candidate);
        assertPhase(IRounds.Phase.Finalised);
        _resign(leavers[0]);
        runRound(n + 1);
        assertEq(uint256(rounds.round().members), n + 1);
    }

    function _admit() private returns (uint256) {
        uint256 id = membership.lastId() + 1;
        vm.prank(holder(id));
        (, bytes32 application) = membership.applyForSeat(profile(id), operator(id), commitment(id, 0));
        decide(1, address(membership), abi.encodeCall(IMembership.admit, (id, application)));
        return id;
    }

    function _resign(uint256 id) private {
        vm.prank(holder(id));
        membership.resign();
    }

    /// @dev By the first aggregator that is still there.
    function _publishNext() private returns (bytes32) {
        uint256 turn = 0;
        while (membership.seat(aggregator(turn)).holder == address(0)) {
            vm.warp(rounds.round().until);
            ++turn;
        }
        return publish(turn, result(rounds.current()));
    }

    function _finish(bytes32 candidate) private {
        IRounds.Round memory r = rounds.round();
        for (uint256 i = 0; i < r.submissions && rounds.round().phase == IRounds.Phase.Attestation; ++i) {
            uint256 id = rounds.submitter(i);
            if (id != r.aggregator && membership.seat(id).holder != address(0)) attest(id, r.turn, candidate, true);
        }
    }

    /// @dev The newcomer falls silent; the others keep on voting.
    function _retire(uint256 n) private {
        _wait(180 days);
        membership.dormant(n + 1);
        _wait(30 days);
        membership.dormant(n + 1);
        assertEq(membership.voters(), n);
        runRound(n);
        assertEq(uint256(rounds.round().members), n);
        vm.prank(operator(n + 1));
        membership.wake();
        assertEq(membership.voters(), n + 1);
        runRound(n + 1);
        assertEq(uint256(rounds.round().members), n + 1);
    }

    /// @dev The last member's holder lost its key. With two members, the other alone is no majority; the lost one still has to vote.
    function _recover(uint256 n) private {
        decide(1, address(membership), abi.encodeCall(IMembership.recover, (n + 1, holder(999))));
        assertEq(membership.ownerOf(n + 1), holder(999));
        assertEq(membership.getVotes(holder(n + 1)), 0);
        vm.prank(holder(999));
        membership.setOperator(operator(999), keccak256("c"));
        assertEq(membership.operatedBy(operator(n + 1)), 0);
        assertEq(membership.operatedBy(operator(999)), n + 1);
    }
}

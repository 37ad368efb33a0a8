// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {IGovernance} from "../../../contracts/interfaces/IGovernance.sol";
import {IMembership} from "../../../contracts/interfaces/IMembership.sol";
import {IRounds} from "../../../contracts/interfaces/IRounds.sol";
import {SeatCalls} from "./SeatCalls.sol";

/// @dev Votes as they are cast, and what accounts without a vote might try instead.
abstract contract VoteCalls is SeatCalls {
    uint256 private constant VOTING_PERIOD = 100;
    uint256 private constant GRACE_PERIOD = 14 days;
    uint256 private motions;
    uint256 private delay = 50; // what was decided last
    mapping(uint256 id => uint256) private liveUntil;

    address[] private targets = new address[](1);
    uint256[] private values = new uint256[](1);
    bytes[] private calls = new bytes[](1);

    /// @dev A proposal from its beginning to its end, with any number of votes, now and then a second too early.
    function decideByVotes(uint256 seed) external {
        vm.warp(block.timestamp + 1); // a token is a vote once it is a second old
        uint256 id = _living(seed);
        string memory description = vm.toString(++motions);
        uint256 next = (seed >> 16) % 100;
        (targets[0], calls[0]) = (address(governance), abi.encodeCall(IGovernance.setExecutionDelay, (uint32(next))));
        if (_proposes(id, description)) {
            bool executed = _queues(id, keccak256(bytes(description)), seed >> 32) && _executes(keccak256(bytes(description)), seed >> 24);
            if (executed) (delay, liveUntil[id]) = (next, 0);
            _hold(Rule.Votes, governance.executionDelay() == delay);
            _note(executed ? "decided by vote" : "not decided");
        }
        _observe();
    }

    /// @dev One live proposal per member that is awake.
    function _proposes(uint256 id, string memory description) private returns (bool ok) {
        bool entitled = membership.balanceOf(holderNow[id]) == 1 && block.timestamp >= liveUntil[id];
        (ok,) = _call(holderNow[id], address(governance), abi.encodeCall(IGovernor.propose, (targets, values, calls, description)));
        _hold(Rule.Votes, ok == entitled);
    }

    /// @dev After the votes, of which more than half of all there are have to be For.
    function _queues(uint256 id, bytes32 description, uint256 seed) private returns (bool ok) {
        uint256 deadline = block.timestamp + VOTING_PERIOD;
        vm.warp(block.timestamp + 1);
        bool passes = _voteAll(governance.latestProposal(id), seed) * 2 > membership.voters();
        bool over = seed % 4 != 0;
        vm.warp(over ? deadline + 1 : deadline);
        (ok,) = _call(address(this), address(governance), abi.encodeCall(IGovernor.queue, (targets, values, calls, description)));
        _hold(Rule.Votes, ok == (passes && over));
        liveUntil[id] = deadline + (passes ? GRACE_PERIOD : 1);
        if (ok) liveUntil[id] = block.timestamp + delay + GRACE_PERIOD;
    }

    function _executes(bytes32 description, uint256 seed) private returns (bool ok) {
        bool due = seed % 4 != 0 || delay == 0;
        vm.warp(block.timestamp + (due ? delay : delay - 1));
        (ok,) = _call(address(this), address(governance), abi.encodeCall(IGovernor.execute, (targets, values, calls, description)));
        _hold(Rule.Votes, ok == due);
    }

    /// @dev Most holders vote, most of them For; operators try, too.
    /// @return agreeing Votes For.
    function _voteAll(uint256 proposal, uint256 seed) private returns (uint256 agreeing) {
        for (uint256 id = 1; id <= membership.lastId(); ++id) {
            uint256 draw = uint256(keccak256(abi.encode(seed, id)));
            uint8 support = draw % 4 == 0 ? uint8(draw >> 8) % 3 : 1;
            bytes memory vote = abi.encodeCall(IGovernor.castVote, (proposal, support));
            if (draw >> 16 & 7 != 0) {
                (bool ok,) = _call(holderNow[id], address(governance), vote);
                _hold(Rule.Votes, ok == (!gone[id] && membership.balanceOf(holderNow[id]) == 1));
                if (ok && support == 1) ++agreeing;
            }
            (bool counted,) = _call(_operator(id), address(governance), vote);
            _hold(Rule.Votes, !counted);
        }
    }

    /// @dev An operator or a stranger calls what is decided by votes, or any part of voting, with arguments that may fit. Nothing comes of it.
    function actWithoutVote(uint256 seed) external {
        bytes4[10] memory ofVoting = [
            IGovernor.propose.selector,
            IGovernor.queue.selector,
            IGovernor.execute.selector,
            IGovernor.cancel.selector,
            IGovernor.castVote.selector,
            IGovernor.castVoteWithReason.selector,
            IGovernor.castVoteWithReasonAndParams.selector,
            IGovernor.castVoteBySig.selector,
            bytes4(keccak256("relay(address,uint256,bytes)")),
            IGovernance.setExecutionDelay.selector
        ];
        bytes4[6] memory ofMembership = [
            IMembership.admit.selector,
            IMembership.expel.selector,
            IMembership.recover.selector,
            IMembership.revokeAuditor.selector,
            IMembership.setRounds.selector,
            IMembership.voted.selector
        ];
        bytes4[4] memory ofRounds =
            [IRounds.setPaused.selector, IRounds.register.selector, IRounds.departed.selector, IRounds.succeed.selector];
        uint256 which = (seed >> 16) % 20;
        (address to, bytes4 selector) = which < 10
            ? (address(governance), ofVoting[which])
            : which < 16 ? (address(membership), ofMembership[which - 10]) : (address(rounds), ofRounds[which - 16]);
        bytes32 before = _decided();
        (bool ok,) = _call(seed % 2 == 0 ? _operator(_any(seed >> 8)) : vm.addr(_freshKey()), to, _arguments(selector, seed));
        _hold(Rule.Votes, !ok && _decided() == before);
        _note("refused without a vote");
        _observe();
    }

    /// @dev Words of which some are what the call wants: numbers, ids, addresses, proposals, offsets.
    function _arguments(bytes4 selector, uint256 seed) private view returns (bytes memory data) {
        data = abi.encodePacked(selector);
        for (uint256 i = 0; i < 12; ++i) {
            uint256 draw = uint256(keccak256(abi.encode(seed, i)));
            uint256 word = (draw >> 8) % 4;
            if (draw % 8 == 0) word = draw;
            else if (draw % 8 == 1) word = uint256(uint160(holderNow[_any(draw >> 8)]));
            else if (draw % 8 == 2) word = governance.latestProposal(_any(draw >> 8));
            else if (draw % 8 == 3) word = 32 * ((draw >> 8) % 12);
            data = bytes.concat(data, bytes32(word));
        }
    }

    /// @dev All that votes decide, and how they stand.
    function _decided() private view returns (bytes32 digest) {
        (bytes32 policy,,, uint256 lastRound) = rounds.policy();
        digest = keccak256(abi.encode(policy, lastRound, rounds.paused(), rounds.current(), membership.rounds(), membership.voters()));
        digest = keccak256(abi.encode(digest, governance.votingDelay(), governance.votingPeriod(), governance.executionDelay()));
        for (uint256 id = 1; id <= membership.lastId(); ++id) {
            uint256 proposal = governance.latestProposal(id);
            digest = keccak256(abi.encode(digest, membership.seat(id), rounds.member(id), proposal));
            if (proposal != 0) digest = keccak256(abi.encode(digest, governance.state(proposal), governance.proposalEta(proposal)));
        }
    }
}

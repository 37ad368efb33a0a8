// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IMembership} from "../../contracts/interfaces/IMembership.sol";
import {IRounds} from "../../contracts/interfaces/IRounds.sol";
import {Voting} from "./common/Voting.sol";

/// @dev What transactions cost, from the second round on, with cold storage (`isolate` in hardhat.config.js), whatever the number of
/// members. The committed snapshots are checked by `npm run gas`; the budgets here are the design's.
contract GasTest is Voting {
    uint256 private constant OPEN = 80_000;
    uint256 private constant SUBMIT = 75_000;
    uint256 private constant PUBLISH = 85_000;
    uint256 private constant ATTEST = 55_000;
    uint256 private constant ATTEST_LAST = 90_000;
    uint256 private constant ATTEST_IN_BATCH = 20_000;
    uint256 private constant OPEN_ANEW = 95_000;
    uint256 private constant SUBMIT_ANEW = 85_000;
    uint256 private constant VOTE = 120_000; // the design has no budget for what is seldom; this one keeps it from growing

    string private constant USUAL_PROFILE =
        "{\"adapterConfig\":\"0x8f0a60ffc71b1eba1923d8e06456c2e9184fd38735d175ebe38669648b40dc60\",\"age\":[\"age15nsf9y4k28p83wth93tf7hafhvfajp45d2mge80ems45gz0c5gys3me64l\"],\"baseModel\":\"0x50629b5db748be1071182bea955872390498f78a016a2d19252f3a72e897dc1c\",\"endpoints\":[\"https://fedchain.st-anna.example\"],\"name\":\"St. Anna\",\"v\":1}";
    string private constant USUAL_RECIPIENT = "age15nsf9y4k28p83wth93tf7hafhvfajp45d2mge80ems45gz0c5gys3me64l";
    string private constant USUAL_DESCRIPTION =
        "Admit the Example Institute for Health Data as an auditor for the year 2027. It has signed the agreement of 12 March; its key was read out at the meeting of the board.";

    function test_round_of_4_stays_in_budget() external {
        _measure(4, "4 members");
    }

    function test_round_of_100_stays_in_budget() external {
        _measure(100, "100 members");
    }

    function test_round_of_1000_stays_in_budget() external {
        _measure(1000, "1000 members");
    }

    function test_round_of_10000_stays_in_budget() external {
        _measure(10_000, "10000 members");
    }

    function _measure(uint256 n, string memory group) private {
        _foundOneByOne(n);
        open();
        _submitFrom(1, n);
        this.attestFrom(1, n, 2 * n / 3, publish(0, result(1)));
        assertPhase(IRounds.Phase.Finalised);
        vm.warp(block.timestamp + INTERVAL);
        open();
        _within(group, "open", OPEN);
        submit(1);
        _within(group, "submit, first", SUBMIT);
        submit(2);
        _within(group, "submit", SUBMIT);
        _submitFrom(3, n - 1);
        submit(n);
        _within(group, "submit, last (closes)", SUBMIT);

        bytes32 candidate = publish(0, result(2));
        _within(group, "publish", PUBLISH);
        uint256 turn = vm.snapshotState();
        uint256 first = aggregator(0);
        attest(first == 1 ? 2 : 1, 0, candidate, true);
        _within(group, "attest", ATTEST);
        this.attestFrom(3, n, 2 * n / 3 - 2, candidate);
        attest(first == n ? n - 1 : n, 0, candidate, true);
        _within(group, "attest, last (finalises)", ATTEST_LAST);
        assertPhase(IRounds.Phase.Finalised);
        vm.revertToState(turn);

        if (n > 66) _measureBatch(group, first, candidate);
        _measureVote(group, n);
    }

    function _measureBatch(string memory group, uint256 first, bytes32 candidate) private {
        IRounds.SignedAttestation[] memory batch = new IRounds.SignedAttestation[](66);
        for (uint256 i = 0; i < 66; ++i) {
            batch[i] = _sign(i + 1 < first ? i + 1 : i + 2, 2, 0, candidate, true);
        }
        assertEq(rounds.attestBySignatures(2, 0, candidate, batch), 66);
        _within(group, "66 signed attestations", 66 * ATTEST_IN_BATCH);
    }

    function _measureVote(string memory group, uint256 n) private {
        vm.prank(holder(n + 1));
        (uint256 id, bytes32 application) = membership.applyForSeat(profile(n + 1), operator(n + 1), keccak256("c"));
        (targets[0], calls[0]) = (address(membership), abi.encodeCall(IMembership.admit, (id, application)));
        uint256 proposal = _propose(1, "admit");
        vm.snapshotGasLastCall(group, "propose");
        _wait(1);
        _vote(1, proposal, FOR);
        _within(group, "vote", VOTE);
        this.voteFrom(2, n / 2 + 1, proposal);
        _wait(100);
        governance.queue(targets, values, calls, keccak256("admit"));
        _within(group, "queue", VOTE);
        _wait(50);
        governance.execute(targets, values, calls, keccak256("admit"));
        vm.snapshotGasLastCall(group, "execute an admission");
        byVote();
        membership.expel(2);
        vm.snapshotGasLastCall(group, "expel");
    }

    function _submitFrom(uint256 from, uint256 to) private {
        for (; from <= to; from += 100) {
            this.submitFrom(from, from + 99 < to ? from + 99 : to);
        }
    }

    /// @dev Each in a second of its own, so that the history of votes is as long as it can be.
    function _foundOneByOne(uint256 n) private {
        deploy(n);
        for (uint256 from = 1; from <= n; from += 100) {
            this.activateFrom(from, from + 99 < n ? from + 99 : n);
        }
        vm.warp(START + n + 10);
    }

    // Calls of its own, so that memory is given back.

    function activateFrom(uint256 from, uint256 to) external {
        for (uint256 id = from; id <= to; ++id) {
            vm.warp(START + id);
            activate(id);
        }
    }

    function submitFrom(uint256 from, uint256 to) external {
        for (uint256 id = from; id <= to; ++id) {
            submit(id);
        }
    }

    function voteFrom(uint256 from, uint256 to, uint256 proposal) external {
        for (uint256 id = from; id <= to; ++id) {
            _vote(id, proposal, FOR);
        }
    }

    function attestFrom(uint256 from, uint256 to, uint256 votes, bytes32 candidate) external {
        uint256 first = aggregator(0);
        for (uint256 id = from; id <= to && votes != 0; ++id) {
            if (id == first) continue;
            attest(id, 0, candidate, true);
            --votes;
        }
    }

    /// @dev What happens where members fail: a rejection by vote, a candidate without a quorum, the last of 8 turns, an abort to settle.
    function test_troubled_round_of_100_stays_in_budget() external {
        string memory group = "100 members, troubled";
        found(100);
        IRounds.Params memory params = defaultParams();
        params.maxTurns = 8;
        setPolicy(params, GENESIS);
        runRound(100);
        openAgain();
        submitAll(100);

        bytes32 candidate = publish(0, result(2));
        uint256 first = aggregator(0);
        uint256 against;
        for (uint256 id = 1; against < 34; ++id) {
            if (id == first) continue;
            attest(id, 0, candidate, false);
            ++against;
        }
        _within(group, "attest (rejects)", ATTEST);
        vm.warp(rounds.round().since + 5 * PUBLISHING);
        publish(6, result(2));
        _within(group, "publish, 7th turn, after a rejection", PUBLISH);
        vm.warp(rounds.round().until);
        publish(7, 0);
        _within(group, "publish, 8th turn, after one without a quorum", PUBLISH);
        vm.warp(rounds.round().until + INTERVAL);
        open();
        _within(group, "open, after an abort", OPEN);
        submit(first);
        _within(group, "submit, first", SUBMIT);
    }

    /// @dev The dearest that each call gets. Two of them leave the design's budget: an opening that puts another policy in force, once a vote,
    /// and the submission after a `recommit` that waited, of a member that was contradicted. Their bounds are their own.
    function test_dearest_calls_of_100_stays_in_budget() external {
        string memory group = "100 members, dearest";
        found(100);
        runRound(100);
        openAgain();
        submitAll(100);
        bytes32 candidate = publish(0, result(2));
        uint256 first = aggregator(0);
        uint256 doubter = first == 1 ? 2 : 1;
        attest(doubter, 0, candidate, false);
        this.attestFrom(3, 100, 65, candidate);
        attest(first == 100 ? 99 : 100, 0, candidate, true);
        _within(group, "attest, last (finalises against votes)", ATTEST_LAST);
        assertPhase(IRounds.Phase.Finalised, 0);

        IRounds.Params memory params = defaultParams();
        params.training += 1;
        setPolicy(params, GENESIS);
        openAgain();
        _within(group, "open, another policy", OPEN);
        bytes32 next = commitment(doubter, 3);
        vm.prank(operator(doubter));
        rounds.recommit(next);
        vm.snapshotGasLastCall(group, "recommit");
        this.submitFrom(doubter + 1, 100);
        vm.warp(rounds.round().closesAt + 2 * PUBLISHING);
        publish(2, result(3));
        vm.warp(rounds.round().until + INTERVAL);
        setPolicy(params, keccak256("another genesis"));
        open();
        _within(group, "open, another genesis, after an abort", OPEN_ANEW);
        this.submitFrom(doubter + 1, 100);
        if (doubter == 2) submit(1);
        secretIndex[doubter] = 3;
        submit(doubter);
        _within(group, "submit, last, what waited, contradicted", SUBMIT_ANEW);
    }

    /// @dev What founding and a vote cost, with a profile and a proposal of the usual length: `fedchain deploy --estimate` and `doctor` show it.
    function test_founding_and_votes_of_4() external {
        string memory group = "founding and votes";
        deploy(4);
        for (uint256 id = 1; id <= 4; ++id) {
            vm.warp(START + id); // each in a block of its own, as checkpoints of the same time would share a slot
            vm.prank(holder(id));
            membership.activate(USUAL_PROFILE, operator(id), commitment(id, 0));
            if (id == 2) vm.snapshotGasLastCall(group, "activate");
        }
        vm.warp(START + 10);
        address[] memory targets = new address[](1);
        uint256[] memory values = new uint256[](1);
        bytes[] memory calls = new bytes[](1);
        targets[0] = address(membership);
        calls[0] = abi.encodeCall(IMembership.grantAuditor, (address(77), USUAL_RECIPIENT));
        vm.prank(holder(1));
        uint256 proposal = governance.propose(targets, values, calls, USUAL_DESCRIPTION);
        vm.snapshotGasLastCall(group, "propose");
        vm.warp(START + 11);
        for (uint256 id = 1; id <= 3; ++id) {
            vm.prank(holder(id));
            governance.castVote(proposal, 1);
            if (id == 2) vm.snapshotGasLastCall(group, "vote");
        }
        vm.warp(START + 111);
        governance.queue(targets, values, calls, keccak256(bytes(USUAL_DESCRIPTION)));
        vm.snapshotGasLastCall(group, "queue");
        vm.warp(START + 161);
        governance.execute(targets, values, calls, keccak256(bytes(USUAL_DESCRIPTION)));
        vm.snapshotGasLastCall(group, "execute");
    }

    function _within(string memory group, string memory name, uint256 budget) private {
        uint256 gas = vm.snapshotGasLastCall(group, name);
        vm.assertLe(gas, budget, string.concat(name, " is over its budget"));
    }
}

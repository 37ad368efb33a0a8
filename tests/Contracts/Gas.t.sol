// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IRounds} from "../../contracts/interfaces/IRounds.sol";
import {Federation} from "./common/Federation.sol";

/// @dev What a round's transactions cost, from the second round on, with cold storage (`isolate` in hardhat.config.js) whatever
/// the number of members. The committed snapshots are checked by `npm test`; the budgets here are the design's.
contract GasTest is Federation {
    uint256 private constant OPEN = 80_000;
    uint256 private constant SUBMIT = 75_000;
    uint256 private constant PUBLISH = 85_000;
    uint256 private constant ATTEST = 55_000;
    uint256 private constant ATTEST_LAST = 90_000;

    function test_round_of_4_stays_in_budget() external {
        _measure(4, "4 members");
    }

    function test_round_of_100_stays_in_budget() external {
        _measure(100, "100 members");
    }

    function _measure(uint256 n, string memory group) private {
        found(n);
        runRound(n);
        vm.warp(block.timestamp + INTERVAL);
        open();
        _within(group, "open", OPEN);
        submit(1);
        _within(group, "submit, first", SUBMIT);
        for (uint256 id = 2; id < n; ++id) {
            submit(id);
            if (id == 2) _within(group, "submit", SUBMIT);
        }
        submit(n);
        _within(group, "submit, last (closes)", SUBMIT);

        bytes32 candidate = publish(0, result(2));
        _within(group, "publish", PUBLISH);
        uint256 first = aggregator(0);
        uint256 quorum = 2 * n / 3 + 1;
        uint256 votes = 1;
        for (uint256 id = 1; votes < quorum; ++id) {
            if (id == first) continue;
            attest(id, 0, candidate, true);
            ++votes;
            if (votes == 2) _within(group, "attest", ATTEST);
        }
        _within(group, "attest, last (finalises)", ATTEST_LAST);
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

    function _within(string memory group, string memory name, uint256 budget) private {
        uint256 gas = vm.snapshotGasLastCall(group, name);
        vm.assertLe(gas, budget, string.concat(name, " is over its budget"));
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IRounds} from "../../contracts/interfaces/IRounds.sol";
import {Preimages} from "../../contracts/libraries/Preimages.sol";
import {Quorum} from "../../contracts/libraries/Quorum.sol";
import {Turns} from "../../contracts/libraries/Turns.sol";
import {Test} from "./common/Test.sol";

/// @dev The vectors of tests/vectors/rounds, which the program's tests read as well.
contract VectorsTest is Test {
    string private json;
    uint256 private index;

    function test_turns() external {
        uint256 count = _open("turns");
        for (index = 0; index < count; ++index) {
            uint256 n = _uint("n");
            uint256 maxTurns = _uint("maxTurns");
            uint256[] memory expected = vm.parseJsonUintArray(json, _key("order"));
            assertEq(expected.length, n < maxTurns ? n : maxTurns);
            for (uint256 i = 0; i < expected.length; ++i) {
                assertEq(Turns.entry(_word("beacon"), _uint("round"), n, i), expected[i]);
            }
        }
    }

    function test_quorum() external {
        uint256 count = _open("quorum");
        for (index = 0; index < count; ++index) {
            assertEq(Quorum.votes(_uint("n")), _uint("quorum"));
            assertEq(Quorum.updates(_uint("n"), _uint("minimum")), _uint("updates"));
        }
    }

    function test_beacon_and_set() external {
        uint256 count = _open("beacon");
        for (index = 0; index < count; ++index) {
            uint256 submissions = _uint("count");
            bytes32 beacon = 0;
            bytes32 set = 0;
            for (uint256 i = 0; i < submissions; ++i) {
                string memory submission = string.concat("submissions[", vm.toString(i), "].");
                uint256 id = _uint(string.concat(submission, "id"));
                beacon = Preimages.mix(beacon, _uint("round"), id, _word(string.concat(submission, "secret")));
                set = Preimages.extend(set, id, _word(string.concat(submission, "manifest")));
            }
            assertEq(beacon, _word("beacon"));
            assertEq(set, _word("set"));
        }
    }

    function test_candidate() external {
        uint256 count = _open("candidate");
        for (index = 0; index < count; ++index) {
            bytes32 actual = Preimages.candidate(_uint("round"), _uint("turn"), _word("set"), _word("manifest"), _word("aggregate"));
            assertEq(actual, _word("candidate"));
        }
    }

    function test_commitment() external {
        uint256 count = _open("commitment");
        for (index = 0; index < count; ++index) {
            vm.chainId(_uint("chainId"));
            address rounds = vm.parseJsonAddress(json, _key("rounds"));
            assertEq(Preimages.commitment(rounds, _uint("id"), _word("secret")), _word("commitment"));
        }
    }

    function test_policy() external {
        uint256 count = _open("policy");
        for (index = 0; index < count; ++index) {
            IRounds.Params memory params = IRounds.Params({
                training: uint32(_uint("training")),
                publishing: uint32(_uint("publishing")),
                attesting: uint32(_uint("attesting")),
                interval: uint32(_uint("interval")),
                minimum: uint32(_uint("minimum")),
                maxTurns: uint8(_uint("maxTurns")),
                rounds: uint24(_uint("rounds"))
            });
            assertEq(Preimages.policy(vm.parseJsonString(json, _key("json")), params, _word("genesis")), _word("policy"));
        }
    }

    function test_attestation() external {
        uint256 count = _open("attestation");
        for (index = 0; index < count; ++index) {
            bytes32 actual = Preimages.attestation(_uint("round"), _uint("turn"), _word("candidate"), vm.parseJsonBool(json, _key("valid")));
            assertEq(actual, _word("structHash"));
        }
    }

    function _open(string memory name) private returns (uint256 count) {
        json = vm.readFile(string.concat("tests/vectors/rounds/", name, ".json"));
        while (vm.keyExistsJson(json, string.concat(".cases[", vm.toString(count), "]"))) {
            ++count;
        }
        assertTrue(count > 0);
    }

    function _key(string memory field) private view returns (string memory) {
        return string.concat(".cases[", vm.toString(index), "].", field);
    }

    function _uint(string memory field) private view returns (uint256) {
        return vm.parseJsonUint(json, _key(field));
    }

    function _word(string memory field) private view returns (bytes32) {
        return vm.parseJsonBytes32(json, _key(field));
    }
}

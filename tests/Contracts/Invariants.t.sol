// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {Test} from "./common/Test.sol";
import {AllCalls} from "./invariants/AllCalls.sol";
import {Ledger} from "./invariants/Ledger.sol";

/// @dev Here, since Hardhat fuzzes only what test files declare.
contract Fuzzed is AllCalls {}

/// @dev Each is a campaign of its own: sequences of random calls, with the check after each.
contract InvariantsTest is Test {
    Fuzzed private fuzzed;

    function setUp() external {
        fuzzed = new Fuzzed();
    }

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    /// @dev Named, or else Hardhat also calls every contract whose code it knows, directly, and takes each refusal for a failure.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(fuzzed);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(fuzzed), new bytes4[](2));
        (targets[0].selectors[0], targets[0].selectors[1]) = (fuzzed.step.selector, fuzzed.advance.selector);
    }

    function invariant_one_submission_per_member_and_round() external view {
        assertTrue(fuzzed.holds(Ledger.Rule.OneSubmission));
    }

    function invariant_submitters_were_members_at_the_opening() external view {
        assertTrue(fuzzed.holds(Ledger.Rule.MembersOnly));
    }

    function invariant_turns_are_a_permutation_of_the_submitters() external view {
        assertTrue(fuzzed.holds(Ledger.Rule.Permutation));
    }

    function invariant_nothing_is_final_without_a_quorum() external view {
        assertTrue(fuzzed.holds(Ledger.Rule.Quorum));
    }

    function invariant_no_attestation_counts_elsewhere() external view {
        assertTrue(fuzzed.holds(Ledger.Rule.Elsewhere));
    }

    function invariant_a_final_round_never_changes() external view {
        assertTrue(fuzzed.holds(Ledger.Rule.FinalStays));
    }

    function invariant_phases_never_go_back() external view {
        assertTrue(fuzzed.holds(Ledger.Rule.PhasesAdvance));
    }

    function invariant_the_next_round_can_be_opened() external {
        assertTrue(fuzzed.opensAgain());
    }

    function invariant_who_is_gone_can_do_nothing() external view {
        assertTrue(fuzzed.holds(Ledger.Rule.GoneIsGone));
    }

    function invariant_the_base_is_the_last_final_aggregate() external view {
        assertTrue(fuzzed.holds(Ledger.Rule.Base));
    }

    function invariant_no_ether_is_locked_in() external view {
        assertTrue(fuzzed.holds(Ledger.Rule.NoEther));
    }

    function invariant_counters_are_what_happened() external view {
        assertTrue(fuzzed.countersAgree());
    }

    function invariant_seats_tokens_and_addresses_agree() external view {
        assertTrue(fuzzed.seatsAgree());
    }

    function invariant_nothing_is_decided_without_a_majority() external view {
        assertTrue(fuzzed.holds(Ledger.Rule.Votes));
    }

    function invariant_refused_is_who_is_not_entitled() external view {
        assertTrue(fuzzed.holds(Ledger.Rule.Refusals));
    }

    string[22] private all = [
        "opened",
        "submitted",
        "published",
        "attested",
        "settled by signature",
        "signature skipped",
        "vote for elsewhere",
        "signature for elsewhere",
        "finalised",
        "rejected by votes",
        "rejected by time",
        "aborted by agreement",
        "contradicted",
        "joined",
        "left",
        "warned",
        "retired",
        "gone and acting",
        "replaced",
        "decided by vote",
        "not decided",
        "refused without a vote"
    ];
    mapping(bytes32 => uint256) private met;

    /// @dev The rules above would hold of calls that achieve nothing. Walks with fixed seeds show that all that matters happens.
    function test_walks_meet_everything_and_keep_the_rules() external {
        for (uint256 walk = 0; walk < 10; ++walk) {
            fuzzed = new Fuzzed();
            for (uint256 i = 0; i < 300; ++i) {
                if (i % 2 == 0) fuzzed.step(walk * 1000 + i);
                else fuzzed.advance(walk * 1000 + i);
            }
            _assertRules();
            for (uint256 i = 0; i < all.length; ++i) {
                bytes32 what = keccak256(bytes(all[i]));
                met[what] += fuzzed.happened(what);
            }
        }
        for (uint256 i = 0; i < all.length; ++i) {
            vm.assertGe(met[keccak256(bytes(all[i]))], 2, string.concat("too seldom: ", all[i]));
        }
    }

    function _assertRules() private view {
        for (uint256 rule = 0; rule <= uint256(type(Ledger.Rule).max); ++rule) {
            vm.assertEq(fuzzed.holds(Ledger.Rule(rule)), true, string.concat("broken: rule ", vm.toString(rule)));
        }
        assertTrue(fuzzed.countersAgree());
        assertTrue(fuzzed.seatsAgree());
    }
}

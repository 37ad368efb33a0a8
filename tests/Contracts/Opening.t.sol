// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IMembership} from "../../contracts/interfaces/IMembership.sol";
import {IRounds} from "../../contracts/interfaces/IRounds.sol";
import {Governance, Membership, Rounds} from "./common/Contracts.sol";
import {Federation} from "./common/Federation.sol";

/// @dev Names partners as it is told.
contract Imposter {
    address public membership;
    address public governance;

    constructor(address membership_, address governance_) {
        (membership, governance) = (membership_, governance_);
    }
}

contract OpeningTest is Federation {
    uint256 private constant MAY_OPEN = 1 | 1 << 4 | 1 << 5; // None, Finalised, Aborted

    function test_first_round_starts_from_genesis() external {
        found(4);
        assertPhase(IRounds.Phase.None);
        assertEq(rounds.base(), GENESIS);
        (bytes32 policy,,,) = rounds.policy();
        vm.expectEmit(true, true, true, true, address(rounds));
        emit IRounds.RoundOpened(1, 1, policy, GENESIS, 0, 4, 3, uint64(START), uint64(START + TRAINING), PUBLISHING, ATTESTING, 3);
        open();
        IRounds.Round memory r = rounds.round();
        assertEq(uint256(r.number), 1);
        assertEq(r.policy, policy);
        assertEq(r.base, GENESIS);
        assertEq(uint256(r.members), 4);
        assertEq(uint256(r.target), 4);
        assertEq(uint256(r.since), START);
        assertEq(uint256(r.until), START + TRAINING);
        assertEq(r.set, 0);
        assertEq(r.beacon, 0);
        assertPhase(IRounds.Phase.Training);
    }

    function test_next_round_starts_from_the_aggregate() external {
        found(4);
        runRound(4);
        assertEq(rounds.base(), result(1));
        assertEq(rounds.finalised(), 1);
        openAgain();
        assertEq(rounds.round().base, result(1));
        assertEq(rounds.finalised(), 1);
        // Slots of the last round show nothing of it.
        assertEq(rounds.round().set, 0);
        assertEq(rounds.round().beacon, 0);
        assertEq(rounds.round().candidate, 0);
        assertEq(rounds.submitter(0), 0);
    }

    /// @dev The turn's slot is used again: an aggregator left in it would be counted a rejection at the first glance.
    function test_opening_counts_nothing_against_anybody() external {
        found(4);
        for (uint256 round = 1; round <= 2; ++round) {
            open();
            for (uint256 id = 1; id <= 4; ++id) {
                assertEq(uint256(rounds.member(id).rejected), 0);
            }
            submitAll(4);
            finalise();
            vm.warp(block.timestamp + INTERVAL);
        }
    }

    function test_round_after_an_abort_starts_from_the_same_base() external {
        found(4);
        runRound(4);
        openAgain();
        vm.warp(rounds.round().closesAt);
        assertPhase(IRounds.Phase.Aborted);
        openAgain();
        assertEq(rounds.current(), 3);
        assertEq(rounds.round().base, result(1));
        assertEq(rounds.finalised(), 1);
    }

    function test_interval_has_to_pass() external {
        found(4);
        runRound(4);
        uint256 from = block.timestamp + INTERVAL;
        vm.warp(from - 1);
        refused(abi.encodeWithSelector(IRounds.TooEarly.selector, from));
        open();
        vm.warp(from);
        open();
        assertEq(rounds.current(), 2);
    }

    function test_interval_counts_from_an_abort_that_nobody_settled() external {
        found(4);
        open();
        uint256 end = rounds.round().closesAt;
        vm.warp(end + INTERVAL - 1);
        refused(abi.encodeWithSelector(IRounds.TooEarly.selector, end + INTERVAL));
        open();
        vm.warp(end + INTERVAL);
        vm.expectEmit(true, true, true, true, address(rounds));
        emit IRounds.RoundAborted(1, IRounds.AbortReason.TooFewUpdates, uint64(end));
        open();
    }

    function test_look_ahead_is_what_will_be() external {
        found(4);
        open();
        uint256[3] memory times = [START + 50, START + TRAINING, START + 5000];
        bytes32[3] memory seen;
        for (uint256 i = 0; i < 3; ++i) {
            seen[i] = keccak256(abi.encode(rounds.roundAt(uint64(times[i]))));
        }
        for (uint256 i = 0; i < 3; ++i) {
            vm.warp(times[i]);
            assertEq(keccak256(abi.encode(rounds.round())), seen[i]);
        }
        // The past can't be asked for: it is answered as the present.
        assertEq(keccak256(abi.encode(rounds.roundAt(uint64(START)))), seen[2]);
    }

    function test_running_round_refuses_an_opening() external {
        found(4);
        open();
        refused(abi.encodeWithSelector(IRounds.UnexpectedPhase.selector, 1, IRounds.Phase.Training, MAY_OPEN));
        open();
        submitAll(4);
        refused(abi.encodeWithSelector(IRounds.UnexpectedPhase.selector, 1, IRounds.Phase.Aggregation, MAY_OPEN));
        open();
        publish(0, result(1));
        refused(abi.encodeWithSelector(IRounds.UnexpectedPhase.selector, 1, IRounds.Phase.Attestation, MAY_OPEN));
        open();
    }

    function test_only_operators_open() external {
        found(2);
        refused(abi.encodeWithSelector(IMembership.NotOperator.selector, holder(1)));
        vm.prank(holder(1));
        rounds.open();
        refused(abi.encodeWithSelector(IMembership.NotOperator.selector, operator(3)));
        vm.prank(operator(3));
        rounds.open();
    }

    function test_nothing_opens_before_all_founders_are_there() external {
        deploy(2);
        activate(1);
        refused(abi.encodeWithSelector(IMembership.StillFounding.selector, 1, START + 7 days));
        open();
        activate(2);
        open();
    }

    function test_founding_ends_after_a_week() external {
        deploy(2);
        activate(1);
        vm.warp(START + 7 days - 1);
        refused(abi.encodeWithSelector(IMembership.StillFounding.selector, 1, START + 7 days));
        open();
        vm.warp(START + 7 days);
        open();
        assertEq(uint256(rounds.round().members), 1);
    }

    function test_pause_stops_openings_only() external {
        found(4);
        open();
        byVote();
        rounds.setPaused(true);
        assertTrue(rounds.paused());
        submitAll(4);
        finalise();
        vm.warp(block.timestamp + INTERVAL);
        refused(abi.encodeWithSelector(IRounds.OpeningPaused.selector));
        open();
        byVote();
        rounds.setPaused(false);
        open();
    }

    function test_rounds_rest_when_the_policy_says_so() external {
        found(2);
        IRounds.Params memory params = defaultParams();
        params.rounds = 2;
        setPolicy(params, GENESIS);
        runRound(2);
        runRound(2);
        vm.warp(block.timestamp + INTERVAL);
        refused(abi.encodeWithSelector(IRounds.Resting.selector, 2));
        open();
        setPolicy(params, GENESIS);
        open();
        (,,, uint256 lastRound) = rounds.policy();
        assertEq(lastRound, 4);
    }

    function test_too_few_members_for_the_minimum() external {
        found(2);
        IRounds.Params memory params = defaultParams();
        params.minimum = 3;
        setPolicy(params, GENESIS);
        refused(abi.encodeWithSelector(IRounds.TooFewMembers.selector, 2, 3));
        open();
    }

    // ---- policy

    function test_attack_policy_change_during_a_round() external {
        found(4);
        open();
        bytes32 before = rounds.policyInForce();
        IRounds.Params memory params = defaultParams();
        params.publishing = 7;
        params.attesting = 8;
        params.maxTurns = 1;
        setPolicy(params, GENESIS);
        assertEq(rounds.policyInForce(), before);
        submitAll(4);
        assertEq(uint256(rounds.round().until), block.timestamp + PUBLISHING);
        assertEq(rounds.turns().length, 3);
        finalise();
        openAgain();
        (bytes32 hash,,,) = rounds.policy();
        assertEq(rounds.policyInForce(), hash);
        assertEq(rounds.round().base, result(1)); // the same genesis: the base goes on
        assertEq(uint256(rounds.round().publishWindow), 7);
        assertEq(uint256(rounds.round().attestWindow), 8);
        assertEq(uint256(rounds.round().maxTurns), 1);
    }

    function test_other_genesis_restarts_the_base() external {
        found(4);
        runRound(4);
        bytes32 other = keccak256("other genesis");
        setPolicy(defaultParams(), other);
        assertEq(rounds.base(), result(1));
        openAgain();
        assertEq(rounds.round().base, other);
        assertEq(rounds.finalised(), 0);
        submitAll(4);
        finalise();
        assertEq(rounds.finalised(), 1);
        assertEq(rounds.base(), result(2));
    }

    function test_genesis_there_and_back_before_an_opening_changes_nothing() external {
        found(4);
        runRound(4);
        setPolicy(defaultParams(), keccak256("other genesis"));
        setPolicy(defaultParams(), GENESIS);
        openAgain();
        assertEq(rounds.round().base, result(1));
        assertEq(rounds.finalised(), 1);
    }

    function test_policy_hash_is_as_written() external {
        found(1);
        IRounds.Params memory p = defaultParams();
        bytes32 expected = keccak256(
            abi.encode(
                keccak256(bytes(JSON)),
                uint256(p.training),
                uint256(p.publishing),
                uint256(p.attesting),
                uint256(p.interval),
                uint256(p.minimum),
                uint256(p.maxTurns),
                uint256(p.rounds),
                GENESIS
            )
        );
        (bytes32 hash,, bytes32 genesis, uint256 lastRound) = rounds.policy();
        assertEq(hash, expected);
        assertEq(genesis, GENESIS);
        assertEq(lastRound, 1000);
    }

    function test_policy_event_carries_all_of_it() external {
        found(1);
        (bytes32 previous,,,) = rounds.policy();
        IRounds.Params memory params = defaultParams();
        params.maxTurns = 8;
        bytes32 genesis = keccak256("g");
        bytes32 hash = keccak256(abi.encode(keccak256("{}"), params, genesis));
        vm.expectEmit(true, true, true, true, address(rounds));
        emit IRounds.PolicySet(hash, previous, params, genesis, "{}");
        byVote();
        rounds.setPolicy(previous, "{}", params, genesis);
    }

    function test_policy_refuses_another_predecessor() external {
        found(1);
        (bytes32 hash,,,) = rounds.policy();
        bytes32 wrong = keccak256("wrong");
        refused(abi.encodeWithSelector(IRounds.WrongPolicy.selector, hash, wrong));
        byVote();
        rounds.setPolicy(wrong, "{}", defaultParams(), GENESIS);
    }

    function test_only_a_vote_changes_policy_and_pause() external {
        found(1);
        (bytes32 hash,,,) = rounds.policy();
        refused(abi.encodeWithSelector(IRounds.OnlyGovernance.selector, address(this)));
        rounds.setPolicy(hash, "{}", defaultParams(), GENESIS);
        refused(abi.encodeWithSelector(IRounds.OnlyGovernance.selector, address(this)));
        rounds.setPaused(true);
    }

    function test_params_have_hard_bounds() external {
        found(1);
        IRounds.Params memory p = defaultParams();
        p.training = 0;
        _outOfBounds(p, "training", 0, 1, 30 days);
        p.training = 30 days + 1;
        _outOfBounds(p, "training", 30 days + 1, 1, 30 days);
        p = defaultParams();
        p.publishing = 0;
        _outOfBounds(p, "publishing", 0, 1, 30 days);
        p.publishing = 30 days + 1;
        _outOfBounds(p, "publishing", 30 days + 1, 1, 30 days);
        p = defaultParams();
        p.attesting = 0;
        _outOfBounds(p, "attesting", 0, 1, 30 days);
        p.attesting = 30 days + 1;
        _outOfBounds(p, "attesting", 30 days + 1, 1, 30 days);
        p = defaultParams();
        p.interval = 30 days + 1;
        _outOfBounds(p, "interval", 30 days + 1, 0, 30 days);
        p = defaultParams();
        p.minimum = 0;
        _outOfBounds(p, "minimum", 0, 1, type(uint32).max);
        p = defaultParams();
        p.maxTurns = 0;
        _outOfBounds(p, "maxTurns", 0, 1, 8);
        p.maxTurns = 9;
        _outOfBounds(p, "maxTurns", 9, 1, 8);
        p = defaultParams();
        p.rounds = 0;
        _outOfBounds(p, "rounds", 0, 1, type(uint24).max);
        (bytes32 hash,,,) = rounds.policy();
        refused(abi.encodeWithSelector(IRounds.EmptyGenesis.selector));
        byVote();
        rounds.setPolicy(hash, JSON, defaultParams(), 0);
    }

    function _outOfBounds(IRounds.Params memory p, string memory param, uint256 value, uint256 least, uint256 most) private {
        (bytes32 hash,,,) = rounds.policy();
        refused(abi.encodeWithSelector(IRounds.ParamOutOfBounds.selector, param, value, least, most));
        byVote();
        rounds.setPolicy(hash, JSON, p, GENESIS);
    }

    // ---- wiring and succession

    function test_rounds_refuse_partners_that_do_not_name_each_other() external {
        deploy(1);
        Membership other = newMembership(_one(holder(9)), address(governance), address(0xdead));
        refused(abi.encodeWithSelector(IRounds.WrongWiring.selector, address(other), address(membership)));
        newRounds(address(other), address(governance), GENESIS);

        refused(abi.encodeWithSelector(IRounds.WrongWiring.selector, address(this), address(governance)));
        newRounds(address(membership), address(this), GENESIS);

        uint256 nonce = vm.getNonce(address(this));
        Membership misled = newMembership(_one(holder(9)), vm.computeCreateAddress(address(this), nonce + 1), address(0xdead));
        Governance its = newGovernance(misled, 0, 100, 0);
        address predicted = vm.computeCreateAddress(address(this), nonce + 2);
        refused(abi.encodeWithSelector(IRounds.WrongWiring.selector, predicted, address(0xdead)));
        newRounds(address(misled), address(its), GENESIS);
    }

    function test_successor_continues_the_numbers() external {
        found(2);
        runRound(2);
        openAgain();
        Rounds successor = newRounds(address(membership), address(governance), result(1));
        vm.expectEmit(true, true, true, true, address(successor));
        emit IRounds.Succeeded(2);
        vm.expectEmit(true, true, true, true, address(membership));
        emit IMembership.RoundsReplaced(address(successor), address(rounds), 2);
        byVote();
        membership.setRounds(address(successor));

        refused(abi.encodeWithSelector(IMembership.OnlyRounds.selector, address(rounds)));
        vm.warp(block.timestamp + 1000);
        open();

        rounds = successor;
        for (uint256 id = 1; id <= 2; ++id) {
            secretIndex[id] = 0;
            vm.prank(operator(id));
            rounds.recommit(commitment(id, 0));
        }
        open();
        assertEq(rounds.current(), 3);
        submitAll(2);
        finalise();
        assertEq(rounds.base(), result(3));
        (,,, uint256 lastRound) = rounds.policy();
        assertEq(lastRound, 1002);
    }

    function test_successor_needs_the_same_partners_and_no_past() external {
        found(2);
        open();
        refused(abi.encodeWithSelector(IMembership.WrongWiring.selector, address(rounds), address(rounds)));
        byVote();
        membership.setRounds(address(rounds));

        refused(abi.encodeWithSelector(IRounds.OnlyMembership.selector, address(this)));
        rounds.succeed(5);
        refused(abi.encodeWithSelector(IRounds.AlreadyStarted.selector, 1));
        vm.prank(address(membership));
        rounds.succeed(5);
        refused(abi.encodeWithSelector(IMembership.OnlyGovernance.selector, address(this)));
        membership.setRounds(address(1));
    }

    function test_successor_of_another_federation_is_refused() external {
        found(1);
        address stranger = address(new Imposter(address(this), address(governance)));
        refused(abi.encodeWithSelector(IMembership.WrongWiring.selector, address(membership), address(this)));
        byVote();
        membership.setRounds(stranger);
        stranger = address(new Imposter(address(membership), address(this)));
        refused(abi.encodeWithSelector(IMembership.WrongWiring.selector, address(governance), address(this)));
        byVote();
        membership.setRounds(stranger);
        assertEq(membership.rounds(), address(rounds));
    }

    function test_hooks_are_for_membership_only() external {
        found(1);
        refused(abi.encodeWithSelector(IRounds.OnlyMembership.selector, address(this)));
        rounds.register(1, keccak256("x"));
        refused(abi.encodeWithSelector(IRounds.OnlyMembership.selector, address(this)));
        rounds.departed(1, true);
    }

    function _one(address a) private pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = a;
    }
}

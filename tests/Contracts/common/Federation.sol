// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IRounds} from "../../../contracts/interfaces/IRounds.sol";
import {Governance, Membership, Rounds} from "./Contracts.sol";
import {Test} from "./Test.sol";

/// @dev A federation whose members do as they are told.
abstract contract Federation is Test {
    Membership internal membership;
    Governance internal governance;
    Rounds internal rounds;

    /// @dev Keys of the members' accounts, less their ids.
    uint256 internal constant OPERATOR_KEY = 1_000_000;
    uint256 internal constant HOLDER_KEY = 2_000_000;

    uint256 internal constant START = 1_800_000_000;
    uint32 internal constant TRAINING = 100;
    uint32 internal constant PUBLISHING = 50;
    uint32 internal constant ATTESTING = 40;
    uint32 internal constant INTERVAL = 10;
    string internal constant JSON = "{\"v\":1}";
    bytes32 internal constant GENESIS = keccak256("genesis");

    /// @dev Index of the commitment that the member has to open next, as its peer would know.
    mapping(uint256 id => uint256) internal secretIndex;

    function defaultParams() internal pure returns (IRounds.Params memory) {
        return IRounds.Params(TRAINING, PUBLISHING, ATTESTING, INTERVAL, 1, 3, 1000);
    }

    function deploy(uint256 founders) internal {
        vm.warp(START);
        address[] memory holders = new address[](founders);
        for (uint256 i = 0; i < founders; ++i) {
            holders[i] = holder(i + 1);
        }
        uint256 nonce = vm.getNonce(address(this));
        membership =
            newMembership(holders, vm.computeCreateAddress(address(this), nonce + 1), vm.computeCreateAddress(address(this), nonce + 2));
        governance = newGovernance(membership, 0, 100, 50);
        rounds = newRounds(address(membership), address(governance), GENESIS);
    }

    // The release build is what is tested: it need not be compiled again with each test file, and SolidityTests.cs checks that it is fresh.

    function newMembership(address[] memory founders, address governance_, address rounds_) internal returns (Membership) {
        return Membership(_deploy("Membership", abi.encode(founders, governance_, rounds_)));
    }

    function newGovernance(Membership membership_, uint48 votingDelay, uint32 votingPeriod, uint32 executionDelay)
        internal
        returns (Governance)
    {
        return Governance(_deploy("Governance", abi.encode(membership_, votingDelay, votingPeriod, executionDelay)));
    }

    function newRounds(address membership_, address governance_, bytes32 genesis) internal returns (Rounds) {
        return Rounds(_deploy("Rounds", abi.encode(membership_, governance_, JSON, defaultParams(), genesis)));
    }

    function _deploy(string memory name, bytes memory arguments) private returns (address deployed) {
        bytes memory code = bytes.concat(_code(name), arguments);
        assembly ("memory-safe") {
            deployed := create(0, add(code, 0x20), mload(code))
            if iszero(deployed) {
                returndatacopy(mload(0x40), 0, returndatasize())
                revert(mload(0x40), returndatasize())
            }
        }
    }

    /// @dev The release build; or, to measure coverage, what the test runner compiled and instrumented.
    function _code(string memory name) private view returns (bytes memory) {
        if (vm.envOr("FEDCHAIN_COVERAGE", false)) return vm.getCode(string.concat(name, ".sol:", name));
        return vm.parseJsonBytes(vm.readFile(string.concat("contracts/release/", name, ".json")), ".bytecode");
    }

    function activate(uint256 id) internal {
        vm.prank(holder(id));
        membership.activate(profile(id), operator(id), commitment(id, 0));
    }

    function found(uint256 founders) internal {
        deploy(founders);
        for (uint256 id = 1; id <= founders; ++id) {
            activate(id);
        }
    }

    /// @dev As a vote would have it.
    function byVote() internal {
        vm.prank(address(governance));
    }

    function setPolicy(IRounds.Params memory params, bytes32 genesis) internal {
        (bytes32 previous,,,) = rounds.policy();
        byVote();
        rounds.setPolicy(previous, JSON, params, genesis);
    }

    /// @dev A newcomer applies and is admitted.
    function join() internal returns (uint256 id) {
        id = membership.lastId() + 1;
        vm.prank(holder(id));
        (, bytes32 application) = membership.applyForSeat(profile(id), operator(id), commitment(id, 0));
        byVote();
        membership.admit(id, application);
    }

    // ---- keys and secrets

    function holder(uint256 id) internal pure returns (address) {
        return vm.addr(HOLDER_KEY + id);
    }

    function operator(uint256 id) internal pure returns (address) {
        return vm.addr(OPERATOR_KEY + id);
    }

    function profile(uint256 id) internal pure returns (string memory) {
        return string.concat("{\"name\":\"", vm.toString(id), "\",\"v\":1}");
    }

    function secret(uint256 id, uint256 index) internal pure returns (bytes32) {
        return keccak256(abi.encode("secret", id, index));
    }

    function commitment(uint256 id, uint256 index) internal view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(rounds), id, secret(id, index)));
    }

    function manifest(uint256 round, uint256 id) internal pure returns (bytes32) {
        return keccak256(abi.encode("manifest", round, id));
    }

    // ---- rounds

    function open() internal {
        vm.prank(operator(1));
        rounds.open();
    }

    function openAgain() internal {
        uint256 from = rounds.round().since + INTERVAL;
        if (from > block.timestamp) vm.warp(from);
        open();
    }

    struct Submission {
        uint256 id;
        uint256 round;
        bytes32 policy;
        bytes32 base;
        bytes32 manifest;
        bytes32 secret;
        bytes32 nextCommitment;
    }

    /// @dev What the member would submit now.
    function submission(uint256 id) internal view returns (Submission memory) {
        uint256 round = rounds.current();
        return Submission({
            id: id,
            round: round,
            policy: rounds.policyInForce(),
            base: rounds.base(),
            manifest: manifest(round, id),
            secret: secret(id, secretIndex[id]),
            nextCommitment: commitment(id, rounds.member(id).commitments)
        });
    }

    function send(Submission memory s) internal {
        vm.prank(operator(s.id));
        rounds.submit(s.round, s.policy, s.base, s.manifest, s.secret, s.nextCommitment);
    }

    function submit(uint256 id) internal {
        Submission memory s = submission(id);
        uint256 made = rounds.member(id).commitments;
        send(s);
        secretIndex[id] = made;
    }

    function submitAll(uint256 n) internal {
        for (uint256 id = 1; id <= n; ++id) {
            submit(id);
        }
    }

    function aggregator(uint256 turn) internal view returns (uint256) {
        return rounds.turns()[turn];
    }

    /// @dev The aggregator of the turn publishes.
    function publish(uint256 turn, bytes32 aggregate) internal returns (bytes32 candidate) {
        uint256 round = rounds.current();
        uint256 id = aggregator(turn);
        bytes32 digest = keccak256(abi.encode("global", round, turn));
        candidate = keccak256(abi.encode(round, turn, rounds.round().set, digest, aggregate));
        vm.prank(operator(id));
        rounds.publish(round, turn, digest, aggregate);
    }

    function attest(uint256 id, uint256 turn, bytes32 candidate, bool valid) internal {
        uint256 round = rounds.current();
        vm.prank(operator(id));
        rounds.attest(round, turn, candidate, valid);
    }

    /// @dev A signed vote, by the operator key that the member had at first.
    function _sign(uint256 id, uint256 round, uint256 turn, bytes32 about, bool valid)
        internal
        view
        returns (IRounds.SignedAttestation memory)
    {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("FedChain"),
                keccak256("1"),
                block.chainid,
                address(rounds)
            )
        );
        bytes32 type_ = keccak256("Attestation(uint256 round,uint256 turn,bytes32 candidate,bool valid)");
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", domain, keccak256(abi.encode(type_, round, turn, about, valid))));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(OPERATOR_KEY + id, digest);
        return IRounds.SignedAttestation(valid, abi.encodePacked(r, s, v));
    }

    function result(uint256 round) internal pure returns (bytes32) {
        return keccak256(abi.encode("aggregate", round));
    }

    /// @dev From the close to the result, in the first turn.
    function finalise() internal {
        bytes32 candidate = publish(0, result(rounds.current()));
        uint256 first = aggregator(0);
        for (uint256 i = 0; rounds.round().phase == IRounds.Phase.Attestation; ++i) {
            uint256 id = rounds.submitter(i);
            if (id != first) attest(id, 0, candidate, true);
        }
    }

    /// @dev Opens a round, has the members 1..n submit, and finalises it in the first turn.
    function runRound(uint256 n) internal {
        if (rounds.current() == 0) open();
        else openAgain();
        submitAll(n);
        if (block.timestamp < rounds.round().closesAt) vm.warp(rounds.round().closesAt);
        finalise();
    }

    function assertPhase(IRounds.Phase phase) internal view {
        assertEq(uint256(rounds.round().phase), uint256(phase));
    }

    function assertPhase(IRounds.Phase phase, uint256 turn) internal view {
        assertPhase(phase);
        assertEq(uint256(rounds.round().turn), turn);
    }

    /// @dev The only one of a contract's first slots that holds the value.
    function _slotOf(address target, uint256 value) internal view returns (uint256 slot) {
        uint256 hits;
        for (uint256 i = 0; i < 40; ++i) {
            if (uint256(vm.load(target, bytes32(i))) != value) continue;
            (slot, hits) = (i, hits + 1);
        }
        assertEq(hits, 1);
    }

    /// @dev The next call has to revert with exactly this.
    function refused(bytes memory reason) internal {
        vm.expectRevert(reason);
    }

    function phases(IRounds.Phase phase) internal pure returns (uint256) {
        return 1 << uint256(phase);
    }
}

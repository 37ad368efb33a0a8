// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {IERC721Receiver} from "@openzeppelin/contracts/token/ERC721/IERC721Receiver.sol";
import {IGovernance} from "../../contracts/interfaces/IGovernance.sol";
import {IMembership} from "../../contracts/interfaces/IMembership.sol";
import {IRounds} from "../../contracts/interfaces/IRounds.sol";
import {Voting} from "./common/Voting.sol";

/// @dev A holder, and the target of a proposal, that calls back as soon as it is called.
contract Receiver is IERC721Receiver {
    uint256 public received;
    uint256 public executed;
    uint256 public succeeded;
    bytes[] private attempts;
    address private immutable target;

    constructor(address target_) {
        target = target_;
    }

    function call(address to, bytes calldata data) external {
        (bool ok,) = to.call(data);
        require(ok);
    }

    function plan(bytes calldata attempt) external {
        attempts.push(attempt);
    }

    function onERC721Received(address, address, uint256, bytes calldata) external returns (bytes4) {
        ++received;
        return this.onERC721Received.selector;
    }

    function run() external {
        ++executed;
        for (uint256 i = 0; i < attempts.length; ++i) {
            (bool ok,) = target.call(attempts[i]);
            if (ok) ++succeeded;
        }
    }
}

/// @dev Attempts to decide without a majority, or something else than a majority did.
contract AttacksOnVotesTest is Voting {
    function test_attack_sybil_admitted_by_one_vote_of_three() external {
        _founded(3);
        vm.prank(holder(4));
        (uint256 id, bytes32 application) = membership.applyForSeat(profile(4), operator(4), commitment(4, 0));
        calls[0] = abi.encodeCall(IMembership.admit, (id, application));
        uint256 proposal = _passed(1);
        assertState(proposal, IGovernor.ProposalState.Defeated);
        refused(
            abi.encodeWithSelector(
                IGovernor.GovernorUnexpectedProposalState.selector, proposal, IGovernor.ProposalState.Defeated, bytes32(uint256(1 << 4))
            )
        );
        governance.queue(targets, values, calls, keccak256("p"));
        assertEq(membership.seatOf(holder(4)), 0);
    }

    function test_attack_delegation_to_gain_votes() external {
        _founded(3);
        bytes memory soulbound = abi.encodeWithSelector(IMembership.Soulbound.selector);
        refused(soulbound);
        vm.prank(holder(2));
        membership.delegate(holder(1));
        refused(soulbound);
        membership.delegateBySig(holder(1), 0, block.timestamp + 1, 27, 0, 0);
        refused(soulbound);
        vm.prank(holder(2));
        membership.transferFrom(holder(2), holder(1), 2);
        assertEq(membership.getVotes(holder(1)), 1);
    }

    /// @dev What passed is good for two weeks, and a policy only as the successor of the one that it was written for.
    function test_attack_executing_a_stale_proposal() external {
        _founded(3);
        (bytes32 previous,,,) = rounds.policy();
        targets[0] = address(rounds);
        calls[0] = abi.encodeCall(rounds.setPolicy, (previous, "{\"v\":2}", defaultParams(), GENESIS));
        _passed(2);
        governance.queue(targets, values, calls, keccak256("p"));
        uint256 start = governance.clock();
        setPolicy(defaultParams(), keccak256("another genesis"));
        (bytes32 since,,,) = rounds.policy();
        vm.warp(start + 50);
        refused(abi.encodeWithSelector(IRounds.WrongPolicy.selector, since, previous));
        governance.execute(targets, values, calls, keccak256("p"));
        vm.warp(start + 50 + 14 days);
        uint256 proposal = governance.latestProposal(1);
        refused(
            abi.encodeWithSelector(
                IGovernor.GovernorUnexpectedProposalState.selector, proposal, IGovernor.ProposalState.Expired, bytes32(uint256(1 << 5))
            )
        );
        governance.execute(targets, values, calls, keccak256("p"));
    }

    /// @dev Whoever opens just before gets one round under the old policy; the vote holds from the next, base and all.
    function test_attack_front_running_set_policy_with_open() external {
        _founded(3);
        (bytes32 previous,,,) = rounds.policy();
        bytes32 genesis = keccak256("another genesis");
        targets[0] = address(rounds);
        calls[0] = abi.encodeCall(rounds.setPolicy, (previous, JSON, defaultParams(), genesis));
        _passed(2);
        governance.queue(targets, values, calls, keccak256("p"));
        _wait(50);
        open();
        governance.execute(targets, values, calls, keccak256("p"));
        assertEq(rounds.policyInForce(), previous);
        submitAll(3);
        finalise();
        openAgain();
        (bytes32 policy,,,) = rounds.policy();
        assertEq(rounds.policyInForce(), policy);
        assertEq(rounds.round().base, genesis);
        assertEq(rounds.finalised(), 0);
    }

    /// @dev Nothing but what was voted on: every part of the call goes into the proposal's id, by which it is executed.
    function test_attack_proposal_that_calls_something_else_than_it_describes() external {
        _founded(3);
        uint256 proposal = _passed(2);
        governance.queue(targets, values, calls, keccak256("p"));
        _wait(50);
        bytes memory voted = calls[0];
        calls[0] = abi.encodeCall(IMembership.expel, (2));
        _assertUnknown();
        (calls[0], targets[0]) = (voted, address(rounds));
        _assertUnknown();
        targets[0] = address(membership);
        refused(_nonexistent(keccak256("another description")));
        governance.execute(targets, values, calls, keccak256("another description"));
        governance.execute(targets, values, calls, keccak256("p"));
        assertState(proposal, IGovernor.ProposalState.Executed);
    }

    function _assertUnknown() private {
        refused(_nonexistent(keccak256("p")));
        governance.execute(targets, values, calls, keccak256("p"));
    }

    function _nonexistent(bytes32 description) private view returns (bytes memory) {
        uint256 id = governance.hashProposal(targets, values, calls, description);
        return abi.encodeWithSelector(IGovernor.GovernorNonexistentProposal.selector, id);
    }

    /// @dev One live proposal a member, whatever it tries; the others' votes cost what they did.
    function test_attack_flood_of_proposals() external {
        _founded(3);
        uint256 first = _propose(1, "0");
        for (uint256 i = 1; i <= 20; ++i) {
            refused(abi.encodeWithSelector(IGovernance.LiveProposal.selector, 1, first));
            _propose(1, vm.toString(i));
        }
        for (uint256 i = 1; i <= 20; ++i) {
            vm.prank(holder(1));
            governance.cancel(targets, values, calls, keccak256(bytes(vm.toString(i - 1))));
            uint256 next = _propose(1, vm.toString(i));
            refused(abi.encodeWithSelector(IGovernance.LiveProposal.selector, 1, next));
            _propose(1, "more");
        }
        uint256 honest = _propose(2, "honest");
        _wait(1);
        _vote(2, honest, FOR);
        _vote(3, honest, FOR);
        _wait(100);
        assertState(honest, IGovernor.ProposalState.Succeeded);
    }

    /// @dev While votes are delayed, whoever proposed may cancel. A description that names its proposer is of no use to others.
    function test_attack_taking_anothers_proposal_to_cancel_it() external {
        _founded(3);
        string memory description = string.concat("p#proposer=", vm.toString(holder(1)));
        refused(abi.encodeWithSelector(IGovernor.GovernorRestrictedProposer.selector, holder(2)));
        _propose(2, description);
        uint256 proposal = _propose(1, description);
        refused(abi.encodeWithSelector(IGovernor.GovernorUnableToCancel.selector, proposal, holder(2)));
        vm.prank(holder(2));
        governance.cancel(targets, values, calls, keccak256(bytes(description)));
    }

    /// @dev Not stopped, but by whoever wakes: see docs/threat-model.md.
    function test_attack_retiring_a_sleeping_federation() external {
        _founded(4);
        _wait(180 days);
        for (uint256 id = 2; id <= 4; ++id) {
            membership.dormant(id);
        }
        _wait(29 days);
        vm.prank(operator(4));
        membership.wake();
        _wait(1 days);
        membership.dormant(2);
        membership.dormant(3);
        refused(abi.encodeWithSelector(IMembership.NotIdle.selector, 4, START + 10 + 389 days));
        membership.dormant(4);
        assertEq(membership.voters(), 2); // 1 alone is no majority, for 4 woke
        // They come back whenever they act.
        vm.prank(holder(2));
        membership.wake();
        assertEq(membership.voters(), 3);
    }

    /// @dev Not stopped, but by the next vote: an operator need not agree to be one, so a member can name an address that a vote is about.
    function test_attack_taking_the_address_that_was_voted_for() external {
        _founded(4);
        vm.prank(holder(5));
        (uint256 id, bytes32 application) = membership.applyForSeat(profile(5), operator(5), commitment(5, 0));
        _takeAsOperator(4, operator(5));
        refused(abi.encodeWithSelector(IMembership.AddressTaken.selector, operator(5), 4));
        byVote();
        membership.admit(id, application);
        _takeAsOperator(4, holder(9));
        refused(abi.encodeWithSelector(IMembership.AddressTaken.selector, holder(9), 4));
        byVote();
        membership.recover(3, holder(9));

        // Whoever does so has named itself, can't take back anything that was decided, and can be expelled by the others.
        byVote();
        membership.expel(4);
        byVote();
        membership.recover(3, holder(9));
        byVote();
        membership.admit(id, application);
        assertEq(membership.operatedBy(operator(5)), id);
    }

    function _takeAsOperator(uint256 id, address account) private {
        bytes32 next = commitment(id, rounds.member(id).commitments);
        vm.prank(holder(id));
        membership.setOperator(account, next);
    }

    /// @dev A contract may hold a seat and be called by a vote. It learns of neither in a way that it could use.
    function test_attack_reentrancy_from_a_receiver() external {
        _founded(2);
        Receiver receiver = new Receiver(address(governance));
        receiver.call(address(membership), abi.encodeCall(IMembership.applyForSeat, (profile(3), operator(3), commitment(3, 0))));
        bytes32 application = membership.applicationOf(3);
        byVote();
        membership.admit(3, application);
        assertEq(membership.ownerOf(3), address(receiver));
        assertEq(receiver.received(), 0); // minting calls nobody

        (targets[0], calls[0]) = (address(receiver), abi.encodeCall(Receiver.run, ()));
        receiver.plan(abi.encodeCall(IGovernor.execute, (targets, values, calls, keccak256("p"))));
        receiver.plan(abi.encodeCall(IGovernor.queue, (targets, values, calls, keccak256("p"))));
        receiver.plan(abi.encodeCall(IGovernance.setExecutionDelay, (0)));
        uint256 proposal = _propose(1, "p");
        receiver.plan(abi.encodeCall(IGovernor.castVote, (proposal, FOR)));
        _wait(1);
        _vote(1, proposal, FOR);
        _vote(2, proposal, FOR);
        _wait(100);
        governance.queue(targets, values, calls, keccak256("p"));
        _wait(50);
        governance.execute(targets, values, calls, keccak256("p"));
        assertEq(receiver.executed(), 1);
        assertEq(receiver.succeeded(), 0);
    }

    /// @dev Every call that a vote is needed for, or that only the federation's contracts make, by every kind of account.
    function test_attack_bypassing_a_vote_as_any_one_account() external {
        _founded(3);
        byVote();
        membership.grantAuditor(address(77), "age1xyz");
        vm.prank(holder(9));
        (uint256 id, bytes32 application) = membership.applyForSeat(profile(9), operator(9), keccak256("c"));
        (bytes32 policy,,,) = rounds.policy();
        address successor = address(newRounds(address(membership), address(governance), GENESIS));
        address[7] memory accounts = [address(this), holder(1), operator(1), holder(9), address(77), successor, address(0xbeef)];
        bytes[9] memory onMembership = [
            abi.encodeCall(IMembership.admit, (id, application)),
            abi.encodeCall(IMembership.expel, (2)),
            abi.encodeCall(IMembership.recover, (2, address(0xbeef))),
            abi.encodeCall(IMembership.grantAuditor, (address(78), "age1xyz")),
            abi.encodeCall(IMembership.revokeAuditor, (address(77))),
            abi.encodeCall(IMembership.setRounds, (successor)),
            abi.encodeCall(IMembership.voted, (holder(2))),
            abi.encodeCall(IMembership.dormant, (2)),
            abi.encodeWithSignature("safeTransferFrom(address,address,uint256)", holder(2), address(0xbeef), 2)
        ];
        bytes[5] memory onRounds = [
            abi.encodeCall(IRounds.setPolicy, (policy, "{}", defaultParams(), GENESIS)),
            abi.encodeCall(IRounds.setPaused, (true)),
            abi.encodeCall(IRounds.register, (2, keccak256("c"))),
            abi.encodeCall(IRounds.departed, (2, true)),
            abi.encodeCall(IRounds.succeed, (5))
        ];
        bytes[6] memory onGovernance = [
            abi.encodeCall(IGovernance.setExecutionDelay, (0)),
            abi.encodeWithSignature("setVotingDelay(uint48)", 0),
            abi.encodeWithSignature("setVotingPeriod(uint32)", 5),
            abi.encodeWithSignature("setProposalThreshold(uint256)", 1),
            abi.encodeWithSignature("relay(address,uint256,bytes)", address(membership), 0, onMembership[1]),
            abi.encodeCall(IGovernor.execute, (new address[](1), new uint256[](1), new bytes[](1), keccak256("p")))
        ];
        for (uint256 i = 0; i < accounts.length; ++i) {
            for (uint256 j = 0; j < onMembership.length; ++j) {
                _assertFails(accounts[i], address(membership), onMembership[j]);
            }
            for (uint256 j = 0; j < onRounds.length; ++j) {
                _assertFails(accounts[i], address(rounds), onRounds[j]);
            }
            for (uint256 j = 0; j < onGovernance.length; ++j) {
                _assertFails(accounts[i], address(governance), onGovernance[j]);
            }
        }
    }

    function _assertFails(address from, address to, bytes memory data) private {
        vm.prank(from);
        (bool ok,) = to.call(data);
        assertEq(ok, false);
    }
}

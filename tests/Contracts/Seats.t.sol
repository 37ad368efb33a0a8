// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IMembership} from "../../contracts/interfaces/IMembership.sol";
import {Membership} from "./common/Contracts.sol";
import {Federation} from "./common/Federation.sol";

contract SeatsTest is Federation {
    // ---- founding

    function test_constructor_tells_everything() external {
        vm.warp(START);
        address[] memory founders = new address[](2);
        (founders[0], founders[1]) = (holder(1), holder(2));
        address predicted = vm.computeCreateAddress(address(this), vm.getNonce(address(this)));
        vm.expectEmit(true, true, true, true, predicted);
        emit IMembership.FederationFounded(address(11), address(12), uint64(START + 7 days), founders);
        Membership m = newMembership(founders, address(11), address(12));
        assertEq(m.governance(), address(11));
        assertEq(m.rounds(), address(12));
        assertEq(m.deploymentBlock(), block.number);
        assertEq(uint256(m.foundingEndsAt()), START + 7 days);
        assertEq(m.lastId(), 2);
        assertEq(m.voters(), 0);
        assertEq(m.seatOf(holder(1)), 0);
        assertEq(m.seat(1).holder, address(0));
    }

    function test_constructor_refuses_nobody_twice_and_zero() external {
        refused(abi.encodeWithSelector(IMembership.NoFounders.selector));
        newMembership(new address[](0), address(1), address(2));
        address[] memory founders = new address[](2);
        founders[0] = holder(1);
        refused(abi.encodeWithSelector(IMembership.ZeroAddress.selector));
        newMembership(founders, address(1), address(2));
        founders[1] = holder(1);
        refused(abi.encodeWithSelector(IMembership.AddressTaken.selector, holder(1), 1));
        newMembership(founders, address(1), address(2));
        founders[1] = holder(2);
        refused(abi.encodeWithSelector(IMembership.ZeroAddress.selector));
        newMembership(founders, address(0), address(2));
        refused(abi.encodeWithSelector(IMembership.ZeroAddress.selector));
        newMembership(founders, address(1), address(0));
    }

    function test_founder_activates() external {
        deploy(2);
        bytes32 committed = commitment(2, 0);
        vm.expectEmit(true, true, true, true, address(membership));
        emit IMembership.SeatActivated(2, holder(2), operator(2), 1, keccak256(bytes(profile(2))));
        vm.expectEmit(true, true, true, true, address(membership));
        emit IMembership.ProfileUpdated(2, keccak256(bytes(profile(2))), profile(2));
        vm.prank(holder(2));
        membership.activate(profile(2), operator(2), committed);
        IMembership.Seat memory s = membership.seat(2);
        assertEq(s.holder, holder(2));
        assertEq(s.operator, operator(2));
        assertEq(uint256(s.activeFrom), 1);
        assertEq(uint256(s.seenAt), START);
        assertEq(s.profileHash, keccak256(bytes(profile(2))));
        assertEq(membership.voters(), 1);
        assertEq(membership.ownerOf(2), holder(2));
        assertEq(membership.getVotes(holder(2)), 1);
        assertEq(membership.seatOf(holder(2)), 2);
        assertEq(membership.seatOf(operator(2)), 2);
        assertEq(membership.operatedBy(operator(2)), 2);
        assertEq(membership.operatedBy(holder(2)), 0);
        assertEq(rounds.member(2).commitment, committed);
        assertEq(uint256(rounds.member(2).commitments), 1);
    }

    function test_only_founders_activate_and_once() external {
        deploy(2);
        refused(abi.encodeWithSelector(IMembership.NotFounder.selector, address(this)));
        membership.activate(profile(1), operator(1), keccak256("c"));
        activate(1);
        refused(abi.encodeWithSelector(IMembership.NotFounder.selector, holder(1)));
        vm.prank(holder(1));
        membership.activate(profile(1), operator(1), keccak256("c"));
        activate(2);
        vm.prank(holder(1));
        membership.resign();
        refused(abi.encodeWithSelector(IMembership.NotFounder.selector, holder(1)));
        vm.prank(holder(1));
        membership.activate(profile(1), operator(1), keccak256("c"));
    }

    function test_founders_come_within_a_week() external {
        deploy(2);
        activate(1);
        vm.warp(START + 7 days);
        refused(abi.encodeWithSelector(IMembership.FoundingOver.selector, START + 7 days));
        vm.prank(holder(2));
        membership.activate(profile(2), operator(2), keccak256("c"));
        // It may apply as anybody else, for another seat.
        uint256 id = membership.lastId() + 1;
        vm.prank(holder(2));
        (, bytes32 application) = membership.applyForSeat(profile(2), operator(2), commitment(id, 0));
        byVote();
        membership.admit(id, application);
        assertEq(membership.seatOf(holder(2)), 3);
    }

    function test_founders_addresses_are_kept_for_them() external {
        deploy(2);
        refused(abi.encodeWithSelector(IMembership.AddressTaken.selector, holder(2), 2));
        vm.prank(holder(1));
        membership.activate(profile(1), holder(2), keccak256("c"));
        refused(abi.encodeWithSelector(IMembership.AddressTaken.selector, holder(2), 2));
        vm.prank(holder(2));
        membership.applyForSeat(profile(2), operator(2), keccak256("c"));
    }

    function test_activation_refuses_what_is_empty() external {
        deploy(1);
        refused(abi.encodeWithSelector(IMembership.ZeroAddress.selector));
        vm.prank(holder(1));
        membership.activate(profile(1), address(0), keccak256("c"));
        refused(abi.encodeWithSelector(IMembership.ProfileLength.selector, 1, 2, 16_384));
        vm.prank(holder(1));
        membership.activate("{", operator(1), keccak256("c"));
        refused(abi.encodeWithSelector(IMembership.ProfileLength.selector, 16_385, 2, 16_384));
        vm.prank(holder(1));
        membership.activate(string(new bytes(16_385)), operator(1), keccak256("c"));
        refused(abi.encodeWithSelector(IMembership.EmptyCommitment.selector));
        vm.prank(holder(1));
        membership.activate(profile(1), operator(1), 0);
    }

    function test_holder_may_be_its_own_operator() external {
        deploy(1);
        bytes32 committed = commitment(1, 0);
        vm.prank(holder(1));
        membership.activate(profile(1), holder(1), committed);
        assertEq(membership.operatedBy(holder(1)), 1);
        vm.prank(holder(1));
        membership.setOperator(operator(1), committed);
        assertEq(membership.operatedBy(holder(1)), 0);
        assertEq(membership.seatOf(holder(1)), 1);
        vm.prank(holder(1));
        membership.setOperator(holder(1), committed);
        assertEq(membership.seatOf(operator(1)), 0);
        assertEq(membership.operatedBy(holder(1)), 1);
    }

    // ---- joining

    function test_application_is_told_and_admitted_as_it_is() external {
        found(1);
        bytes32 committed = commitment(2, 0);
        bytes32 expected = keccak256(
            abi.encode(block.chainid, address(membership), uint256(2), holder(2), operator(2), keccak256(bytes(profile(2))), committed)
        );
        vm.expectEmit(true, true, true, true, address(membership));
        emit IMembership.Applied(2, holder(2), operator(2), committed, expected, profile(2));
        vm.prank(holder(2));
        (uint256 id, bytes32 application) = membership.applyForSeat(profile(2), operator(2), committed);
        assertEq(id, 2);
        assertEq(application, expected);
        assertEq(membership.applicationOf(2), expected);
        assertEq(membership.seatOf(holder(2)), 0);

        refused(abi.encodeWithSelector(IMembership.UnknownApplication.selector, 2, keccak256("other")));
        byVote();
        membership.admit(2, keccak256("other"));
        refused(abi.encodeWithSelector(IMembership.OnlyGovernance.selector, address(this)));
        membership.admit(2, application);
        vm.expectEmit(true, true, true, true, address(membership));
        emit IMembership.SeatActivated(2, holder(2), operator(2), 1, keccak256(bytes(profile(2))));
        byVote();
        membership.admit(2, application);
        assertEq(membership.voters(), 2);
        assertEq(rounds.member(2).commitment, committed);
        assertEq(membership.applicationOf(2), 0);
        refused(abi.encodeWithSelector(IMembership.UnknownApplication.selector, 2, application));
        byVote();
        membership.admit(2, application);
    }

    function test_applications_need_free_addresses() external {
        found(2);
        refused(abi.encodeWithSelector(IMembership.AddressTaken.selector, holder(1), 1));
        vm.prank(holder(1));
        membership.applyForSeat(profile(3), operator(3), keccak256("c"));
        refused(abi.encodeWithSelector(IMembership.AddressTaken.selector, operator(2), 2));
        vm.prank(holder(3));
        membership.applyForSeat(profile(3), operator(2), keccak256("c"));
        refused(abi.encodeWithSelector(IMembership.EmptyCommitment.selector));
        vm.prank(holder(3));
        membership.applyForSeat(profile(3), operator(3), 0);
        // An address that was free when it applied, and is taken when it is admitted.
        vm.prank(holder(3));
        (uint256 id, bytes32 application) = membership.applyForSeat(profile(3), operator(3), keccak256("c"));
        vm.prank(holder(1));
        membership.setOperator(operator(3), keccak256("d"));
        refused(abi.encodeWithSelector(IMembership.AddressTaken.selector, operator(3), 1));
        byVote();
        membership.admit(id, application);
    }

    /// @dev Rounds keeps ids in 32 bits: one more would be taken for another member.
    function test_ids_end_at_32_bits() external {
        found(1);
        for (uint256 i = 0; i < 12; ++i) {
            _apply();
        }
        uint256 slot = _slotOf(address(membership), 13);
        vm.store(address(membership), bytes32(slot), bytes32(uint256(type(uint32).max - 1)));
        _apply();
        assertEq(membership.lastId(), type(uint32).max);
        refused(abi.encodeWithSignature("SafeCastOverflowedUintDowncast(uint8,uint256)", 32, 2 ** 32));
        _apply();
    }

    function _apply() private {
        vm.prank(holder(2));
        membership.applyForSeat(profile(2), operator(2), keccak256("c"));
    }

    // ---- by the member

    function test_holder_names_another_operator() external {
        found(2);
        bytes32 committed = commitment(1, 1);
        vm.expectEmit(true, true, true, true, address(membership));
        emit IMembership.OperatorChanged(1, operator(7), operator(1));
        vm.prank(holder(1));
        membership.setOperator(operator(7), committed);
        assertEq(membership.operatedBy(operator(7)), 1);
        assertEq(membership.seatOf(operator(1)), 0);
        assertEq(uint256(rounds.member(1).commitments), 2);
        refused(abi.encodeWithSelector(IMembership.NotHolder.selector, operator(7)));
        vm.prank(operator(7));
        membership.setOperator(operator(8), committed);
        refused(abi.encodeWithSelector(IMembership.AddressTaken.selector, operator(2), 2));
        vm.prank(holder(1));
        membership.setOperator(operator(2), committed);
        refused(abi.encodeWithSelector(IMembership.AddressTaken.selector, holder(2), 2));
        vm.prank(holder(1));
        membership.setOperator(holder(2), committed);
    }

    function test_profile_is_updated_by_either_key() external {
        found(1);
        vm.expectEmit(true, true, true, true, address(membership));
        emit IMembership.ProfileUpdated(1, keccak256("{\"v\":2}"), "{\"v\":2}");
        vm.prank(operator(1));
        membership.updateProfile("{\"v\":2}");
        assertEq(membership.seat(1).profileHash, keccak256("{\"v\":2}"));
        vm.prank(holder(1));
        membership.updateProfile("{\"v\":3}");
        assertEq(membership.seat(1).profileHash, keccak256("{\"v\":3}"));
        refused(abi.encodeWithSelector(IMembership.NotMember.selector, address(this)));
        membership.updateProfile("{}");
    }

    function test_resignation_frees_addresses_and_burns() external {
        found(2);
        vm.expectEmit(true, true, true, true, address(membership));
        emit IMembership.SeatVacated(2, holder(2), false);
        vm.prank(holder(2));
        membership.resign();
        assertEq(membership.seat(2).holder, address(0));
        assertEq(membership.seatOf(holder(2)), 0);
        assertEq(membership.seatOf(operator(2)), 0);
        assertEq(membership.voters(), 1);
        assertEq(membership.getVotes(holder(2)), 0);
        refused(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 2));
        membership.ownerOf(2);
        refused(abi.encodeWithSelector(IMembership.NotHolder.selector, holder(2)));
        vm.prank(holder(2));
        membership.resign();
        // Back with another id.
        assertEq(join(), 3);
    }

    function test_operator_cannot_resign() external {
        found(2);
        refused(abi.encodeWithSelector(IMembership.NotHolder.selector, operator(2)));
        vm.prank(operator(2));
        membership.resign();
    }

    function test_last_member_stays() external {
        found(2);
        byVote();
        membership.expel(1);
        refused(abi.encodeWithSelector(IMembership.LastMember.selector, 2));
        vm.prank(holder(2));
        membership.resign();
        refused(abi.encodeWithSelector(IMembership.LastMember.selector, 2));
        byVote();
        membership.expel(2);
    }

    // ---- by vote

    function test_expulsion() external {
        found(3);
        vm.expectEmit(true, true, true, true, address(membership));
        emit IMembership.SeatVacated(3, holder(3), true);
        byVote();
        membership.expel(3);
        assertEq(membership.voters(), 2);
        refused(abi.encodeWithSelector(IMembership.UnknownSeat.selector, 3));
        byVote();
        membership.expel(3);
        refused(abi.encodeWithSelector(IMembership.OnlyGovernance.selector, holder(1)));
        vm.prank(holder(1));
        membership.expel(2);
    }

    function test_recovery_moves_the_seat_to_another_holder() external {
        found(2);
        vm.warp(START + 10);
        vm.expectEmit(true, true, true, true, address(membership));
        emit IMembership.SeatRecovered(2, holder(9), holder(2));
        byVote();
        membership.recover(2, holder(9));
        assertEq(membership.ownerOf(2), holder(9));
        assertEq(membership.getVotes(holder(9)), 1);
        assertEq(membership.getVotes(holder(2)), 0);
        assertEq(membership.seatOf(holder(2)), 0);
        assertEq(membership.seat(2).operator, operator(2));
        assertEq(membership.voters(), 2);
        refused(abi.encodeWithSelector(IMembership.AddressTaken.selector, holder(1), 1));
        byVote();
        membership.recover(2, holder(1));
        refused(abi.encodeWithSelector(IMembership.ZeroAddress.selector));
        byVote();
        membership.recover(2, address(0));
        refused(abi.encodeWithSelector(IMembership.UnknownSeat.selector, 5));
        byVote();
        membership.recover(5, holder(9));
        refused(abi.encodeWithSelector(IMembership.OnlyGovernance.selector, address(this)));
        membership.recover(2, holder(9));
    }

    function test_recovery_to_the_seats_own_addresses() external {
        found(2);
        byVote();
        membership.recover(2, operator(2)); // the operator becomes the holder as well
        assertEq(membership.ownerOf(2), operator(2));
        assertEq(membership.seatOf(operator(2)), 2);
        assertEq(membership.seatOf(holder(2)), 0);
        byVote();
        membership.recover(2, operator(2)); // nothing changes
        assertEq(membership.seatOf(operator(2)), 2);
        byVote();
        membership.recover(2, holder(2)); // the operator keeps its role
        assertEq(membership.operatedBy(operator(2)), 2);
        assertEq(membership.seatOf(holder(2)), 2);
    }

    function test_auditors() external {
        found(1);
        vm.expectEmit(true, true, true, true, address(membership));
        emit IMembership.AuditorGranted(address(77), "age1xyz");
        byVote();
        membership.grantAuditor(address(77), "age1xyz");
        assertEq(membership.auditorRecipient(address(77)), keccak256("age1xyz"));
        byVote();
        membership.grantAuditor(address(77), "age1other");
        assertEq(membership.auditorRecipient(address(77)), keccak256("age1other"));
        vm.expectEmit(true, true, true, true, address(membership));
        emit IMembership.AuditorRevoked(address(77));
        byVote();
        membership.revokeAuditor(address(77));
        assertEq(membership.auditorRecipient(address(77)), 0);
        refused(abi.encodeWithSelector(IMembership.UnknownAuditor.selector, address(77)));
        byVote();
        membership.revokeAuditor(address(77));
        refused(abi.encodeWithSelector(IMembership.ZeroAddress.selector));
        byVote();
        membership.grantAuditor(address(0), "age1xyz");
        refused(abi.encodeWithSelector(IMembership.RecipientLength.selector, 0, 1, 4096));
        byVote();
        membership.grantAuditor(address(77), "");
        refused(abi.encodeWithSelector(IMembership.OnlyGovernance.selector, address(this)));
        membership.grantAuditor(address(77), "age1xyz");
        refused(abi.encodeWithSelector(IMembership.OnlyGovernance.selector, address(this)));
        membership.revokeAuditor(address(77));
    }

    // ---- the token

    function test_seats_stay_where_they_are() external {
        found(2);
        bytes memory soulbound = abi.encodeWithSelector(IMembership.Soulbound.selector);
        refused(soulbound);
        vm.prank(holder(1));
        membership.transferFrom(holder(1), holder(9), 1);
        refused(soulbound);
        vm.prank(holder(1));
        membership.safeTransferFrom(holder(1), holder(9), 1);
        refused(soulbound);
        vm.prank(holder(1));
        membership.safeTransferFrom(holder(1), holder(9), 1, "");
        refused(soulbound);
        vm.prank(holder(1));
        membership.approve(holder(9), 1);
        refused(soulbound);
        vm.prank(holder(1));
        membership.setApprovalForAll(holder(9), true);
        refused(soulbound);
        vm.prank(holder(1));
        membership.delegate(holder(2));
        refused(soulbound);
        membership.delegateBySig(holder(2), 0, START + 1, 27, 0, 0);
        assertEq(membership.delegates(holder(1)), holder(1));
    }

    function test_votes_are_told_by_time() external {
        deploy(2);
        activate(1);
        vm.warp(START + 5);
        activate(2);
        vm.warp(START + 9);
        assertEq(uint256(membership.clock()), START + 9);
        vm.assertEq(membership.CLOCK_MODE(), "mode=timestamp");
        assertEq(membership.getPastTotalSupply(START + 4), 1);
        assertEq(membership.getPastTotalSupply(START + 5), 2);
        assertEq(membership.getPastVotes(holder(2), START + 4), 0);
        assertEq(membership.getPastVotes(holder(2), START + 5), 1);
    }

    // ---- dormancy

    function test_idle_member_is_warned_then_retired() external {
        found(3);
        vm.warp(START + 180 days - 1);
        refused(abi.encodeWithSelector(IMembership.NotIdle.selector, 3, START + 180 days));
        membership.dormant(3);
        vm.warp(START + 180 days);
        vm.expectEmit(true, true, true, true, address(membership));
        emit IMembership.DormancyNoticed(3, uint64(START + 210 days));
        membership.dormant(3);
        assertEq(membership.voters(), 3);
        vm.warp(START + 210 days - 1);
        refused(abi.encodeWithSelector(IMembership.NotIdle.selector, 3, START + 210 days));
        membership.dormant(3);
        vm.warp(START + 210 days);
        vm.expectEmit(true, true, true, true, address(membership));
        emit IMembership.SeatDormant(3, 1);
        membership.dormant(3);
        assertEq(membership.voters(), 2);
        assertEq(membership.getVotes(holder(3)), 0);
        assertEq(membership.seat(3).holder, holder(3));
        refused(abi.encodeWithSelector(IMembership.AlreadyDormant.selector, 3));
        membership.dormant(3);
        refused(abi.encodeWithSelector(IMembership.UnknownSeat.selector, 4));
        membership.dormant(4);
        open();
        assertEq(uint256(rounds.round().members), 2);
        Submission memory s = submission(3);
        refused(abi.encodeWithSelector(IMembership.NotEligible.selector, 3, 1, 1, 1));
        send(s);
    }

    function test_any_act_stops_the_notice() external {
        found(4);
        uint256 late = START + 180 days;
        vm.warp(late);
        membership.dormant(1);
        membership.dormant(2);
        membership.dormant(3);
        vm.prank(operator(1));
        membership.wake();
        byVote();
        membership.voted(holder(2));
        open();
        submit(3);
        vm.warp(late + 30 days);
        for (uint256 id = 1; id <= 3; ++id) {
            refused(abi.encodeWithSelector(IMembership.NotIdle.selector, id, late + 180 days));
            membership.dormant(id);
        }
        // When it is idle again it has to be warned again.
        vm.warp(late + 180 days);
        membership.dormant(1);
        assertEq(membership.voters(), 4);
    }

    /// @dev Who lost its seat can still vote where its vote was counted, and may operate another seat by then.
    function test_only_a_holders_vote_is_a_sign_of_life() external {
        found(2);
        vm.warp(START + 1 days);
        byVote();
        membership.voted(operator(2));
        byVote();
        membership.voted(holder(3));
        assertEq(membership.seat(2).seenAt, START);
        byVote();
        membership.voted(holder(2));
        assertEq(membership.seat(2).seenAt, START + 1 days);
    }

    function test_retired_member_wakes() external {
        found(3);
        _retire(3);
        open();
        vm.expectEmit(true, true, true, true, address(membership));
        emit IMembership.SeatAwakened(3, 2);
        vm.prank(holder(3));
        membership.wake();
        assertEq(membership.voters(), 3);
        assertEq(membership.ownerOf(3), holder(3));
        assertEq(uint256(membership.seat(3).dormantFrom), 0);
        assertEq(uint256(membership.seat(3).activeFrom), 2);
        Submission memory s = submission(3);
        refused(abi.encodeWithSelector(IMembership.NotEligible.selector, 3, 1, 2, 0));
        send(s);
        refused(abi.encodeWithSelector(IMembership.NotMember.selector, address(this)));
        membership.wake();
    }

    function test_retired_and_awake_within_one_round_counts_throughout() external {
        found(3);
        vm.warp(START + 180 days);
        membership.dormant(3);
        IMembership.Seat memory s = membership.seat(3);
        vm.warp(s.noticedAt + 30 days);
        open();
        membership.dormant(3);
        assertEq(uint256(rounds.round().target), 3); // it was counted at the opening, and may still submit
        vm.prank(operator(3));
        membership.wake();
        assertEq(uint256(membership.seat(3).activeFrom), 1);
        submitAll(3);
        assertPhaseIsAggregation();
    }

    function test_retired_in_a_round_may_still_submit_to_it() external {
        found(3);
        vm.warp(START + 180 days);
        membership.dormant(3);
        vm.warp(START + 210 days);
        open();
        membership.dormant(3);
        submit(3);
        vm.prank(holder(3));
        membership.resign(); // dormant members can
        assertEq(uint256(rounds.round().target), 3);
        assertEq(membership.voters(), 2);
    }

    function test_retired_who_left_lowers_the_target_only_of_the_round_that_counted_it() external {
        found(4);
        _retire(4);
        open();
        vm.prank(holder(4));
        membership.resign();
        assertEq(uint256(rounds.round().target), 3);
    }

    function test_last_vote_is_not_retired() external {
        found(2);
        _retire(2);
        refused(abi.encodeWithSelector(IMembership.LastMember.selector, 1));
        membership.dormant(1);
    }

    function test_dormant_seat_can_be_recovered_and_expelled() external {
        found(3);
        _retire(3);
        byVote();
        membership.recover(3, holder(9));
        assertEq(membership.getVotes(holder(9)), 0);
        vm.prank(holder(9));
        membership.wake();
        assertEq(membership.getVotes(holder(9)), 1);
        _retire(2);
        byVote();
        membership.expel(2);
        assertEq(membership.voters(), 2);
    }

    function test_only_governance_reports_votes() external {
        found(1);
        refused(abi.encodeWithSelector(IMembership.OnlyGovernance.selector, address(this)));
        membership.voted(holder(1));
    }

    function _retire(uint256 id) private {
        vm.warp(block.timestamp + 180 days);
        membership.dormant(id);
        vm.warp(block.timestamp + 30 days);
        membership.dormant(id);
    }

    function assertPhaseIsAggregation() private view {
        assertEq(uint256(rounds.round().phase), 2);
    }
}

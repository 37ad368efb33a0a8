// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {ERC721Votes} from "@openzeppelin/contracts/token/ERC721/extensions/ERC721Votes.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IMembership} from "./interfaces/IMembership.sol";
import {IRounds} from "./interfaces/IRounds.sol";
import {SoulboundVotes} from "./SoulboundVotes.sol";

/// @title Who belongs to the federation
/// @notice Deploy from one account, with nonces n, n + 1, n + 2 (the addresses of the latter two follow from account and nonce: CREATE):
/// 1. Membership(founders, governance, rounds)
/// 2. Governance(membership, votingDelay, votingPeriod, executionDelay)
/// 3. Rounds(membership, governance, json, params, genesis), which reverts unless the three name each other.
/// Then each founder calls `activate` within 7 days.
/// @dev Calls go to Rounds only, which calls back nothing that changes state here; hence no reentrancy.
contract Membership is IMembership, SoulboundVotes {
    using SafeCast for uint256;

    uint256 public constant FOUNDING_PERIOD = 7 days;
    /// @notice How long a member may be silent before anybody can warn it; and from the warning, before anybody can retire its vote.
    uint256 public constant IDLE_PERIOD = 180 days;
    uint256 public constant NOTICE_PERIOD = 30 days;

    uint256 private constant LEAST_PROFILE = 2;
    uint256 private constant MOST_PROFILE = 16_384;
    uint256 private constant MOST_RECIPIENT = 4_096;

    /// @dev Slot 0 is all that Rounds asks for; slot 1 | noticedAt 40 | seenAt 40 | holder 160 |
    struct Record {
        /// @dev | dormantFrom 40 | activeFrom 40 | operator 160 |
        address operator;
        uint40 activeFrom;
        uint40 dormantFrom;
        address holder;
        uint40 seenAt;
        uint40 noticedAt;
        bytes32 profileHash;
    }

    struct Application {
        address holder;
        address operator;
        bytes32 commitment;
        bytes32 profileHash;
    }

    /// @inheritdoc IMembership
    address public immutable governance;
    /// @inheritdoc IMembership
    uint256 public immutable deploymentBlock;
    /// @inheritdoc IMembership
    uint64 public immutable foundingEndsAt;
    uint256 private immutable _founders;

    // One slot, all that an opening needs: | missing 24 | voters 32 | roundsSince 40 | rounds 160 |
    address private _rounds;
    uint40 private _roundsSince;
    uint32 private _voters;
    uint24 private _missing;

    uint256 private _lastId;
    mapping(uint256 id => Record) private _seats;
    mapping(address account => uint256 id) private _seatOf; // holders, operators and reserved founders
    mapping(uint256 id => Application) private _applications;
    mapping(address auditor => bytes32 recipientHash) private _auditors;

    modifier onlyGovernance() {
        if (msg.sender != governance) revert OnlyGovernance(msg.sender);
        _;
    }

    constructor(address[] memory founders, address governance_, address rounds_)
        ERC721("FedChain seat", "SEAT")
        EIP712("FedChain seat", "1")
    {
        if (founders.length == 0) revert NoFounders();
        if (governance_ == address(0) || rounds_ == address(0)) revert ZeroAddress();
        (governance, _rounds, _roundsSince) = (governance_, rounds_, uint40(block.timestamp));
        deploymentBlock = block.number;
        foundingEndsAt = uint64(block.timestamp + FOUNDING_PERIOD);
        for (uint256 i = 0; i < founders.length; ++i) {
            if (founders[i] == address(0)) revert ZeroAddress();
            if (_seatOf[founders[i]] != 0) revert AddressTaken(founders[i], _seatOf[founders[i]]);
            _seatOf[founders[i]] = i + 1;
        }
        (_founders, _lastId, _missing) = (founders.length, founders.length, uint24(founders.length));
        emit FederationFounded(governance_, rounds_, foundingEndsAt, founders);
    }

    // ---- founding and joining

    /// @inheritdoc IMembership
    function activate(string calldata profile, address operator, bytes32 commitment) external {
        uint256 id = _seatOf[msg.sender];
        if (id == 0 || id > _founders || _seats[id].holder != address(0)) revert NotFounder(msg.sender);
        if (block.timestamp >= foundingEndsAt) revert FoundingOver(foundingEndsAt);
        --_missing;
        bytes32 profileHash = _hashProfile(profile);
        _seat(id, Application(msg.sender, operator, commitment, profileHash));
        emit ProfileUpdated(id, profileHash, profile);
    }

    /// @inheritdoc IMembership
    function applyForSeat(string calldata profile, address operator, bytes32 commitment)
        external
        returns (uint256 id, bytes32 application)
    {
        _requireFree(msg.sender, 0);
        _requireFree(operator, 0);
        if (commitment == 0) revert EmptyCommitment();
        id = (++_lastId).toUint32(); // Rounds keeps ids in 32 bits
        _applications[id] = Application(msg.sender, operator, commitment, _hashProfile(profile));
        application = applicationOf(id);
        emit Applied(id, msg.sender, operator, commitment, application, profile);
    }

    /// @inheritdoc IMembership
    function admit(uint256 id, bytes32 application) external onlyGovernance {
        Application memory a = _applications[id];
        if (a.holder == address(0) || applicationOf(id) != application) revert UnknownApplication(id, application);
        delete _applications[id];
        _seat(id, a);
    }

    function _seat(uint256 id, Application memory a) private {
        _claim(a.holder, id);
        _claim(a.operator, id);
        uint256 activeFrom = IRounds(_rounds).current() + 1;
        _seats[id] = Record({
            operator: a.operator,
            activeFrom: activeFrom.toUint40(),
            dormantFrom: 0,
            holder: a.holder,
            seenAt: uint40(block.timestamp),
            noticedAt: 0,
            profileHash: a.profileHash
        });
        ++_voters;
        _mint(a.holder, id);
        IRounds(_rounds).register(id, a.commitment);
        emit SeatActivated(id, a.holder, a.operator, activeFrom, a.profileHash);
    }

    // ---- by the member

    /// @inheritdoc IMembership
    function setOperator(address operator, bytes32 commitment) external {
        (uint256 id, Record storage seat_) = _held();
        address previous = seat_.operator;
        if (operator != previous) {
            _claim(operator, id);
            if (previous != seat_.holder) delete _seatOf[previous];
            seat_.operator = operator;
        }
        seat_.seenAt = uint40(block.timestamp);
        IRounds(_rounds).register(id, commitment);
        emit OperatorChanged(id, operator, previous);
    }

    /// @inheritdoc IMembership
    function updateProfile(string calldata profile) external {
        (uint256 id, Record storage seat_) = _own();
        bytes32 profileHash = _hashProfile(profile);
        (seat_.profileHash, seat_.seenAt) = (profileHash, uint40(block.timestamp));
        emit ProfileUpdated(id, profileHash, profile);
    }

    /// @inheritdoc IMembership
    function resign() external {
        (uint256 id,) = _held();
        _vacate(id, false);
    }

    /// @inheritdoc IMembership
    function wake() external {
        (uint256 id, Record storage seat_) = _own();
        seat_.seenAt = uint40(block.timestamp);
        uint256 dormantFrom = seat_.dormantFrom;
        if (dormantFrom == 0) return;
        uint256 next = IRounds(_rounds).current() + 1;
        // Back before the round that would not have counted it: as if nothing had been.
        if (dormantFrom < next) seat_.activeFrom = next.toUint40();
        seat_.dormantFrom = 0;
        ++_voters;
        _mint(seat_.holder, id);
        emit SeatAwakened(id, seat_.activeFrom);
    }

    // ---- by anyone

    /// @inheritdoc IMembership
    function dormant(uint256 id) external {
        Record storage seat_ = _existing(id);
        if (seat_.dormantFrom != 0) revert AlreadyDormant(id);
        if (_voters == 1) revert LastMember(id);
        uint256 seenAt = _latest(_latest(seat_.seenAt, _roundsSince), IRounds(_rounds).member(id).seenAt);
        uint256 from = seenAt + IDLE_PERIOD;
        if (block.timestamp < from) revert NotIdle(id, uint64(from));
        if (seat_.noticedAt < from) {
            seat_.noticedAt = uint40(block.timestamp);
            emit DormancyNoticed(id, uint64(block.timestamp + NOTICE_PERIOD));
            return;
        }
        from = seat_.noticedAt + NOTICE_PERIOD;
        if (block.timestamp < from) revert NotIdle(id, uint64(from));

        uint256 fromRound = IRounds(_rounds).current() + 1;
        seat_.dormantFrom = fromRound.toUint40();
        --_voters;
        _burn(id);
        emit SeatDormant(id, fromRound);
    }

    // ---- by vote

    /// @inheritdoc IMembership
    function expel(uint256 id) external onlyGovernance {
        _vacate(id, true);
    }

    /// @inheritdoc IMembership
    function recover(uint256 id, address newHolder) external onlyGovernance {
        Record storage seat_ = _existing(id);
        address previous = seat_.holder;
        _claim(newHolder, id);
        if (previous != seat_.operator && previous != newHolder) delete _seatOf[previous];
        seat_.holder = newHolder;
        if (seat_.dormantFrom == 0 && newHolder != previous) _transfer(previous, newHolder, id);
        emit SeatRecovered(id, newHolder, previous);
    }

    /// @inheritdoc IMembership
    function grantAuditor(address auditor, string calldata recipient) external onlyGovernance {
        if (auditor == address(0)) revert ZeroAddress();
        uint256 length = bytes(recipient).length;
        if (length == 0 || length > MOST_RECIPIENT) revert RecipientLength(length, 1, MOST_RECIPIENT);
        _auditors[auditor] = keccak256(bytes(recipient));
        emit AuditorGranted(auditor, recipient);
    }

    /// @inheritdoc IMembership
    function revokeAuditor(address auditor) external onlyGovernance {
        if (_auditors[auditor] == 0) revert UnknownAuditor(auditor);
        delete _auditors[auditor];
        emit AuditorRevoked(auditor);
    }

    /// @inheritdoc IMembership
    function setRounds(address newRounds) external onlyGovernance {
        address previous = _rounds;
        if (newRounds == previous) revert WrongWiring(newRounds, previous);
        address named = IRounds(newRounds).membership();
        if (named != address(this)) revert WrongWiring(address(this), named);
        named = IRounds(newRounds).governance();
        if (named != governance) revert WrongWiring(governance, named);
        uint256 afterRound = IRounds(previous).current();
        (_rounds, _roundsSince) = (newRounds, uint40(block.timestamp));
        IRounds(newRounds).succeed(afterRound);
        emit RoundsReplaced(newRounds, previous, afterRound);
    }

    // ---- by Governance, on a vote

    /// @inheritdoc IMembership
    function voted(address holder) external onlyGovernance {
        uint256 id = _seatOf[holder];
        if (id != 0 && _seats[id].holder == holder) _seats[id].seenAt = uint40(block.timestamp);
    }

    // ---- seats and addresses

    /// @dev The seat is gone, with its addresses and its token.
    function _vacate(uint256 id, bool expelled) private {
        Record memory seat_ = _existing(id);
        if (seat_.dormantFrom == 0) {
            if (_voters == 1) revert LastMember(id);
            --_voters;
            _burn(id);
        }
        delete _seats[id];
        delete _seatOf[seat_.holder];
        delete _seatOf[seat_.operator];
        IRounds(_rounds).departed(id, _counts(seat_.activeFrom, seat_.dormantFrom, IRounds(_rounds).current()));
        emit SeatVacated(id, seat_.holder, expelled);
    }

    function _claim(address account, uint256 id) private {
        _requireFree(account, id);
        _seatOf[account] = id;
    }

    /// @dev A founder that let its time pass no longer holds its address.
    function _requireFree(address account, uint256 id) private view {
        if (account == address(0)) revert ZeroAddress();
        uint256 taken = _seatOf[account];
        if (taken == 0 || taken == id) return;
        if (_seats[taken].holder == address(0) && block.timestamp >= foundingEndsAt) return;
        revert AddressTaken(account, taken);
    }

    function _existing(uint256 id) private view returns (Record storage seat_) {
        seat_ = _seats[id];
        if (seat_.holder == address(0)) revert UnknownSeat(id);
    }

    /// @dev The caller's seat, as its holder.
    function _held() private view returns (uint256 id, Record storage seat_) {
        id = _seatOf[msg.sender];
        seat_ = _seats[id];
        if (seat_.holder != msg.sender) revert NotHolder(msg.sender);
    }

    /// @dev The caller's seat, in either role.
    function _own() private view returns (uint256 id, Record storage seat_) {
        id = _seatOf[msg.sender];
        seat_ = _seats[id];
        if (seat_.holder == address(0)) revert NotMember(msg.sender);
    }

    function _hashProfile(string calldata profile) private pure returns (bytes32) {
        uint256 length = bytes(profile).length;
        if (length < LEAST_PROFILE || length > MOST_PROFILE) revert ProfileLength(length, LEAST_PROFILE, MOST_PROFILE);
        return keccak256(bytes(profile));
    }

    function _counts(uint256 activeFrom, uint256 dormantFrom, uint256 round) private pure returns (bool) {
        return activeFrom <= round && (dormantFrom == 0 || round < dormantFrom);
    }

    function _latest(uint256 a, uint256 b) private pure returns (uint256) {
        return a > b ? a : b;
    }

    // ---- views

    /// @inheritdoc IMembership
    function rounds() external view returns (address) {
        return _rounds;
    }

    /// @inheritdoc IMembership
    function requireFounded() public view {
        if (_missing != 0 && block.timestamp < foundingEndsAt) revert StillFounding(_missing, foundingEndsAt);
    }

    /// @inheritdoc IMembership
    function voters() external view returns (uint256) {
        return _voters;
    }

    /// @inheritdoc IMembership
    function lastId() external view returns (uint256) {
        return _lastId;
    }

    /// @inheritdoc IMembership
    function seat(uint256 id) external view returns (Seat memory) {
        Record memory s = _seats[id];
        return Seat(s.holder, s.operator, s.activeFrom, s.dormantFrom, s.seenAt, s.noticedAt, s.profileHash);
    }

    /// @inheritdoc IMembership
    function seatOf(address account) external view returns (uint256 id) {
        id = _seatOf[account];
        if (_seats[id].holder == address(0)) return 0;
    }

    /// @inheritdoc IMembership
    function operatedBy(address account) public view returns (uint256 id) {
        id = _seatOf[account];
        if (_seats[id].operator != account) return 0;
    }

    /// @inheritdoc IMembership
    function eligible(address operator, uint256 round) external view returns (uint256 id) {
        id = operatedBy(operator);
        if (id == 0) revert NotOperator(operator);
        Record storage s = _seats[id];
        if (!_counts(s.activeFrom, s.dormantFrom, round)) revert NotEligible(id, round, s.activeFrom, s.dormantFrom);
    }

    /// @inheritdoc IMembership
    function opening(address operator) external view returns (uint256 id, uint256 members) {
        if (msg.sender != _rounds) revert OnlyRounds(msg.sender);
        requireFounded();
        id = operatedBy(operator);
        if (id == 0) revert NotOperator(operator);
        return (id, _voters);
    }

    /// @inheritdoc IMembership
    function applicationOf(uint256 id) public view returns (bytes32) {
        Application memory a = _applications[id];
        if (a.holder == address(0)) return 0;
        return keccak256(abi.encode(block.chainid, address(this), id, a.holder, a.operator, a.profileHash, a.commitment));
    }

    /// @inheritdoc IMembership
    function auditorRecipient(address auditor) external view returns (bytes32) {
        return _auditors[auditor];
    }
}

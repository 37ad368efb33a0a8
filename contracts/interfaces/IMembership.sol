// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

/// @title Who belongs to the federation
/// @notice A soulbound ERC-721 with votes: one institution, one seat, one token, one vote. The token id is the member id; ids start at 1,
/// fit 32 bits and are never used again. Everything else in FedChain is keyed by it, never by an address, so a rotated key can't act twice.
///
/// A seat has a *holder* (owns the token, may be a contract, votes, names the operator) and an *operator* (the peer's own key: submits,
/// publishes, attests). They may be one address; no address belongs to two seats, in either role.
///
/// This is the one address to remember: it names Governance, Rounds and the block it was deployed in, from which everything that follows
/// can be rebuilt from events alone:
/// - ids 1..n are reserved for the founders in the order of `FederationFounded`; an application reserves the next id;
/// - a seat exists from `SeatActivated` to `SeatVacated`. Its profile is the text of the latest `ProfileUpdated`, or of its `Applied`;
/// - it counts for round r, and may submit in it, if `activeFrom <= r` and it was not dormant when r was opened, and while it exists.
///   `SeatDormant` makes it dormant for the rounds from `fromRound` on, `SeatAwakened` ends that from `activeFrom` on;
/// - N of a round is the number of tokens at its opening: activated less vacated less dormant.
interface IMembership {
    /// @notice A seat as kept in storage. Times are in seconds since 1970.
    struct Seat {
        /// @notice Who votes. Zero if there is no such seat.
        address holder;
        /// @notice The peer's key.
        address operator;
        /// @notice The first round that counts this seat.
        uint64 activeFrom;
        /// @notice The first round that no longer counts it, since its vote was retired; 0 while it is awake.
        uint64 dormantFrom;
        /// @notice When it last acted here or voted (submissions are seen by Rounds).
        uint64 seenAt;
        /// @notice When it was last warned that its vote may be retired; 0 if never.
        uint64 noticedAt;
        /// @notice keccak256 of the profile's bytes.
        bytes32 profileHash;
    }

    /// @notice The constructor ran. Founder i (from 0) gets member id i + 1.
    event FederationFounded(address governance, address rounds, uint64 foundingEndsAt, address[] founders);
    /// @notice Somebody asks for a seat. `application` is what a vote admits; it is defined at `applyForSeat`.
    event Applied(uint256 indexed id, address indexed holder, address operator, bytes32 commitment, bytes32 application, string profile);
    /// @notice A founder activated, or an application was admitted: the seat exists and its token is minted.
    event SeatActivated(uint256 indexed id, address indexed holder, address indexed operator, uint256 activeFrom, bytes32 profileHash);
    /// @notice The member resigned, or was expelled: the seat is gone for ever, with its token if it had one.
    event SeatVacated(uint256 indexed id, address indexed holder, bool expelled);
    /// @notice A vote gave the seat to another holder. The operator stays until the new holder names another.
    event SeatRecovered(uint256 indexed id, address indexed holder, address indexed previous);
    event OperatorChanged(uint256 indexed id, address indexed operator, address indexed previous);
    /// @notice The profile in full, as canonical JSON (RFC 8785); the chain does not look inside.
    event ProfileUpdated(uint256 indexed id, bytes32 profileHash, string profile);
    /// @notice The seat has been idle for `IDLE_PERIOD`; unless it acts, its vote can be retired from `retirableAt` on.
    event DormancyNoticed(uint256 indexed id, uint64 retirableAt);
    /// @notice The vote is retired: the token is burned, the seat kept. Rounds from `fromRound` on don't count it.
    event SeatDormant(uint256 indexed id, uint256 fromRound);
    /// @notice The member is back: the token is minted again. Rounds from `activeFrom` on count the seat.
    event SeatAwakened(uint256 indexed id, uint256 activeFrom);
    /// @notice Aggregates are encrypted to `recipient` (an age recipient) too, from the next opening on. Granting again replaces it.
    event AuditorGranted(address indexed auditor, string recipient);
    event AuditorRevoked(address indexed auditor);
    /// @notice Rounds has a successor, whose rounds continue the old one's numbers.
    event RoundsReplaced(address indexed rounds, address indexed previous, uint256 afterRound);

    error OnlyGovernance(address caller);
    /// @notice The caller isn't the Rounds contract that this federation uses.
    error OnlyRounds(address caller);
    error ZeroAddress();
    error EmptyCommitment();
    error ProfileLength(uint256 length, uint256 least, uint256 most);
    error RecipientLength(uint256 length, uint256 least, uint256 most);
    /// @notice A federation needs at least one founder.
    error NoFounders();
    /// @notice The caller is not a founder, or has activated already.
    error NotFounder(address caller);
    /// @notice Founders may activate before `endedAt` only.
    error FoundingOver(uint64 endedAt);
    /// @notice `missing` founders have yet to activate; nothing can be opened or proposed before they do, or `endsAt` is reached.
    error StillFounding(uint256 missing, uint64 endsAt);
    /// @notice The address already belongs to seat `id`, as its holder or its operator.
    error AddressTaken(address account, uint256 id);
    error UnknownApplication(uint256 id, bytes32 application);
    error UnknownSeat(uint256 id);
    /// @notice The caller holds no seat.
    error NotHolder(address caller);
    /// @notice The caller operates no seat.
    error NotOperator(address caller);
    /// @notice The caller neither holds nor operates a seat.
    error NotMember(address caller);
    /// @notice The seat counts from round `activeFrom` on, and until before round `dormantFrom` unless that is 0.
    error NotEligible(uint256 id, uint256 round, uint256 activeFrom, uint256 dormantFrom);
    /// @notice The only vote there is can't be given up, taken or retired.
    error LastMember(uint256 id);
    /// @notice The seat can't be warned or retired before `from`.
    error NotIdle(uint256 id, uint64 from);
    error AlreadyDormant(uint256 id);
    error UnknownAuditor(address auditor);
    /// @notice Seats can't be transferred, approved or delegated.
    error Soulbound();
    /// @notice A contract that should be at `expected` is not, or names other partners.
    error WrongWiring(address expected, address actual);

    // ---- founding and joining

    /// @notice A founder takes the seat that the constructor reserved for it. Only before `foundingEndsAt`.
    /// @param profile Canonical JSON, 2 to 16,384 bytes.
    /// @param operator The peer's address.
    /// @param commitment keccak256(abi.encode(chainid, rounds, id, secret)), of the peer's first secret (index 0).
    function activate(string calldata profile, address operator, bytes32 commitment) external;

    /// @notice Asks for a seat; anybody may. Reserves an id, which the commitment has to be made for: if another application came between,
    /// and took it, apply again or `recommit` after the admission.
    /// @return id The id of the seat, if it is admitted.
    /// @return application keccak256(abi.encode(chainid, membership, id, holder, operator, keccak256(bytes(profile)), commitment)).
    function applyForSeat(string calldata profile, address operator, bytes32 commitment) external returns (uint256 id, bytes32 application);

    /// @notice Admits exactly that application, so that nobody can slip in another key. Only Governance.
    function admit(uint256 id, bytes32 application) external;

    // ---- by the member

    /// @notice Names another operator, at once, with a commitment that holds from the next opening. Only the holder.
    function setOperator(address operator, bytes32 commitment) external;

    /// @notice Publishes another profile. By the holder or the operator.
    function updateProfile(string calldata profile) external;

    /// @notice Gives the seat up. Only the holder. A submission of the running round stays in it.
    function resign() external;

    /// @notice A sign of life, and the end of dormancy. By the holder or the operator.
    function wake() external;

    // ---- by anyone

    /// @notice Retires the vote of a member that has neither submitted nor voted nor acted here for `IDLE_PERIOD`, so that dead members can't
    /// block every majority. The first call warns, a second one at least `NOTICE_PERIOD` later retires; any act in between stops it.
    function dormant(uint256 id) external;

    // ---- by vote

    function expel(uint256 id) external;

    function recover(uint256 id, address newHolder) external;

    /// @param recipient An age recipient, 1 to 4,096 bytes.
    function grantAuditor(address auditor, string calldata recipient) external;

    function revokeAuditor(address auditor) external;

    /// @notice Replaces Rounds. The successor's constructor must have been given this Membership and its Governance.
    function setRounds(address newRounds) external;

    // ---- by the other two contracts

    /// @notice Governance reports that a holder voted.
    function voted(address holder) external;

    // ---- views

    function governance() external view returns (address);

    function rounds() external view returns (address);

    /// @notice The block that this contract was deployed in: where readers start.
    function deploymentBlock() external view returns (uint256);

    /// @notice Founding is over at this time, or once all founders have activated.
    function foundingEndsAt() external view returns (uint64);

    /// @notice Reverts with `StillFounding` until all founders have activated or the time is over.
    function requireFounded() external view;

    /// @notice The number of tokens: seats that are awake.
    function voters() external view returns (uint256);

    /// @notice The highest id reserved so far.
    function lastId() external view returns (uint256);

    /// @notice The seat; all zero if there is none (or not yet).
    function seat(uint256 id) external view returns (Seat memory);

    /// @notice The seat that the address belongs to, in either role; 0 if none.
    function seatOf(address account) external view returns (uint256 id);

    /// @notice The seat that the address operates; 0 if none.
    function operatedBy(address account) external view returns (uint256 id);

    /// @notice The seat that the address operates, which must count for the round.
    /// @dev Reverts with `NotOperator` or `NotEligible`.
    function eligible(address operator, uint256 round) external view returns (uint256 id);

    /// @notice What Rounds needs for an opening: who opens, and N.
    /// @dev Reverts with `OnlyRounds` unless the caller is the Rounds in use, with `NotOperator`, and with `StillFounding`.
    function opening(address operator) external view returns (uint256 id, uint256 members);

    /// @notice The application hash that waits for admission under this id; 0 if none.
    function applicationOf(uint256 id) external view returns (bytes32);

    /// @notice keccak256 of the auditor's age recipient; 0 if the address is no auditor.
    function auditorRecipient(address auditor) external view returns (bytes32);
}

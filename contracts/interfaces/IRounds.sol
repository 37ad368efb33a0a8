// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

/// @title The training rounds
/// @notice One round runs at a time, numbered from 1. Its phase is not stored but derived, from a few stored times and counts:
///
///     open ──> Training ──> Aggregation(0) ──> Attestation(0) ──> Finalised
///                 │             │    ^               │
///                 │             │    └── next turn ──┘ (rejected, or no quorum in time)
///                 │             └─> next turn (nobody published in time)
///                 └─> Aborted: too few updates, or no turn left
///
/// Every interval is half-open, [start, end): at its end the next one has begun. No timeout needs a transaction, so nothing waits on one
/// party: turns lapse by derivation, and an abort is settled by the next `open`. Precisely, with `window`s from `RoundOpened`:
/// - Training is [openedAt, closesAt); `TrainingClosed.time` replaces closesAt if all who can submit did so earlier;
/// - if then fewer than `minimum` updates are there, the round is Aborted, at closesAt;
/// - Aggregation(0) starts at closesAt. If nobody publishes in turn t before its start + publishWindow, t + 1 starts there;
/// - `CandidatePublished.time` starts Attestation(t), for attestWindow. q(n) valid votes end the round at once. More than n - q(n) votes
///   against end the turn at once (`CandidateRejected.time`), the end of the window does too; Aggregation(t + 1) starts there;
/// - there are min(maxTurns, n) turns; where the next would start, the round is Aborted;
/// - a candidate with aggregate 0 says that too few updates are *included*: if it gets its quorum, the round is Aborted.
///
/// Preimages are keccak256(abi.encode(…)) with integers and ids as uint256:
/// - commitment = keccak(chainid, rounds, id, secret); its *index* is the number of commitments that the seat made before in this contract
///   (by registration, by `recommit` and by each `submit`), and fixes how the peer derives the secret;
/// - beacon = xor of keccak(round, id, secret) over the submissions, 0 before the first;
/// - set_0 = 0, set' = keccak(set, id, manifest) with each submission;
/// - turns: the indices 0..n-1 in submission order; for i < min(maxTurns, n) swap i with i + keccak(beacon, round, i) mod (n - i);
/// - candidate = keccak(round, turn, set, manifest, aggregate);
/// - q(n) = floor(2n / 3) + 1, except q(2) = q(3) = 2.
///
/// EIP-712: domain (name "FedChain", version "1", chainid, this contract);
/// `Attestation(uint256 round,uint256 turn,bytes32 candidate,bool valid)`, which `attestBySignatures` takes, and
/// `Holdings(uint256 round,bytes32 set,bytes bitmap)`, which is used off the chain only.
///
/// Aggregates, bases, genesis and manifests are SHA-256 digests; the chain never sees what is inside. Everything that peers need is in the
/// events: the current policy is the latest `PolicySet` before the opening, a base is the aggregate of the last `RoundFinalised` or the
/// genesis, whichever `RoundOpened.base` says; counters follow from `UpdateSubmitted`, `CandidatePublished`, `CandidateRejected`, and from
/// `Attested(valid = false)` whose candidate has a `RoundFinalised`.
interface IRounds {
    /// @notice None: no round was ever opened here.
    enum Phase {
        None,
        Training,
        Aggregation,
        Attestation,
        Finalised,
        Aborted
    }

    enum AbortReason {
        /// @notice Fewer than the minimum were submitted.
        TooFewUpdates,
        /// @notice No turn led to a quorum.
        TurnsExhausted,
        /// @notice A quorum agreed that fewer than the minimum can be included.
        TooFewIncluded
    }

    /// @notice The part of the policy that the contract itself follows.
    struct Params {
        /// @notice Seconds for training and submitting, 1 to 30 days.
        uint32 training;
        /// @notice Seconds for each turn to publish, 1 to 30 days.
        uint32 publishing;
        /// @notice Seconds for each turn's attestations, 1 to 30 days.
        uint32 attesting;
        /// @notice Seconds between the end of a round and the next opening, 0 to 30 days.
        uint32 interval;
        /// @notice The least number of updates, at least 1. In a round with N members it is never below floor(N / 2) + 1.
        uint32 minimum;
        /// @notice The most turns, 1 to 8.
        uint8 maxTurns;
        /// @notice How many rounds may be opened under this policy, aborted ones included; at least 1.
        uint24 rounds;
    }

    /// @notice The current round. Times are in seconds since 1970.
    struct Round {
        uint64 number;
        Phase phase;
        /// @notice The current turn, from 0; meaningful in Aggregation and Attestation, and of the candidate that ended the round.
        uint64 turn;
        /// @notice When the phase began.
        uint64 since;
        /// @notice When the phase ends by itself; 0 if it doesn't.
        uint64 until;
        uint64 closesAt;
        bytes32 policy;
        /// @notice The base that this round started from.
        bytes32 base;
        bytes32 set;
        bytes32 beacon;
        /// @notice N: how many seats counted at the opening.
        uint32 members;
        /// @notice The least number of updates in this round.
        uint32 minimum;
        /// @notice How many submissions close the training early: N, less those who resigned without having submitted.
        uint32 target;
        uint32 submissions;
        uint32 publishWindow;
        uint32 attestWindow;
        uint8 maxTurns;
        /// @notice The candidate of the current turn, or that ended the round; 0 if there is none.
        bytes32 candidate;
        bytes32 aggregate;
        /// @notice The member that published it.
        uint32 aggregator;
        /// @notice Votes for and against the candidate.
        uint32 valid;
        uint32 invalid;
    }

    /// @notice What this contract knows of a seat. All counted here, nothing self-reported.
    struct Member {
        /// @notice What the next `submit` of the current round, or of the next if this one is closed to it, has to open.
        bytes32 commitment;
        /// @notice Commitments made so far: the index of the next one.
        uint32 commitments;
        /// @notice The last round it submitted in; 0 if none.
        uint64 lastRound;
        /// @notice When it last submitted.
        uint64 seenAt;
        uint32 submitted;
        uint32 published;
        /// @notice Candidates of its that were rejected, by votes or by time.
        uint32 rejected;
        /// @notice Its votes against candidates that were then finalised.
        uint32 contradicted;
    }

    /// @notice An attestation signed by the member's operator (EIP-712), 65 bytes r, s, v.
    struct SignedAttestation {
        bool valid;
        bytes signature;
    }

    /// @notice A policy was set, by the constructor or by a vote. It is in force from the next opening on.
    /// @param policy keccak256(abi.encode(keccak256(bytes(json)), params, genesis)), params as its seven fields in order, each as uint256.
    event PolicySet(bytes32 indexed policy, bytes32 indexed previous, Params params, bytes32 genesis, string json);
    /// @notice While paused no round can be opened; the running one goes on.
    event PauseSet(bool paused);
    /// @notice A commitment was registered (activation, another operator) or renewed. It holds from `fromRound` on. The one that comes with
    /// a submission is in `UpdateSubmitted`, holds from the following round on, and takes the place of any made before.
    event CommitmentMade(uint256 indexed id, uint256 index, bytes32 commitment, uint256 fromRound);
    /// @notice A round began.
    /// @param opener The member that opened it.
    /// @param finalised Rounds finalised so far since the base last started from a genesis: the position in the factor schedule.
    event RoundOpened(
        uint256 indexed round,
        uint256 indexed opener,
        bytes32 indexed policy,
        bytes32 base,
        uint256 finalised,
        uint256 members,
        uint256 minimum,
        uint64 openedAt,
        uint64 closesAt,
        uint64 publishWindow,
        uint64 attestWindow,
        uint256 maxTurns
    );
    /// @notice A member's update. `index` is its place in submission order, from 0.
    event UpdateSubmitted(
        uint256 indexed round, uint256 indexed id, uint256 index, bytes32 manifest, bytes32 secret, bytes32 nextCommitment
    );
    /// @notice A member that had not submitted resigned or was expelled: `target` submissions now close the training.
    event TargetLowered(uint256 indexed round, uint256 indexed id, uint256 target);
    /// @notice All who can submit have: the training ended at `time`, before its time.
    event TrainingClosed(uint256 indexed round, uint64 time);
    /// @notice The aggregator of the turn published; that is its own valid vote, for which there is no `Attested`.
    event CandidatePublished(
        uint256 indexed round, uint256 indexed id, uint256 turn, bytes32 candidate, bytes32 manifest, bytes32 aggregate, uint64 time
    );
    event Attested(uint256 indexed round, uint256 indexed id, uint256 turn, bytes32 candidate, bool valid);
    /// @notice The candidate of member `id` is rejected: at once when votes against put the quorum out of reach; or by time, and then `time`
    /// lies in the past, since the event waits for the next `publish` or `open`.
    event CandidateRejected(uint256 indexed round, uint256 indexed id, uint256 turn, bytes32 candidate, uint64 time);
    /// @notice The candidate of member `id` is final: its aggregate is the next round's base.
    /// @param finalised As in `RoundOpened`, with this round.
    event RoundFinalised(
        uint256 indexed round, uint256 indexed id, uint256 turn, bytes32 candidate, bytes32 aggregate, uint256 finalised, uint64 time
    );
    /// @notice The round ended without a result. Emitted at once if a quorum said so, else by the next `open`, with `time` in the past.
    event RoundAborted(uint256 indexed round, AbortReason reason, uint64 time);
    /// @notice This contract succeeds another one, whose last round was `round`.
    event Succeeded(uint256 round);

    error OnlyGovernance(address caller);
    error OnlyMembership(address caller);
    /// @notice Refused in this phase. `allowed` has bit p set for each phase p (of `Phase`) in which it isn't.
    error UnexpectedPhase(uint256 round, Phase actual, uint256 allowed);
    error WrongRound(uint256 expected, uint256 actual);
    error WrongTurn(uint256 expected, uint256 actual);
    error WrongPolicy(bytes32 expected, bytes32 actual);
    error WrongBase(bytes32 expected, bytes32 actual);
    error WrongCandidate(bytes32 expected, bytes32 actual);
    /// @notice The secret opens `actual`, but the seat had committed to `expected` (0: to none).
    error WrongReveal(uint256 id, bytes32 expected, bytes32 actual);
    error EmptyManifest();
    error EmptyCommitment();
    error AlreadySubmitted(uint256 round, uint256 id);
    /// @notice Only members that submitted in the round may attest.
    error NotSubmitter(uint256 round, uint256 id);
    /// @notice It is member `aggregator`'s turn.
    error NotYourTurn(uint256 turn, uint256 aggregator, uint256 id);
    error AlreadyAttested(uint256 round, uint256 turn, uint256 id);
    /// @notice The next round can't be opened before `from`.
    error TooEarly(uint64 from);
    error OpeningPaused();
    /// @notice The policy let rounds run up to `lastRound`; a new one has to be set.
    error Resting(uint256 lastRound);
    /// @notice With so few members every round would be aborted.
    error TooFewMembers(uint256 members, uint256 minimum);
    error ParamOutOfBounds(string param, uint256 value, uint256 least, uint256 most);
    error EmptyGenesis();
    error NotOperator(address caller);
    /// @notice A contract that should be at `expected` is not, or names other partners.
    error WrongWiring(address expected, address actual);
    /// @notice Rounds were opened here already, so this can't succeed another contract.
    error AlreadyStarted(uint256 round);

    // ---- by operators

    /// @notice Opens the next round: `interval` after the end of the last, and by any member's operator.
    function open() external returns (uint256 round);

    /// @notice Submits an update, reveals the secret that the seat had committed to, and commits to the next.
    /// @param round The current round.
    /// @param policy The hash of the policy in force.
    /// @param base The base of the round.
    /// @param manifest The SHA-256 digest of the update manifest.
    function submit(uint256 round, bytes32 policy, bytes32 base, bytes32 manifest, bytes32 secret, bytes32 nextCommitment) external;

    /// @notice Publishes the turn's candidate; only by the submitter whose turn it is, and counts as its valid vote.
    /// @param manifest The SHA-256 digest of the global manifest.
    /// @param aggregate The SHA-256 digest of the global adapter; 0 if fewer than the minimum can be included.
    function publish(uint256 round, uint256 turn, bytes32 manifest, bytes32 aggregate) external;

    /// @notice Votes on the turn's candidate; each submitter once in a turn.
    function attest(uint256 round, uint256 turn, bytes32 candidate, bool valid) external;

    /// @notice Settles signed attestations; anybody may. Skips those that are bad, duplicate, not by a submitter, or come after the decision.
    /// @return counted How many were counted.
    function attestBySignatures(uint256 round, uint256 turn, bytes32 candidate, SignedAttestation[] calldata attestations)
        external
        returns (uint256 counted);

    /// @notice Replaces the seat's commitment from the next opening on (e.g. after its secret was lost).
    function recommit(bytes32 commitment) external;

    // ---- by vote

    /// @notice Sets the policy from the next opening on, whatever the phase. If `genesis` is another one, the base restarts from it.
    /// @param expected The hash of the policy that was set last.
    function setPolicy(bytes32 expected, string calldata json, Params calldata params, bytes32 genesis) external;

    function setPaused(bool paused) external;

    // ---- by Membership

    /// @notice The commitment of a new seat, or of a seat's new operator.
    function register(uint256 id, bytes32 commitment) external;

    /// @notice A seat was vacated; if it counted for the current round and has not submitted, fewer submissions close the training.
    /// @param eligible Whether it counted for the current round.
    function departed(uint256 id, bool eligible) external;

    /// @notice Continues the numbers of the contract that this one succeeds. Only once, before anything was opened here.
    /// @dev Seats can, and should, `recommit` here before the vote that appoints it is executed: afterwards anybody may open, and a commitment
    /// made while a round trains waits for the next.
    function succeed(uint256 round) external;

    // ---- views

    function membership() external view returns (address);

    function governance() external view returns (address);

    /// @notice The number of the current round: the last that was opened; 0 if none was.
    function current() external view returns (uint256 round);

    /// @notice The current round as it is now, by the block's time.
    function round() external view returns (Round memory);

    /// @notice The current round as it will be at `time` (not before the latest block) if nothing happens until then.
    function roundAt(uint64 time) external view returns (Round memory);

    /// @notice The aggregators of the current round's turns, in order: member ids, min(maxTurns, n) of them. Reverts while it trains.
    function turns() external view returns (uint256[] memory ids);

    /// @notice The member that submitted as number `index` of the current round, from 0.
    function submitter(uint256 index) external view returns (uint256 id);

    function member(uint256 id) external view returns (Member memory);

    /// @notice The policy that was set last; the next opening puts it in force.
    function policy() external view returns (bytes32 hash, Params memory params, bytes32 genesis, uint256 lastRound);

    /// @notice The policy in force in the current round.
    function policyInForce() external view returns (bytes32 hash);

    /// @notice The base that the next round starts from, unless it restarts from another genesis.
    function base() external view returns (bytes32);

    /// @notice Rounds finalised since the base last started from a genesis.
    function finalised() external view returns (uint256);

    function paused() external view returns (bool);
}

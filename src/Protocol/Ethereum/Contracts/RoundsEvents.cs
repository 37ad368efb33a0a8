namespace FedChain.Protocol.Ethereum.Contracts;

/// <summary>The part of the policy that the contract itself follows. Times in seconds.</summary>
/// <param name="Training">For training and submitting, 1 s to 30 days.</param>
/// <param name="Publishing">For each turn to publish, 1 s to 30 days.</param>
/// <param name="Attesting">For each turn's attestations, 1 s to 30 days.</param>
/// <param name="Interval">Between the end of a round and the next opening, 0 to 30 days.</param>
/// <param name="Minimum">The least number of updates, at least 1; in force it is never below floor(N / 2) + 1.</param>
/// <param name="MaxTurns">The most turns, 1 to 8.</param>
/// <param name="Rounds">How many rounds may be opened under this policy, 1 to 2^24 - 1.</param>
public sealed record PolicyParams(uint Training, uint Publishing, uint Attesting, uint Interval, uint Minimum, byte MaxTurns, uint Rounds);

/// <summary>Why a round ended without a result; the values are the contract's.</summary>
public enum AbortReason : byte
{
    TooFewUpdates,
    TurnsExhausted,
    TooFewIncluded,
}

public sealed record PolicySet(Hash256 Policy, Hash256 Previous, PolicyParams Params, Hash256 Genesis, string Json) : IContractEvent;

public sealed record PauseSet(bool Paused) : IContractEvent;

public sealed record CommitmentMade(MemberId Id, ulong Index, Hash256 Commitment, RoundId FromRound) : IContractEvent;

public sealed record RoundOpened(
    RoundId Round,
    MemberId Opener,
    Hash256 Policy,
    Hash256 Base,
    ulong Finalised,
    uint Members,
    uint Minimum,
    ulong OpenedAt,
    ulong ClosesAt,
    ulong PublishWindow,
    ulong AttestWindow,
    uint MaxTurns) : IContractEvent;

public sealed record UpdateSubmitted(RoundId Round, MemberId Id, uint Index, Hash256 Manifest, Hash256 Secret, Hash256 NextCommitment) : IContractEvent;

public sealed record TargetLowered(RoundId Round, MemberId Id, uint Target) : IContractEvent;

public sealed record TrainingClosed(RoundId Round, ulong Time) : IContractEvent;

public sealed record CandidatePublished(
    RoundId Round, MemberId Id, uint Turn, Hash256 Candidate, Hash256 Manifest, Hash256 Aggregate, ulong Time) : IContractEvent;

public sealed record Attested(RoundId Round, MemberId Id, uint Turn, Hash256 Candidate, bool Valid) : IContractEvent;

public sealed record CandidateRejected(RoundId Round, MemberId Id, uint Turn, Hash256 Candidate, ulong Time) : IContractEvent;

public sealed record RoundFinalised(
    RoundId Round, MemberId Id, uint Turn, Hash256 Candidate, Hash256 Aggregate, ulong Finalised, ulong Time) : IContractEvent;

public sealed record RoundAborted(RoundId Round, AbortReason Reason, ulong Time) : IContractEvent;

public sealed record Succeeded(RoundId Round) : IContractEvent;

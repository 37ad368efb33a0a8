using System.Collections.Immutable;

namespace FedChain.Protocol.Rounds;

/// <summary>What one member submitted. <paramref name="Index"/> counts from 0 in the order of submission.</summary>
/// <param name="Manifest">SHA-256 of the update manifest, whose CID follows from it.</param>
/// <param name="Secret">The revealed secret that went into the beacon.</param>
public sealed record Submission(int Index, MemberId Member, Hash256 Manifest, Hash256 Secret);

/// <summary>An aggregate proposed in a turn. An <paramref name="Aggregate"/> of zero proposes to abort the round.</summary>
public sealed record Candidate(int Turn, MemberId Aggregator, Hash256 Id, Hash256 Manifest, Hash256 Aggregate, ulong PublishedAt)
{
    /// <summary>Who attested, and whether valid; the aggregator's own vote is among them from the start.</summary>
    public ImmutableSortedDictionary<MemberId, bool> Votes { get; init; } = ImmutableSortedDictionary<MemberId, bool>.Empty;

    /// <summary>When so many had voted against it that a quorum was out of reach; null while it wasn't rejected by votes.</summary>
    public ulong? RejectedAt { get; init; }
}

/// <summary>
/// One round as the chain's events tell it: immutable, each event makes a new one. The phase is derived from the stored times and the moment
/// (<see cref="PhaseAt"/>), exactly as the contract derives it, so that no transaction is needed for a deadline to pass.
/// </summary>
public sealed record RoundState
{
    public required RoundId Id { get; init; }

    /// <summary>The Rounds contract that ran it: what its signatures, manifests and updates name.</summary>
    public required Address Contract { get; init; }

    /// <summary>Hash of the policy in force for this round.</summary>
    public required Hash256 Policy { get; init; }

    /// <summary>SHA-256 of the adapter that the round starts from.</summary>
    public required Hash256 Base { get; init; }

    /// <summary>How many rounds were finalised since the genesis in force; selects the factor of the schedule.</summary>
    public required ulong FinalisedBefore { get; init; }

    /// <summary>The seats that N was counted of, as they were at the opening.</summary>
    public required ImmutableSortedDictionary<MemberId, Seat> Seats { get; init; }

    /// <summary>The profiles at the opening: they name the recipients of this round's files. Those of other seats are among them.</summary>
    public required ImmutableDictionary<MemberId, string> Profiles { get; init; }

    /// <summary>The auditors at the opening, with their age recipients.</summary>
    public required ImmutableSortedDictionary<Address, string> Auditors { get; init; }

    /// <summary>N: the members that may submit, as counted at the opening.</summary>
    public required int Eligible { get; init; }

    /// <summary>The least number of updates; the round is aborted with fewer.</summary>
    public required int Minimum { get; init; }

    public required ulong OpenedAt { get; init; }

    /// <summary>When submissions end: by the deadline, or since everybody had submitted.</summary>
    public required ulong ClosesAt { get; init; }

    /// <summary>Seconds that each turn has to publish.</summary>
    public required ulong PublishWindow { get; init; }

    /// <summary>Seconds that each candidate has to find its quorum.</summary>
    public required ulong AttestWindow { get; init; }

    public required int MaxTurns { get; init; }

    public ImmutableArray<Submission> Submissions { get; init; } = [];

    /// <summary>Rolling hash of the submissions: set' = keccak(set, member, manifest).</summary>
    public Hash256 Set { get; init; }

    /// <summary>Exclusive or of keccak(round, member, secret) over the submissions.</summary>
    public Hash256 Beacon { get; init; }

    /// <summary>At most one candidate for each turn, in order of turns; a turn that lapsed has none.</summary>
    public ImmutableArray<Candidate> Candidates { get; init; } = [];

    public ulong? FinalisedAt { get; init; }

    /// <summary>When a candidate of zero won its quorum, or the contract recorded an abort by time.</summary>
    public ulong? AbortedAt { get; init; }

    /// <summary>Whether the Rounds contract that it ran in was replaced before another round: then nothing more comes of it.</summary>
    public bool IsSuperseded { get; init; }

    /// <summary>Submission indices in the order of turns. Fixed once the submissions are closed.</summary>
    public ImmutableArray<int> Turns => TurnOrder.Of(Beacon, Id, Submissions.Length, MaxTurns);

    public Submission? SubmissionOf(MemberId member) => Submissions.FirstOrDefault(s => s.Member == member);

    public Candidate? CandidateOf(int turn) => Candidates.FirstOrDefault(c => c.Turn == turn);

    /// <summary>The candidate that a quorum attested, null unless finalised.</summary>
    public Candidate? Winner => FinalisedAt is null ? null : Candidates.LastOrDefault();

    /// <summary>The submitter whose turn it is.</summary>
    public Submission AggregatorOf(int turn) => Submissions[Turns[turn]];

    /// <summary>The phase at chain time <paramref name="now"/> (Unix seconds). Every phase ends by itself, so there is always a way on.</summary>
    public Phase PhaseAt(ulong now) =>
        DerivePhase(now) is var phase && IsSuperseded && phase is not (Phase.Finalised or Phase.Aborted) ? new Phase.Aborted(OpenedAt) : phase;

    /// <summary>
    /// Whether submissions are over at chain time <paramref name="now"/>. Of a round whose contract was replaced while it ran, the log doesn't date the
    /// end: it says so only by a candidate.
    /// </summary>
    public bool IsClosedAt(ulong now) => IsSuperseded ? Candidates.Length > 0 : now >= ClosesAt;

    /// <summary>
    /// How many turns have passed at chain time <paramref name="now"/>: each without a candidate, or with one that was rejected, by votes or by time. A
    /// turn that ends the round doesn't pass. Of a round whose contract was replaced while it ran, those that the log tells of.
    /// </summary>
    public int TurnsPassedAt(ulong now) => PhaseAt(now) switch
    {
        Phase.Aggregation(var turn, _, _) => turn,
        Phase.Attestation(var turn, _, _) => turn,
        Phase.Aborted when Submissions.Length >= Minimum && !IsSuperseded && !(AbortedAt is not null && Candidates is [.., { RejectedAt: null }]) => TurnCount,
        _ => Candidates is [.., var last] ? last.Turn + (last.RejectedAt is null ? 0 : 1) : 0,
    };

    private int TurnCount => Math.Min(MaxTurns, Submissions.Length);

    private Phase DerivePhase(ulong now)
    {
        if (FinalisedAt is { } finalised)
        {
            return new Phase.Finalised(finalised);
        }

        if (AbortedAt is { } aborted)
        {
            return new Phase.Aborted(aborted);
        }

        if (now < ClosesAt)
        {
            return new Phase.Training(ClosesAt);
        }

        if (Submissions.Length < Minimum)
        {
            return new Phase.Aborted(ClosesAt);
        }

        var since = ClosesAt;
        for (var turn = 0; turn < TurnCount; turn++)
        {
            if (CandidateOf(turn) is { } candidate)
            {
                var until = candidate.RejectedAt ?? candidate.PublishedAt + AttestWindow;
                if (now < until)
                {
                    return new Phase.Attestation(turn, candidate.PublishedAt, until);
                }

                since = until;
            }
            else
            {
                var until = since + PublishWindow;
                if (now < until)
                {
                    return new Phase.Aggregation(turn, since, until);
                }

                since = until;
            }
        }

        return new Phase.Aborted(since);
    }
}

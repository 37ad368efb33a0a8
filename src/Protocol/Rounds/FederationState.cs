using System.Collections.Immutable;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.Protocol.Rounds;

/// <summary>
/// A federation as its events tell it, from the deployment on: members, policies and every round. Immutable; <see cref="Apply"/> makes the next one.
/// Peers decide on it and <c>verify</c> replays it, so that nobody needs to ask a contract what it thinks the past was.
/// </summary>
public sealed record FederationState
{
    /// <summary>The state before the first event.</summary>
    public static FederationState Empty { get; } = new();

    public Address Governance { get; init; }

    public Address RoundsContract { get; init; }

    /// <summary>The latest commitment that each seat made at the Rounds contract in use, but for those that a submission made.</summary>
    public ImmutableSortedDictionary<MemberId, CommitmentMade> Commitments { get; init; } = ImmutableSortedDictionary<MemberId, CommitmentMade>.Empty;

    /// <summary>Chain time until which nothing can be opened unless every founder has activated.</summary>
    public ulong FoundingEndsAt { get; init; }

    /// <summary>The founders' holders, in the order of their member ids, which start at 1.</summary>
    public ImmutableArray<Address> Founders { get; init; } = [];

    /// <summary>How many founders have activated.</summary>
    public int FoundersActivated { get; init; }

    public ImmutableSortedDictionary<MemberId, Seat> Seats { get; init; } = ImmutableSortedDictionary<MemberId, Seat>.Empty;

    /// <summary>The latest profile of every seat and applicant, as published: canonical JSON if its author kept to the rules.</summary>
    public ImmutableDictionary<MemberId, string> Profiles { get; init; } = ImmutableDictionary<MemberId, string>.Empty;

    /// <summary>Applications that were not admitted (yet), by the id that each would have.</summary>
    public ImmutableSortedDictionary<MemberId, Applied> Applications { get; init; } = ImmutableSortedDictionary<MemberId, Applied>.Empty;

    /// <summary>Every proposal ever made, in order.</summary>
    public ImmutableList<ProposalRecord> Proposals { get; init; } = [];

    /// <summary>Auditors and the age recipient of each.</summary>
    public ImmutableSortedDictionary<Address, string> Auditors { get; init; } = ImmutableSortedDictionary<Address, string>.Empty;

    /// <summary>Every policy ever set, by hash.</summary>
    public ImmutableDictionary<Hash256, PolicySet> Policies { get; init; } = ImmutableDictionary<Hash256, PolicySet>.Empty;

    /// <summary>The policy that the next opening puts in force.</summary>
    public PolicySet? LatestPolicy { get; init; }

    /// <summary>The last round that the latest policy allows.</summary>
    public ulong LastRound { get; init; }

    public bool Paused { get; init; }

    /// <summary>Every round, in order; the last one may be running.</summary>
    public ImmutableList<RoundState> Rounds { get; init; } = [];

    public RoundState? Current => Rounds.Count == 0 ? null : Rounds[^1];

    public RoundId NextRound => new((Current?.Id.Value ?? 0) + 1);

    /// <summary>The members that a round opened now would count, in order of ids.</summary>
    public ImmutableSortedSet<MemberId> EligibleNext => [.. Seats.Values.Where(s => s.CountsFor(NextRound)).Select(s => s.Id)];

    public ProposalRecord? Proposal(ProposalId id) => Proposals.Find(p => p.Id == id);

    public RoundState? Round(RoundId id) => Rounds.Find(r => r.Id == id);

    /// <summary>The rounds that were finalised before this one under its genesis, the latest first: what it goes on from.</summary>
    public IEnumerable<RoundState> FinalisedBefore(RoundState round) =>
        Rounds.Reverse().Where(r => r.Id.CompareTo(round.Id) < 0 && r.Winner is not null).Take((int)Math.Min(round.FinalisedBefore, int.MaxValue));

    /// <summary>The seat that an address operates.</summary>
    public Seat? OperatedBy(Address address) => Seats.Values.FirstOrDefault(s => s.Operator == address);

    /// <summary>
    /// From when (chain seconds) the next round can be opened; null if it can't be opened now or by waiting: while a round runs, a pause holds,
    /// the policy's rounds are used up, or founders are missing.
    /// </summary>
    public ulong? NextOpeningAt(ulong now)
    {
        if (LatestPolicy is null || Paused || NextRound.Value > LastRound || (FoundersActivated < Founders.Length && now < FoundingEndsAt))
        {
            return null;
        }

        if (Current is null or { IsSuperseded: true })
        {
            return 0; // the first round of its contract
        }

        return Current.PhaseAt(now) switch
        {
            Phase.Finalised(var at) => at + LatestPolicy.Params.Interval,
            Phase.Aborted(var at) => at + LatestPolicy.Params.Interval,
            _ => null,
        };
    }

    /// <summary>The state after one more event, which must come in the order of the chain.</summary>
    /// <exception cref="InvalidDataException">The event cannot follow: the log was read with a gap, or it isn't FedChain's.</exception>
    public FederationState Apply(IContractEvent contractEvent) => contractEvent switch
    {
        FederationFounded e => this with { Governance = e.Governance, RoundsContract = e.Rounds, FoundingEndsAt = e.FoundingEndsAt, Founders = e.Founders },
        Applied e => this with { Profiles = Profiles.SetItem(e.Id, e.Profile), Applications = Applications.SetItem(e.Id, e) },
        ProfileUpdated e => this with { Profiles = Profiles.SetItem(e.Id, e.Profile) },
        SeatActivated e => this with
        {
            FoundersActivated = FoundersActivated + (e.Id.Value <= Founders.Length ? 1 : 0),
            Applications = Applications.Remove(e.Id),
            Seats = Seats.SetItem(e.Id, new Seat(e.Id, e.Holder, e.Operator, e.ActiveFrom, DormantFrom: null)),
        },
        SeatVacated e => this with { Seats = Seats.Remove(e.Id) },
        SeatRecovered e => WithSeat(e.Id, s => s with { Holder = e.Holder }),
        OperatorChanged e => WithSeat(e.Id, s => s with { Operator = e.Operator }),
        SeatDormant e => WithSeat(e.Id, s => s with { DormantFrom = e.FromRound }),
        SeatAwakened e => WithSeat(e.Id, s => s with { DormantFrom = null, ActiveFrom = e.ActiveFrom }),
        AuditorGranted e => this with { Auditors = Auditors.SetItem(e.Auditor, e.Recipient) },
        AuditorRevoked e => this with { Auditors = Auditors.Remove(e.Auditor) },
        RoundsReplaced e => this with
        {
            RoundsContract = e.Rounds,
            Commitments = Commitments.Clear(),
            Paused = false, // a successor starts afresh, and its own log follows
            Rounds = Current is { } last ? Rounds.SetItem(Rounds.Count - 1, last with { IsSuperseded = true }) : Rounds,
        },
        PolicySet e => this with
        {
            LatestPolicy = e,
            Policies = Policies.SetItem(e.Policy, e),
            LastRound = (Current?.Id.Value ?? 0) + e.Params.Rounds,
        },
        CommitmentMade e => this with { Commitments = Commitments.SetItem(e.Id, e) },
        PauseSet e => this with { Paused = e.Paused },
        ProposalCreated e => this with { Proposals = Proposals.Add(new ProposalRecord(e)) },
        VoteCast e => WithProposal(e.Proposal, p => p with { Votes = p.Votes.SetItem(e.Voter, e) }),
        ProposalQueued e => WithProposal(e.Proposal, p => p with { Eta = e.Eta }),
        ProposalExecuted e => WithProposal(e.Proposal, p => p with { Executed = true }),
        ProposalCanceled e => WithProposal(e.Proposal, p => p with { Canceled = true }),
        RoundOpened e => Open(e),
        UpdateSubmitted e => WithRound(e.Round, r => Submit(r, e)),
        TrainingClosed e => WithRound(e.Round, r => r with { ClosesAt = e.Time }),
        CandidatePublished e => WithRound(e.Round, r => Publish(r, e)),
        Attested e => WithRound(e.Round, r => WithCandidate(r, e.Candidate, c => c with { Votes = c.Votes.SetItem(e.Id, e.Valid) })),
        CandidateRejected e => WithRound(e.Round, r => WithCandidate(r, e.Candidate, c => c with { RejectedAt = e.Time })),
        RoundFinalised e => WithRound(e.Round, r => r with { FinalisedAt = e.Time }),
        RoundAborted e => WithRound(e.Round, r => r with { AbortedAt = e.Time }),
        _ => this,
    };

    private FederationState Open(RoundOpened e) => this with
    {
        Rounds = Rounds.Add(new RoundState
        {
            Id = e.Round,
            Contract = RoundsContract,
            Policy = e.Policy,
            Base = e.Base,
            FinalisedBefore = e.Finalised,
            Seats = Seats.Where(s => s.Value.CountsFor(e.Round)).ToImmutableSortedDictionary(),
            Profiles = Profiles,
            Auditors = Auditors,
            Eligible = (int)e.Members,
            Minimum = (int)e.Minimum,
            OpenedAt = e.OpenedAt,
            ClosesAt = e.ClosesAt,
            PublishWindow = e.PublishWindow,
            AttestWindow = e.AttestWindow,
            MaxTurns = (int)e.MaxTurns,
        }),
    };

    private static RoundState Submit(RoundState round, UpdateSubmitted e)
    {
        Require((int)e.Index == round.Submissions.Length, $"submission {e.Index} of round {round.Id} follows {round.Submissions.Length}");
        return round with
        {
            Submissions = round.Submissions.Add(new Submission((int)e.Index, e.Id, e.Manifest, e.Secret)),
            Set = Preimages.NextSet(round.Set, e.Id, e.Manifest),
            Beacon = Preimages.NextBeacon(round.Beacon, round.Id, e.Id, e.Secret),
        };
    }

    private static RoundState Publish(RoundState round, CandidatePublished e) => round with
    {
        Candidates = round.Candidates.Add(new Candidate((int)e.Turn, e.Id, e.Candidate, e.Manifest, e.Aggregate, e.Time)
        {
            Votes = ImmutableSortedDictionary<MemberId, bool>.Empty.Add(e.Id, true),
        }),
    };

    private static RoundState WithCandidate(RoundState round, Hash256 id, Func<Candidate, Candidate> change)
    {
        var candidate = round.Candidates.LastOrDefault(c => c.Id == id);
        Require(candidate is not null, $"candidate {id} of round {round.Id} was not published");
        return round with { Candidates = round.Candidates.Replace(candidate!, change(candidate!)) };
    }

    private FederationState WithRound(RoundId id, Func<RoundState, RoundState> change)
    {
        Require(Current?.Id == id, $"an event of round {id} came while round {NextRound.Value - 1} was the current one");
        return this with { Rounds = Rounds.SetItem(Rounds.Count - 1, change(Current!)) };
    }

    private FederationState WithProposal(ProposalId id, Func<ProposalRecord, ProposalRecord> change)
    {
        var index = Proposals.FindIndex(p => p.Id == id);
        Require(index >= 0, $"an event of proposal {id} came before its creation");
        return this with { Proposals = Proposals.SetItem(index, change(Proposals[index])) };
    }

    private FederationState WithSeat(MemberId id, Func<Seat, Seat> change)
    {
        Require(Seats.ContainsKey(id), $"an event of seat {id} came before its activation");
        return this with { Seats = Seats.SetItem(id, change(Seats[id])) };
    }

    private static void Require(bool condition, string found)
    {
        if (!condition)
        {
            throw new InvalidDataException($"The log doesn't fit together: {found}. Read it again from the deployment block.");
        }
    }
}

using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Audit;

/// <summary>Replays the rounds: openings, submissions with their reveals, turns, candidates, attestations and outcomes.</summary>
internal sealed class RoundAudit(ulong chainId, Findings findings)
{
    private readonly Dictionary<MemberId, List<(RoundId From, Hash256 Commitment)>> _commitments = [];
    private Hash256 _lastGenesis;
    private Hash256 _base;
    private ulong _finalised;

    /// <summary>The state before the event.</summary>
    private FederationState State { get; set; } = FederationState.Empty;

    /// <param name="contractEvent">The next event.</param>
    /// <param name="time">Its block's.</param>
    /// <param name="before">The state that it meets.</param>
    public void Examine(IContractEvent contractEvent, ulong time, FederationState before)
    {
        State = before;
        switch (contractEvent)
        {
            case RoundsReplaced:
                _commitments.Clear(); // a successor starts from its own genesis, and every seat commits anew in it
                (_lastGenesis, _base, _finalised) = (default, default, 0);
                break;
            case CommitmentMade made:
                Commit(made.Id, made.FromRound, made.Commitment);
                break;
            case RoundOpened opened:
                Opened(opened, time);
                break;
            case UpdateSubmitted submitted:
                Submitted(submitted, time);
                break;
            case TrainingClosed closed:
                findings.Compare("submissions", closed.Round.Value, closed.Time == time, $"closed at {closed.Time}, but its block is of {time}");
                findings.Compare("submissions", closed.Round.Value, State.Current is { } running && running.Seats.Keys.All(id => running.SubmissionOf(id) is not null || !State.Seats.ContainsKey(id)), $"closed early, although not all who could submit had");
                break;
            case CandidatePublished published:
                Published(published, time);
                break;
            case Attested attested:
                Voted(attested, time);
                break;
            case CandidateRejected rejected:
                Rejected(rejected, time);
                break;
            case RoundFinalised finalised:
                Finalised(finalised, time);
                break;
            case RoundAborted aborted:
                Aborted(aborted);
                break;
            default:
                break;
        }
    }

    public void Finish(FederationState state)
    {
        foreach (var round in state.Rounds)
        {
            Summarise(round);
        }
    }

    private void Opened(RoundOpened e, ulong time)
    {
        const string Name = "opening";
        var round = e.Round.Value;
        findings.Compare(Name, round, e.Round == State.NextRound, $"round {e.Round} follows round {State.NextRound.Value - 1}");
        findings.Compare(Name, round, e.OpenedAt == time, $"opened at {e.OpenedAt}, but its block is of {time}");
        var due = State.NextOpeningAt(time);
        findings.Compare(Name, round, due <= time, $"opened at {time}, but could not be before {due?.ToString() ?? "a vote or the end of the running round"}");
        if (State.LatestPolicy is not { } policy)
        {
            findings.Fail(Name, round, "opened without a policy");
            return;
        }

        if (policy.Genesis != _lastGenesis)
        {
            (_lastGenesis, _base, _finalised) = (policy.Genesis, policy.Genesis, 0);
        }

        var members = State.Seats.Values.Count(s => s.CountsFor(e.Round));
        var minimum = Math.Max(policy.Params.Minimum, (uint)(members / 2) + 1);
        findings.Compare(Name, round, e.Policy == policy.Policy, $"policy {e.Policy} is in force, but {policy.Policy} was set last");
        findings.Compare(Name, round, e.Base == _base, $"starts from {e.Base}, but the last result is {_base}");
        findings.Compare(Name, round, e.Finalised == _finalised, $"says that {e.Finalised} rounds were finalised since the genesis, counted {_finalised}");
        findings.Compare(Name, round, e.Members == members, $"counts {e.Members} members, but {members} seats are active");
        findings.Compare(Name, round, e.Minimum == minimum, $"asks for {e.Minimum} updates, but policy and majority say {minimum}");
        findings.Compare(Name, round, State.Seats.GetValueOrDefault(e.Opener) is not null, $"was opened by {e.Opener}, who has no seat");
        findings.Compare(
            Name,
            round,
            (e.ClosesAt - e.OpenedAt, e.PublishWindow, e.AttestWindow, e.MaxTurns) == (policy.Params.Training, policy.Params.Publishing, policy.Params.Attesting, policy.Params.MaxTurns),
            $"has other deadlines than policy {policy.Policy}");
    }

    private void Submitted(UpdateSubmitted e, ulong time)
    {
        var round = Running(e.Round, "submissions");
        if (round is null)
        {
            return;
        }

        findings.Compare("submissions", e.Round.Value, round.Seats.ContainsKey(e.Id) && State.Seats.ContainsKey(e.Id), $"member {e.Id} submitted, who was not counted for the round");
        findings.Compare("submissions", e.Round.Value, round.SubmissionOf(e.Id) is null, $"member {e.Id} submitted twice");
        findings.Compare("submissions", e.Round.Value, round.OpenedAt <= time && time < round.ClosesAt, $"member {e.Id} submitted at {time}, outside {round.OpenedAt}..{round.ClosesAt}");
        var expected = _commitments.GetValueOrDefault(e.Id)?.LastOrDefault(c => c.From.CompareTo(e.Round) <= 0).Commitment ?? default;
        var revealed = Preimages.Commitment(chainId, State.RoundsContract, e.Id, e.Secret);
        findings.Compare("reveals", e.Round.Value, revealed == expected, $"the secret of member {e.Id} opens {revealed}, but it had committed to {expected}");
        _commitments[e.Id] = [(new RoundId(e.Round.Value + 1), e.NextCommitment)];
    }

    private void Published(CandidatePublished e, ulong time)
    {
        const string Name = "candidates";
        var round = Running(e.Round, Name);
        if (round is null)
        {
            return;
        }

        var expected = Preimages.Candidate(e.Round, (int)e.Turn, round.Set, e.Manifest, e.Aggregate);
        findings.Compare(Name, e.Round.Value, e.Candidate == expected, $"candidate {e.Candidate} of turn {e.Turn} should be {expected} over the set {round.Set}");
        findings.Compare(Name, e.Round.Value, e.Time == time, $"published at {e.Time}, but its block is of {time}");
        if (round.PhaseAt(time) is Phase.Aggregation phase && phase.Turn == e.Turn)
        {
            var member = round.AggregatorOf(phase.Turn).Member;
            findings.Compare("turns", e.Round.Value, member == e.Id, $"turn {e.Turn} is member {member}'s, but {e.Id} published");
        }
        else
        {
            findings.Fail("turns", e.Round.Value, $"turn {e.Turn} was published at {time}, when the round was in {round.PhaseAt(time)}");
        }
    }

    private void Voted(Attested e, ulong time)
    {
        const string Name = "attestations";
        var round = Running(e.Round, Name);
        if (round is null)
        {
            return;
        }

        var candidate = round.CandidateOf((int)e.Turn);
        findings.Compare(Name, e.Round.Value, candidate?.Id == e.Candidate, $"member {e.Id} attested {e.Candidate}, but turn {e.Turn} published {candidate?.Id}");
        findings.Compare(Name, e.Round.Value, round.SubmissionOf(e.Id) is not null, $"member {e.Id} attested without having submitted");
        findings.Compare(Name, e.Round.Value, candidate?.Votes.ContainsKey(e.Id) != true, $"member {e.Id} attested twice in turn {e.Turn}");
        findings.Compare(Name, e.Round.Value, round.PhaseAt(time) is Phase.Attestation phase && phase.Turn == e.Turn, $"member {e.Id} attested turn {e.Turn} at {time}, when the round was in {round.PhaseAt(time)}");
    }

    private void Rejected(CandidateRejected e, ulong time)
    {
        if (Running(e.Round, "attestations")?.CandidateOf((int)e.Turn) is not { } candidate)
        {
            return;
        }

        var round = State.Current!;
        var n = round.Submissions.Length;
        var against = candidate.Votes.Values.Count(v => !v);
        var expired = e.Time == candidate.PublishedAt + round.AttestWindow && e.Time <= time;
        findings.Compare("attestations", e.Round.Value, (against > n - Quorum.Of(n) && e.Time == time) || expired, $"turn {e.Turn} was rejected with {against} of {n} votes against it, before its time was over");
    }

    private void Finalised(RoundFinalised e, ulong time)
    {
        const string Name = "outcome";
        var round = Running(e.Round, Name);
        if (round?.CandidateOf((int)e.Turn) is not { } candidate)
        {
            findings.Fail(Name, e.Round.Value, $"finalised turn {e.Turn}, which published nothing");
            return;
        }

        var n = round.Submissions.Length;
        var valid = candidate.Votes.Count(v => v.Value && round.SubmissionOf(v.Key) is not null);
        findings.Compare(Name, e.Round.Value, valid >= Quorum.Of(n), $"finalised with {valid} valid attestations of {n} submitters; {Quorum.Of(n)} are needed");
        findings.Compare(Name, e.Round.Value, e.Candidate == candidate.Id && e.Aggregate == candidate.Aggregate && !e.Aggregate.IsZero, $"finalised {e.Candidate} with aggregate {e.Aggregate}, but {candidate.Id} with {candidate.Aggregate} was attested");
        findings.Compare(Name, e.Round.Value, e.Time == time, $"finalised at {e.Time}, but its block is of {time}");
        (_base, _finalised) = (e.Aggregate, _finalised + 1);
        findings.Compare(Name, e.Round.Value, e.Finalised == _finalised, $"says that {e.Finalised} rounds are finalised since the genesis, counted {_finalised}");
    }

    private void Aborted(RoundAborted e)
    {
        const string Name = "outcome";
        if (Running(e.Round, Name) is not { } round)
        {
            return;
        }

        var n = round.Submissions.Length;
        var agreed = e.Reason == AbortReason.TooFewIncluded
            && round.Candidates.Length > 0 && round.Candidates[^1].Aggregate.IsZero && round.Candidates[^1].Votes.Values.Count(v => v) >= Quorum.Of(n);
        findings.Compare(Name, e.Round.Value, agreed || round.PhaseAt(e.Time) is Phase.Aborted, $"aborted ({e.Reason}) at {e.Time}, when it was in {round.PhaseAt(e.Time)}");
    }

    private void Commit(MemberId id, RoundId from, Hash256 commitment)
    {
        if (!_commitments.TryGetValue(id, out var made))
        {
            _commitments[id] = made = [];
        }

        made.Add((from, commitment));
    }

    private RoundState? Running(RoundId id, string name)
    {
        if (State.Current is { FinalisedAt: null, AbortedAt: null } round && round.Id == id)
        {
            return round;
        }

        findings.Fail(name, id.Value, $"an event of round {id} came when it wasn't running");
        return null;
    }

    private void Summarise(RoundState round)
    {
        var id = round.Id.Value;
        var n = round.Submissions.Length;
        findings.Say("opening", id, $"{round.Eligible} members, base {round.Base}, policy {round.Policy}");
        findings.Say("submissions", id, $"{n} of {round.Eligible}, by members {string.Join(", ", round.Submissions.Select(s => s.Member))}, each once and in time");
        findings.Say("reveals", id, $"{n} secrets open their commitments; beacon {round.Beacon}");
        findings.Say("turns", id, $"order recomputed from the beacon: {string.Join(", ", round.Turns.Select(t => round.Submissions[t].Member))}");
        findings.Say("candidates", id, string.Join(", ", round.Candidates.Select(c => $"{c.Id} by member {c.Aggregator} in turn {c.Turn}")));
        findings.Say("attestations", id, string.Join("; ", round.Candidates.Select(c => $"turn {c.Turn}: {c.Votes.Values.Count(v => v)} valid, {c.Votes.Values.Count(v => !v)} invalid")));
        findings.Say("outcome", id, round.Winner is { } winner ? $"finalised with a quorum of {Quorum.Of(n)} of {n}: adapter {winner.Aggregate}" : round.AbortedAt is not null ? "aborted as the rules say" : "not decided yet");
    }
}

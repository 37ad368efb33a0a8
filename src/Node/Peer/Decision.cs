using System.Collections.Immutable;
using FedChain.Protocol;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Peer;

/// <summary>
/// The peer's whole judgement: what to do next, from what the chain says, what the home folder holds and what time it is. Pure, so that every case
/// can be tested without a chain, a disk or a clock. Rules: docs/protocol.md, "What a peer does".
/// </summary>
public static class Decision
{
    /// <summary>Chain seconds by which one member after the other steps in when the one before did not open the round.</summary>
    public const ulong OpeningStagger = 5;

    /// <summary>
    /// Chain seconds for which the first round of a successor of Rounds waits for members who haven't committed to it: at its opening they would miss it.
    /// </summary>
    public const ulong SuccessorPatience = 600;

    /// <summary>Chain seconds to the next opening up to which a new adapter isn't measured on its own: training from it measures it anyway.</summary>
    public const ulong TrainingSoon = 60;

    /// <param name="federation">The chain, folded from its events.</param>
    /// <param name="me">The seat that this peer operates.</param>
    /// <param name="local">What the home holds of the current round.</param>
    /// <param name="previous">What the home holds of the round before it.</param>
    /// <param name="now">Chain-adjusted time, Unix seconds.</param>
    /// <returns>Actions in the order in which they matter; empty to wait.</returns>
    public static ImmutableArray<PeerAction> Decide(FederationState federation, MemberId me, LocalRound local, LocalRound previous, ulong now)
    {
        if (federation.Current is not { } round)
        {
            return Open(federation, me, local, now);
        }

        IEnumerable<PeerAction> commits = round.IsSuperseded && federation.Seats.ContainsKey(me) && !federation.Commitments.ContainsKey(me) ? [new PeerAction.Commit()] : [];

        var late = federation.Rounds.Count < 2 ? [] : Serve(federation.Rounds[^2], me, previous); // away at the close: its update is still wanted
        IEnumerable<PeerAction> actions = round.PhaseAt(now) switch
        {
            Phase.Training => Contribute(round, me, local),
            Phase.Aggregation phase => Aggregate(round, phase, me, local, now),
            Phase.Attestation phase => Attest(round, phase, me, local, now),
            Phase.Finalised or Phase.Aborted => [.. Open(federation, me, local, now), .. Serve(round, me, local), .. Keep(federation, round, me, local, now)],
            var phase => throw new InvalidOperationException($"Unknown phase {phase}."),
        };
        return [.. commits, .. late, .. actions];
    }

    private static ImmutableArray<PeerAction> Open(FederationState federation, MemberId me, LocalRound local, ulong now)
    {
        if (local.IsPaused || federation.NextOpeningAt(now) is not { } due || !federation.EligibleNext.Contains(me))
        {
            return [];
        }

        var last = federation.Current?.Id ?? default;
        var members = federation.EligibleNext;
        if (federation.Current is { IsSuperseded: true } && !members.All(federation.Commitments.ContainsKey))
        {
            due = Math.Max(due, local.FollowsSince + SuccessorPatience);
        }

        var rank = (members.IndexOf(me) + members.Count - (int)(last.Value % (ulong)members.Count)) % members.Count;
        return now >= due + ((ulong)rank * OpeningStagger) ? [new PeerAction.OpenRound(last)] : [];
    }

    private static ImmutableArray<PeerAction> Contribute(RoundState round, MemberId me, LocalRound local)
    {
        if (local.IsPaused || !round.Seats.ContainsKey(me) || round.SubmissionOf(me) is not null)
        {
            return [];
        }

        return !local.HasBase ? [new PeerAction.ObtainAdapter(round.Id, round.Base)]
            : local.HasUpdate ? [new PeerAction.Submit(round.Id)]
            : !local.Diverged ? [new PeerAction.Train(round.Id)]
            : [];
    }

    /// <summary>After the close every submitter serves its update, and fetches and validates everybody's.</summary>
    private static IEnumerable<PeerAction> Serve(RoundState round, MemberId me, LocalRound local)
    {
        if (round.SubmissionOf(me) is null || !local.HasUpdate)
        {
            yield break;
        }

        if (!local.Exposed)
        {
            yield return new PeerAction.Expose(round.Id);
        }
    }

    /// <summary>Who did not recompute the round's adapter gets it from the others, to use it and to start from it; and learns what it is worth here.</summary>
    private static ImmutableArray<PeerAction> Keep(FederationState federation, RoundState round, MemberId me, LocalRound local, ulong now) =>
        round.Winner is not { } winner ? []
        : !local.HasResult ? [new PeerAction.ObtainAdapter(round.Id, winner.Aggregate)]
        : !local.IsPaused && !local.IsMeasured && !TrainsSoon(federation, me, now) ? [new PeerAction.Measure(round.Id)]
        : [];

    private static bool TrainsSoon(FederationState federation, MemberId me, ulong now) =>
        federation.NextOpeningAt(now) is { } due && due <= now + TrainingSoon && federation.EligibleNext.Contains(me);

    private static IEnumerable<PeerAction> Collect(RoundState round, MemberId me, LocalRound local, ulong now)
    {
        if (!local.HasBase)
        {
            yield return new PeerAction.ObtainAdapter(round.Id, round.Base); // updates are differences to it
            yield break;
        }

        // Its own it holds once it serves it, unless this home was restored from a backup made before, or lost it: then those who fetched it give it back.
        foreach (var submission in round.Submissions.Where(s => s.Member != me || !local.HasUpdate || local.Exposed))
        {
            if (!local.Held.Contains(submission.Index) && !local.Refused.Contains(submission.Index))
            {
                yield return new PeerAction.FetchUpdate(round.Id, submission.Index);
            }
        }

        var mine = round.SubmissionOf(me)!.Index;
        var seenAll = local.Held.Count + local.Refused.Count == round.Submissions.Length;
        if (!local.Holdings.Contains(mine) && (seenAll || now >= round.ClosesAt + (round.PublishWindow / 3)))
        {
            yield return new PeerAction.SignHoldings(round.Id);
        }
    }

    private static ImmutableArray<PeerAction> Aggregate(RoundState round, Phase.Aggregation phase, MemberId me, LocalRound local, ulong now)
    {
        if (round.SubmissionOf(me) is null)
        {
            return [];
        }

        List<PeerAction> actions = [.. Serve(round, me, local), .. Collect(round, me, local, now)];
        if (round.AggregatorOf(phase.Turn).Member == me)
        {
            var n = round.Submissions.Length;
            var halfway = phase.Since + ((phase.Until - phase.Since) / 2);
            if (local.Holdings.Count == n || (now >= halfway && local.Holdings.Count >= Quorum.Of(n)))
            {
                actions.Add(new PeerAction.Publish(round.Id, phase.Turn));
            }
            else
            {
                actions.AddRange(round.Submissions.Where(s => !local.Holdings.Contains(s.Index) && s.Member != me)
                    .Select(s => new PeerAction.FetchHoldings(round.Id, s.Index)));
            }
        }

        return [.. actions];
    }

    private static ImmutableArray<PeerAction> Attest(RoundState round, Phase.Attestation phase, MemberId me, LocalRound local, ulong now)
    {
        if (round.SubmissionOf(me) is null)
        {
            return [];
        }

        List<PeerAction> actions = [.. Serve(round, me, local), .. Collect(round, me, local, now)];
        var candidate = round.CandidateOf(phase.Turn)!;
        if (!candidate.Votes.ContainsKey(me))
        {
            actions.Insert(0, local.Verdicts.TryGetValue(phase.Turn, out var valid)
                ? new PeerAction.Attest(round.Id, phase.Turn, candidate.Id, valid)
                : new PeerAction.CheckCandidate(round.Id, phase.Turn));
        }

        return [.. actions];
    }
}

namespace FedChain.Protocol.Rounds;

/// <summary>
/// What a member did and failed to do in a series of rounds. All of it follows from what everybody sees on the chain, nothing from what a member says
/// of itself. The contract counts four of these too, in the same way; missed rounds and no-shows nobody has to send a transaction about, so they are
/// derived. Source: docs/protocol.md, "Counters".
/// </summary>
/// <param name="Submitted">Rounds that it submitted an update in.</param>
/// <param name="Missed">Rounds that counted it at the opening and were closed without an update of its.</param>
/// <param name="Published">Candidates that it published.</param>
/// <param name="NoShows">Turns of its that passed without a candidate.</param>
/// <param name="Rejected">Candidates of its that were rejected, by votes or by time.</param>
/// <param name="Contradicted">Its votes against candidates that were then finalised.</param>
public sealed record MemberCounters(int Submitted, int Missed, int Published, int NoShows, int Rejected, int Contradicted)
{
    /// <param name="member">Whose: a present seat's id.</param>
    /// <param name="rounds">Those that count.</param>
    /// <param name="now">Chain time, Unix seconds, not before the latest event.</param>
    public static MemberCounters Of(MemberId member, IEnumerable<RoundState> rounds, ulong now)
    {
        var counters = new MemberCounters(0, 0, 0, 0, 0, 0);
        foreach (var round in rounds)
        {
            var hasSubmitted = round.SubmissionOf(member) is not null;
            var passed = round.TurnsPassedAt(now);
            var candidates = round.Candidates.Where(c => c.Aggregator == member).ToList();
            counters = new(
                counters.Submitted + (hasSubmitted ? 1 : 0),
                counters.Missed + (!hasSubmitted && round.Seats.ContainsKey(member) && round.IsClosedAt(now) ? 1 : 0),
                counters.Published + candidates.Count,
                counters.NoShows + (hasSubmitted ? Enumerable.Range(0, passed).Count(t => round.CandidateOf(t) is null && round.AggregatorOf(t).Member == member) : 0),
                counters.Rejected + candidates.Count(c => c.Turn < passed),
                counters.Contradicted + (round.Winner?.Votes.GetValueOrDefault(member, true) == false ? 1 : 0));
        }

        return counters;
    }
}

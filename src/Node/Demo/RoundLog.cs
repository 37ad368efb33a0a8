using FedChain.Node.Peer;
using FedChain.Protocol.Content;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Demo;

/// <summary>What the members reported, put together with what the chain says, round by round.</summary>
internal sealed class RoundLog
{
    private readonly List<PeerEvent> _events = [];

    public void Add(PeerEvent e) => _events.Add(e);

    /// <summary>Whether some member has seen this round's end.</summary>
    public bool HasEnded(ulong round) => _events.OfType<PeerEvent.RoundEnded>().Any(e => e.Round == round);

    public RoundReport Report(RoundState round, DateTimeOffset began)
    {
        var id = round.Id.Value;
        var trained = Of<PeerEvent.Trained>(e => e.Round == id);
        var submitted = Of<PeerEvent.Submitted>(e => e.Round == id);
        var ended = Of<PeerEvent.RoundEnded>(e => e.Round == id).Min(e => (DateTimeOffset?)e.At) ?? began;
        var training = trained.Count == 0 ? 0 : (trained.Max(e => e.At) - trained.Min(e => e.At - TimeSpan.FromSeconds(e.Seconds))).TotalSeconds;
        var total = (ended - began).TotalSeconds;
        var published = Of<PeerEvent.Published>(e => e.Round == id).Max(e => (DateTimeOffset?)e.At);
        return new RoundReport
        {
            Round = id,
            Outcome = round.Winner is null ? "aborted" : "finalised",
            Base = round.Base.ToString(),
            Aggregate = round.Winner?.Aggregate.ToString(),
            Manifest = round.Winner is { } winner ? Cid.RawOf(winner.Manifest).ToString() : null,
            Beacon = round.Beacon.ToString(),
            Turns = [.. round.Turns.Select(t => round.Submissions[t].Member.Value)],
            Submissions = [.. round.Submissions.Select(s => Submission(s.Member.Value, trained, submitted))],
            Attestations = [.. round.Candidates.SelectMany(c => c.Votes.Select(v => new AttestationReport(c.Turn, v.Key.Value, v.Value)))],
            Gas = new Dictionary<string, IReadOnlyList<ulong>>(StringComparer.Ordinal)
            {
                ["open"] = [.. Of<PeerEvent.Opened>(e => e.Round == id).Select(e => e.Gas)],
                ["submit"] = [.. submitted.Select(e => e.Gas)],
                ["publish"] = [.. Of<PeerEvent.Published>(e => e.Round == id).Select(e => e.Gas)],
                ["attest"] = [.. Of<PeerEvent.Attested>(e => e.Round == id).Select(e => e.Gas)],
            },
            Seconds = new Dictionary<string, double>(StringComparer.Ordinal)
            {
                ["total"] = Math.Round(total, 3),
                ["training"] = Math.Round(training, 3),
                ["protocol"] = Math.Round(total - training, 3),
                ["aggregation"] = Between(submitted.Max(e => (DateTimeOffset?)e.At), published),
                ["attestation"] = Between(published, ended),
            },
        };
    }

    /// <summary>When some member first saw the round's end.</summary>
    public DateTimeOffset? EndOf(ulong round) => Of<PeerEvent.RoundEnded>(e => e.Round == round).Min(e => (DateTimeOffset?)e.At);

    public DateTimeOffset? OpeningOf(ulong round) => Of<PeerEvent.Opened>(e => e.Round == round).Min(e => (DateTimeOffset?)e.At);

    private static double Between(DateTimeOffset? from, DateTimeOffset? to) => from is { } start && to is { } end ? Math.Round(Math.Max(0, (end - start).TotalSeconds), 3) : 0;

    private static SubmissionReport Submission(uint member, List<PeerEvent.Trained> trained, List<PeerEvent.Submitted> submitted)
    {
        var t = trained.Find(e => e.Member == member);
        var s = submitted.Find(e => e.Member == member);
        return new SubmissionReport(
            member, s?.Manifest ?? "", s?.Payload ?? "", s?.Bytes ?? 0, t?.BaseModelLoss ?? double.NaN, t?.RoundBaseLoss ?? double.NaN, t?.ResultLoss ?? double.NaN);
    }

    private List<T> Of<T>(Func<T, bool> where)
        where T : PeerEvent => [.. _events.OfType<T>().Where(where)];
}

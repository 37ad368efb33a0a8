using System.CommandLine;
using System.Text.Json;
using FedChain.Node.Chain;
using FedChain.Node.Homes;
using FedChain.Node.Identity;
using FedChain.Protocol.Content;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Cli;

internal static class HistoryCommand
{
    public static Command Create()
    {
        var home = CommonOptions.Home(required: false);
        var rpc = CommonOptions.Rpc();
        var federation = CommonOptions.Federation();
        var json = CommonOptions.Json();
        var command = new Command("history", """
            Lists every round: who submitted, who aggregated, who attested, and the adapter that came of it.

            Example:
              fedchain history --home /srv/fedchain --json
            """)
        { home, rpc, federation, json };
        command.SetAction(async (result, cancellationToken) =>
        {
            await using var session = await ChainSession.OpenAsync(result.GetValue(home), result.GetValue(rpc), result.GetValue(federation), TimeProvider.System, cancellationToken);
            var rounds = session.Reader.State.Rounds;
            if (result.GetValue(json))
            {
                using var store = result.GetValue(home) is { } folder ? HomeStore.Open(HomeFolder.Open(folder.FullName)) : null;
                var links = new ModelLinks(session, store is null ? [] : [store], fetcher: null);
                var listed = new List<object>();
                foreach (var round in rounds)
                {
                    var included = round.Winner is null ? null : (await links.IncludedAsync(round, cancellationToken)).Included;
                    listed.Add(ToJson(round, session.Reader.Now, links, included));
                }

                Console.WriteLine(JsonSerializer.Serialize(listed, JsonOutput.Options));
                return;
            }

            if (rounds.IsEmpty)
            {
                Console.WriteLine("No round was opened yet.");
            }

            foreach (var round in rounds)
            {
                Write(round, session.Reader.Now);
            }
        });
        return command;
    }

    /// <param name="round">The round.</param>
    /// <param name="now">The chain's time.</param>
    /// <param name="links">Which model each update came from.</param>
    /// <param name="included">What entered the global adapter; null if there is none, or if its manifest isn't in the home's store.</param>
    private static object ToJson(RoundState round, ulong now, ModelLinks links, IReadOnlyList<Submission>? included) => new
    {
        round = round.Id.Value,
        outcome = round.PhaseAt(now).GetType().Name,
        opened = round.OpenedAt,
        policy = round.Policy.ToString(),
        @base = round.Base.ToString(),
        beacon = round.Beacon.ToString(),
        submissions = round.Submissions.Select(s => new { member = s.Member.Value, model = links.ModelOf(round, s.Member)?.ToString(), manifest = Cid.RawOf(s.Manifest).ToString() }),
        turns = round.Submissions.Length == 0 ? [] : round.Turns.Select(t => round.Submissions[t].Member.Value),
        candidates = round.Candidates.Select(c => new
        {
            turn = c.Turn,
            member = c.Aggregator.Value,
            manifest = Cid.RawOf(c.Manifest).ToString(),
            aggregate = c.Aggregate.ToString(),
            votes = c.Votes.Select(v => new { member = v.Key.Value, valid = v.Value }),
        }),
        aggregate = round.Winner?.Aggregate.ToString(),
        contributors = included?.Select(s => new { member = s.Member.Value, model = links.ModelOf(round, s.Member)?.ToString() }),
    };

    private static void Write(RoundState round, ulong now)
    {
        Console.WriteLine($"round {round.Id}  opened {StatusCommand.Time(round.OpenedAt)}  base {round.Base}");
        Console.WriteLine($"  {round.Submissions.Length} of {round.Eligible} submitted: {string.Join(", ", round.Submissions.Select(s => $"member {s.Member} {Cid.RawOf(s.Manifest)}"))}");
        foreach (var candidate in round.Candidates)
        {
            Console.WriteLine($"  turn {candidate.Turn}: member {candidate.Aggregator} published {candidate.Aggregate}; "
                + $"valid: {Voters(candidate, true)}; invalid: {Voters(candidate, false)}");
        }

        Console.WriteLine(round.Winner is { } winner ? $"  finalised: adapter {winner.Aggregate}, manifest {Cid.RawOf(winner.Manifest)}" : $"  {Ended(round.PhaseAt(now))}");

        static string Voters(Candidate candidate, bool valid) =>
            string.Join(", ", candidate.Votes.Where(v => v.Value == valid).Select(v => v.Key.ToString())) is { Length: > 0 } list ? list : "nobody";
    }

    private static string Ended(Phase phase) => phase switch
    {
        Phase.Aborted(var at) => $"aborted at {StatusCommand.Time(at)}: the next round starts from the same base",
        Phase.Training(var until) => $"training until {StatusCommand.Time(until)}",
        Phase.Aggregation(var turn, _, var until) => $"aggregation, turn {turn}, until {StatusCommand.Time(until)}",
        Phase.Attestation(var turn, _, var until) => $"attestation of turn {turn} until {StatusCommand.Time(until)}",
        _ => phase.ToString(),
    };
}

using System.CommandLine;
using System.Text.Json;
using FedChain.Node.Chain;
using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Cli;

internal static class StatusCommand
{
    public static Command Create()
    {
        var home = CommonOptions.Home(required: false);
        var rpc = CommonOptions.Rpc();
        var federation = CommonOptions.Federation();
        var json = CommonOptions.Json();
        var command = new Command("status", """
            Shows a federation as it is now: members and what they have done in the rounds so far, policy, and where the current round stands.

            Example:
              fedchain status --rpc http://127.0.0.1:8545 --federation 0x5fbdb2315678afecb367f032d93f642f64180aa3
            """)
        { home, rpc, federation, json };
        command.SetAction(async (result, cancellationToken) =>
        {
            await using var session = await ChainSession.OpenAsync(result.GetValue(home), result.GetValue(rpc), result.GetValue(federation), TimeProvider.System, cancellationToken);
            var state = session.Reader.State;
            if (result.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(ToJson(session, state), JsonOutput.Options));
            }
            else
            {
                Write(session, state);
            }
        });
        return command;
    }

    private static object ToJson(ChainSession session, FederationState state) => new
    {
        chainId = session.ChainId,
        nodes = session.Client.Providers.Select(p => new { name = p.Name, inUse = p.IsInUse, head = p.Head, fault = p.Fault }),
        federation = session.Federation.ToString(),
        governance = state.Governance.ToString(),
        roundsContract = state.RoundsContract.ToString(),
        policy = state.LatestPolicy?.Policy.ToString(),
        lastRound = state.LastRound,
        paused = state.Paused,
        founders = state.Founders.Length,
        foundersActivated = state.FoundersActivated,
        members = state.Seats.Values.Select(s => new
        {
            id = s.Id.Value,
            name = NameOf(state, s.Id),
            holder = s.Holder.ToString(),
            @operator = s.Operator.ToString(),
            endpoints = Sealing.EndpointsOf(state.Profiles.GetValueOrDefault(s.Id)).Select(e => e.ToString()),
            counters = MemberCounters.Of(s.Id, state.Rounds, session.Reader.Now),
        }),
        round = state.Current is not { } round ? null : new
        {
            id = round.Id.Value,
            phase = round.PhaseAt(session.Reader.Now).GetType().Name,
            until = UntilOf(round.PhaseAt(session.Reader.Now)),
            @base = round.Base.ToString(),
            submitted = round.Submissions.Select(s => s.Member.Value),
            aggregate = round.Winner?.Aggregate.ToString(),
        },
    };

    private static void Write(ChainSession session, FederationState state)
    {
        Console.WriteLine($"federation {session.Federation} on chain {session.ChainId}; governance {state.Governance}, rounds {state.RoundsContract}");
        foreach (var node in session.Client.Providers)
        {
            Console.WriteLine($"node       {node}");
        }

        Console.WriteLine($"policy     {state.LatestPolicy?.Policy}; rounds up to {state.LastRound}{(state.Paused ? "; PAUSED" : "")}");
        if (state.FoundersActivated < state.Founders.Length)
        {
            Console.WriteLine($"founding   {state.FoundersActivated} of {state.Founders.Length} founders have activated; nothing can be opened before {Time(state.FoundingEndsAt)} unless all have");
            var missing = Enumerable.Range(1, state.Founders.Length).Where(i => !state.Seats.ContainsKey(new MemberId((uint)i))).Select(i => state.Founders[i - 1]);
            Console.WriteLine($"           yet to run 'fedchain activate': {string.Join(", ", missing)}");
        }

        foreach (var seat in state.Seats.Values)
        {
            Console.WriteLine($"member {seat.Id,3} {NameOf(state, seat.Id)}  holder {seat.Holder}  operator {seat.Operator}{(seat.DormantFrom is null ? "" : "  DORMANT")}");
        }

        if (state.Current is not { } round)
        {
            Console.WriteLine("no round was opened yet; the members' peers ('fedchain node') open the first one when they may");
            return;
        }

        Console.WriteLine("counters   submitted  missed  published  no-shows  rejected  contradicted");
        foreach (var id in state.Seats.Keys)
        {
            var c = MemberCounters.Of(id, state.Rounds, session.Reader.Now);
            Console.WriteLine($"member {id,3} {c.Submitted,9}  {c.Missed,6}  {c.Published,9}  {c.NoShows,8}  {c.Rejected,8}  {c.Contradicted,12}");
        }

        var phase = round.PhaseAt(session.Reader.Now) switch
        {
            Phase.Training(var until) => $"training until {Time(until)}; submitted: {Members(round.Submissions.Select(s => s.Member))}",
            Phase.Aggregation(var turn, _, var until) => $"aggregation, turn {turn} of member {round.AggregatorOf(turn).Member}, until {Time(until)}",
            Phase.Attestation(var turn, _, var until) => $"attestation of turn {turn} until {Time(until)}: {Votes(round.CandidateOf(turn)!)}",
            Phase.Finalised(var at) => $"finalised at {Time(at)}: adapter {round.Winner!.Aggregate}",
            Phase.Aborted(var at) => $"aborted at {Time(at)}",
            var other => other.ToString(),
        };
        Console.WriteLine($"round {round.Id,4} {phase}");
    }

    internal static string NameOf(FederationState state, MemberId id) => Sealing.ProfileOf(state.Profiles.GetValueOrDefault(id))?.Name ?? "(no readable profile)";

    internal static string Time(ulong seconds) => RefusalText.Time(seconds);

    private static string Members(IEnumerable<MemberId> members) => string.Join(", ", members.Select(m => m.ToString())) is { Length: > 0 } list ? list : "nobody";

    private static string Votes(Candidate candidate) => $"{candidate.Votes.Values.Count(v => v)} valid, {candidate.Votes.Values.Count(v => !v)} invalid";

    private static ulong? UntilOf(Phase phase) => phase switch
    {
        Phase.Training(var until) => until,
        Phase.Aggregation(_, _, var until) => until,
        Phase.Attestation(_, _, var until) => until,
        _ => null,
    };
}

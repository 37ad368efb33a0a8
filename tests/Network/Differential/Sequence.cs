using System.Text.Json;
using System.Text.Json.Nodes;
using FedChain.Network.Chain;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Rounds;

namespace FedChain.Network.Tests.Differential;

/// <summary>A sequence on its way: each call goes to the mirror and to the contracts, which must say the same.</summary>
internal sealed class Sequence(TestNode node, Founding founding, Mirror mirror)
{
    private static readonly JsonSerializerOptions Relaxed = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
    };

    private readonly List<(Operation Operation, Outcome Outcome)> _steps = [];

    /// <exception cref="DisagreementException">Mirror and contracts part ways.</exception>
    public async Task StepAsync(Operation operation, Coverage? coverage, CancellationToken cancellation)
    {
        var expected = mirror.Execute(operation);
        _steps.Add((operation, expected));
        coverage?.Add(operation, expected);
        var actual = await node.ExecuteAsync(operation, cancellation);
        if (!actual.Equals(expected))
        {
            throw Disagreement($"{operation.Function.Name} by {operation.By}", expected.ToString(), actual.ToString());
        }

        if (operation.Function == RoundsAbi.Open && operation.To == mirror.InUse.Address)
        {
            RequireForeseen(operation, expected);
        }

        if (expected.Refusal is null)
        {
            await CompareViewsAsync(operation.Time, cancellation);
        }
    }

    /// <summary>At the end: what a peer reads from the log, and folds, is what the mirror has.</summary>
    public async Task FinishAsync(CancellationToken cancellation)
    {
        var log = (await new EventReader(node.Client, Scene.Membership, 1).ReadAsync(cancellation)).Events;
        FederationState state;
        try
        {
            state = log.Aggregate(FederationState.Empty, (s, e) => s.Apply(e.Event));
        }
        catch (InvalidDataException e)
        {
            throw Disagreement("the fold of the log", "a state", e.Message);
        }

        Compare("the log's fold: rounds contract", mirror.Federation.RoundsContract, state.RoundsContract);
        Compare("the log's fold: latest policy", mirror.Federation.LatestPolicy, state.LatestPolicy);
        Compare("the log's fold: last round allowed", mirror.Federation.LastRound, state.LastRound);
        Compare("the log's fold: seats", string.Join(", ", mirror.Federation.Seats.Values), string.Join(", ", state.Seats.Values));
        Compare("the log's fold: rounds", string.Join(", ", mirror.Federation.Rounds.Select(Show)), string.Join(", ", state.Rounds.Select(Show)));
    }

    /// <summary>The sequence as a vector.</summary>
    public string ToJson(string name)
    {
        var steps = _steps.Select(s =>
        {
            var step = s.Operation.ToJson(mirror.Names);
            step["then"] = new JsonArray([.. s.Outcome.Lines.Select(line => (JsonNode)mirror.Names.Explain(line))]);
            return "  " + step.ToJsonString(Relaxed);
        });
        return $$"""
            {
             "name": "{{name}}",
             "founders": {{founding.Founders}},
             "policy": {{JsonSerializer.Serialize(founding.Params, Relaxed)}},
             "steps": [
            {{string.Join(",\n", steps)}}
             ]
            }
            """;
    }

    private static string Show(RoundState round) =>
        $"round {round.Id} of {round.OpenedAt} on {round.Base}, closed at {round.ClosesAt}, set {round.Set}, candidates [{string.Join(", ", round.Candidates.Select(c => $"{c.Id} {c.RejectedAt} {string.Join(' ', c.Votes)}"))}], "
        + $"finalised {round.FinalisedAt}, aborted {round.AbortedAt}, seats [{string.Join(", ", round.Seats.Values)}]";

    /// <summary>Peers ask <see cref="FederationState.NextOpeningAt"/> before they try.</summary>
    private void RequireForeseen(Operation operation, Outcome outcome)
    {
        var before = Replay(_steps.Count - 1);
        var foreseen = before.Federation.NextOpeningAt(operation.Time) is { } at && at <= operation.Time;
        var possible = outcome.Refusal is not { } refusal || refusal.Is(ContractErrors.NotOperator) || refusal.Is(ContractErrors.TooFewMembers);
        if (foreseen != possible && outcome.Refusal?.Is(ContractErrors.NotOperator) != true)
        {
            throw Disagreement("FederationState.NextOpeningAt", $"{foreseen}", $"{possible}: {outcome}");
        }
    }

    private Mirror Replay(int steps)
    {
        var copy = new Mirror(founding);
        foreach (var (operation, _) in _steps.Take(steps))
        {
            copy.Execute(operation);
        }

        return copy;
    }

    private async Task CompareViewsAsync(ulong time, CancellationToken cancellation)
    {
        var views = View.Of(mirror, time + (ulong)(_steps.Count * 7 % 60)).ToList();
        var answers = await node.CallAsync([.. views.Select(v => v.Call)], cancellation);
        foreach (var (view, answer) in views.Zip(answers))
        {
            Compare(view.Name, view.Expected, view.Read(view.Function.DecodeOutput(answer)));
        }
    }

    private void Compare(string what, object? expected, object? actual)
    {
        if (!Equals(expected, actual))
        {
            throw Disagreement(what, $"{expected}", $"{actual}");
        }
    }

    private DisagreementException Disagreement(string what, string expected, string actual) => new(
        $"Call {_steps.Count}, {what}:\n mirror:   {mirror.Names.Explain(expected)}\n contract: {mirror.Names.Explain(actual)}\nThe calls so far, as a vector:\n{ToJson("disagreement")}");
}

/// <summary>The message says which call, what each side says, and all calls up to there.</summary>
internal sealed class DisagreementException(string message) : Exception(message);

using FedChain.Network.Chain;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Rounds;

namespace FedChain.Network.Tests.Differential;

/// <summary>A sequence on its way: each call goes to the mirror and to the contracts, which must say the same.</summary>
internal sealed class Sequence(TestNode node, Founding founding, Mirror mirror)
{
    private readonly List<(Operation Operation, Outcome Outcome)> _steps = [];

    public IReadOnlyList<Operation> Operations => [.. _steps.Select(s => s.Operation)];

    /// <summary>Another sequence of the same calls, on a federation of its own.</summary>
    /// <exception cref="DisagreementException">Mirror and contracts part ways.</exception>
    public static async Task RunAsync(TestNode node, Founding founding, Mirror mirror, IEnumerable<Operation> operations, CancellationToken cancellation)
    {
        await node.BeginAsync(founding, cancellation);
        var sequence = new Sequence(node, founding, mirror);
        foreach (var operation in operations)
        {
            await sequence.StepAsync(operation, cancellation);
        }

        await sequence.FinishAsync(cancellation);
    }

    /// <summary>Tries a call on both.</summary>
    /// <exception cref="DisagreementException">They say different things, of the call, of what has become of them, or of what peers foresaw.</exception>
    public async Task<Outcome> StepAsync(Operation operation, CancellationToken cancellation)
    {
        var before = mirror.Federation;
        var expected = mirror.Execute(operation);
        _steps.Add((operation, expected));
        var actual = await node.ExecuteAsync(operation, tryFirst: expected.Refusal is not null, cancellation);
        if (!actual.Equals(expected))
        {
            throw Disagreement("what becomes of it", expected.ToString(), actual.ToString());
        }

        if (operation.Function == RoundsAbi.Open && operation.To == before.RoundsContract)
        {
            RequireForeseen(before, operation, expected);
        }

        if (expected.Refusal is null)
        {
            await CompareViewsAsync(operation, cancellation);
        }

        return expected;
    }

    /// <summary>At the end: what a peer reads from the log, and folds, is what the mirror has.</summary>
    /// <exception cref="DisagreementException">It isn't.</exception>
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

        Compare("the fold of the log", Show(mirror.Federation), Show(state));
    }

    private static string Show(FederationState s) =>
        $"{s.RoundsContract}, {s.LatestPolicy}, rounds up to {s.LastRound}, paused {s.Paused}, {s.FoundersActivated} founders, "
        + $"seats [{string.Join(", ", s.Seats.Values)}], applications [{string.Join(", ", s.Applications.Values)}], auditors [{string.Join(", ", s.Auditors)}], rounds:\n{string.Join("\n", s.Rounds.Select(Show))}";

    private static string Show(RoundState r) =>
        $"{r.Id} at {r.OpenedAt} to {r.ClosesAt} on {r.Base} under {r.Policy}, {r.FinalisedBefore} before, set {r.Set}, beacon {r.Beacon}, seats [{string.Join(", ", r.Seats.Values)}], auditors [{string.Join(", ", r.Auditors)}], "
        + $"candidates [{string.Join(", ", r.Candidates.Select(c => $"{c} votes [{string.Join(' ', c.Votes)}]"))}], finalised {r.FinalisedAt}, aborted {r.AbortedAt}, superseded {r.IsSuperseded}";

    /// <summary>Peers ask <see cref="FederationState.NextOpeningAt"/> before they try; it knows nothing of the caller, nor of the least number of members.</summary>
    private void RequireForeseen(FederationState before, Operation operation, Outcome outcome)
    {
        var isDue = before.NextOpeningAt(operation.Time) is { } at && at <= operation.Time;
        var isOpenable = outcome.Refusal is not { } refusal || refusal.Is(ContractErrors.TooFewMembers);
        if (isDue != isOpenable && outcome.Refusal?.Is(ContractErrors.NotOperator) != true)
        {
            throw Disagreement("FederationState.NextOpeningAt", isDue ? "an opening is due" : "no opening is due", outcome.ToString());
        }
    }

    private async Task CompareViewsAsync(Operation last, CancellationToken cancellation)
    {
        var views = View.Of(mirror, last.Sender, last.To, last.Time + (ulong)(_steps.Count * 7 % 60)).ToList();
        var answers = await node.CallAsync([.. views.Select(v => (v.To, v.Function.Encode(v.Arguments)))], cancellation);
        foreach (var (view, answer) in views.Zip(answers))
        {
            Compare(view, view.Expected, view.Read(view.Function.DecodeOutput(answer)));
        }
    }

    private void Compare(object what, object expected, object actual)
    {
        if (!Equals(expected, actual))
        {
            throw Disagreement($"then {what}", expected.ToString()!, actual.ToString()!);
        }
    }

    private DisagreementException Disagreement(string what, string expected, string actual)
    {
        var last = _steps[^1].Operation;
        return new(
            $"Call {_steps.Count}, {last.Function.Name} by {last.By}: {what}.\n"
            + $" mirror:   {mirror.Names.Explain(expected)}\n contract: {mirror.Names.Explain(actual)}\n"
            + $"The calls, as a vector:\n{Vector.ToJson("found by chance", founding, _steps, mirror.Names)}")
        {
            Operations = Operations,
        };
    }
}

/// <summary>The message says which call, what each side says, and all calls up to there.</summary>
internal sealed class DisagreementException(string message) : Exception(message)
{
    public required IReadOnlyList<Operation> Operations { get; init; }
}

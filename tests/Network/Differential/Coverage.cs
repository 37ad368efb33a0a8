using System.Collections.Concurrent;
using System.Text;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.Network.Tests.Differential;

/// <summary>How often each outcome came up: sequences that never get anywhere agree on everything.</summary>
internal sealed class Coverage
{
    private readonly ConcurrentDictionary<string, int> _counts = new();

    public int this[string what] => _counts.GetValueOrDefault(what);

    public void Add(Operation o, Outcome outcome)
    {
        Count("calls");
        Count(outcome.Refusal is null ? $"{o.Function.Name} accepted" : $"{o.Function.Name} refused: {outcome.Refusal.Name}");
        foreach (var (emitter, e) in outcome.Events)
        {
            Count($"event {e.GetType().Name}");
            switch (e)
            {
                case RoundAborted aborted:
                    Count($"aborted: {aborted.Reason}");
                    break;
                case RoundFinalised { Turn: > 0 }:
                    Count("finalised after the first turn");
                    break;
                case RoundOpened { Finalised: > 0 }:
                    Count("opened on a result");
                    break;
                case CandidateRejected rejected:
                    Count(rejected.Time == o.Time && o.Function.Name.StartsWith("attest", StringComparison.Ordinal) ? "rejected by votes" : "rejected by time");
                    break;
                case TrainingClosed when o.Function.Name != "submit":
                    Count("closed by a departure");
                    break;
                default:
                    break;
            }

            if (emitter == Scene.Successor)
            {
                Count("events of the successor");
            }
        }
    }

    public void Count(string what) => _counts.AddOrUpdate(what, 1, (_, n) => n + 1);

    /// <summary>A line for each outcome, with its number.</summary>
    public override string ToString() => _counts.OrderBy(c => c.Key, StringComparer.Ordinal).Aggregate(new StringBuilder(), (text, c) => text.AppendLine($"{c.Value,9:N0}  {c.Key}")).ToString();
}

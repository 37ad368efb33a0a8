using FedChain.Protocol;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Numerics;

namespace FedChain.Aggregator;

/// <summary>A round's result.</summary>
/// <param name="Adapter">The new global adapter.</param>
/// <param name="Digest">SHA-256 of its file: the aggregate that goes on the chain.</param>
public sealed record Aggregate(Adapter Adapter, Hash256 Digest);

/// <summary>
/// From the base, the policy and the included updates to the one right aggregate. The aggregator publishes it, every attester compares with it, and
/// so does whoever verifies the history with a key.
/// </summary>
public static class Recomputation
{
    /// <summary>Computes the aggregate.</summary>
    /// <param name="terms">The round.</param>
    /// <param name="updates">The included updates, in any order; at least one, each member once, all validated against these terms.</param>
    /// <param name="threads">How many threads may work at once; 0 for one per processor. It changes nothing but the time.</param>
    /// <param name="cancellationToken">Looked at between pieces.</param>
    /// <exception cref="ArgumentException">No update, two of one member, or one that was validated for another round.</exception>
    public static Aggregate Compute(RoundTerms terms, IReadOnlyList<ValidUpdate> updates, int threads = 0, CancellationToken cancellationToken = default)
    {
        if (updates.Count == 0 || updates.DistinctBy(u => u.Member).Count() != updates.Count)
        {
            throw new ArgumentException("An aggregate is made of at least one update, and of one of each member.", nameof(updates));
        }

        if (updates.Any(u => !ReferenceEquals(u.Terms, terms) && u.Terms != terms))
        {
            throw new ArgumentException("An update was validated against other terms than this round's.", nameof(updates));
        }

        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        var step = terms.Policy.Rule switch
        {
            AggregationRule.Mean => WeightedMean.Of(updates, threads == 0 ? Environment.ProcessorCount : threads, cancellationToken),
            _ => throw new NotSupportedException($"This version does not compute the rule {terms.Policy.Rule}."),
        };

        var adapter = Apply(terms.Base, terms.Factors, step);
        return new Aggregate(adapter, AdapterFile.Digest(adapter));
    }

    /// <summary>base + step over the factors of the round, held within the adapter's range; a mean of valid updates never leaves it.</summary>
    private static Adapter Apply(Adapter @base, Factors factors, ReadOnlySpan<int> step)
    {
        var values = @base.Values.ToArray();
        var at = 0;
        foreach (var tensor in @base.Layout.Of(factors))
        {
            foreach (ref var value in values.AsSpan(tensor.Offset, tensor.Count))
            {
                value = FixedPoint.Clamp((long)value + step[at++]);
            }
        }

        return new Adapter(@base.Layout, @base.FractionBits, values);
    }
}

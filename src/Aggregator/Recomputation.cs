using FedChain.Aggregator.Rules;
using FedChain.Protocol;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Numerics;

namespace FedChain.Aggregator;

/// <summary>A round's result.</summary>
/// <param name="Adapter">The new global adapter.</param>
/// <param name="Digest">SHA-256 of its file: the aggregate that goes on the chain.</param>
/// <param name="Velocity">What server momentum carries into the next round; null for rules without it.</param>
public sealed record Aggregate(Adapter Adapter, Hash256 Digest, StateVector? Velocity);

/// <summary>
/// From the base, the policy and the included updates to the one right aggregate. The aggregator publishes it, every attester compares with it, and
/// so does whoever verifies the history with a key.
/// </summary>
public static class Recomputation
{
    /// <summary>Computes the aggregate.</summary>
    /// <param name="terms">The round.</param>
    /// <param name="updates">The included updates, in any order; as many as the rule needs, each member once, all validated against these terms.</param>
    /// <param name="velocity">
    /// Under server momentum, what the last finalised round of the genesis carried on; null, which is zero, after a reset and where that round's rule
    /// carried nothing. Other rules have none.
    /// </param>
    /// <param name="threads">How many threads may work at once; 0 for one per processor. It changes nothing but the time.</param>
    /// <param name="cancellationToken">Looked at between pieces.</param>
    /// <exception cref="ArgumentException">
    /// Fewer updates than the rule needs, two of one member, or one that was validated for another round; a velocity of another layout, or for a rule
    /// without momentum.
    /// </exception>
    public static Aggregate Compute(
        RoundTerms terms, IReadOnlyList<ValidUpdate> updates, StateVector? velocity = null, int threads = 0, CancellationToken cancellationToken = default)
    {
        var rule = terms.Policy.Rule;
        if (updates.Count < rule.MinimumUpdates || updates.DistinctBy(u => u.Member).Count() != updates.Count)
        {
            throw new ArgumentException(
                $"An aggregate by this rule is made of at least {rule.MinimumUpdates} updates, and of one of each member; got {updates.Count}.", nameof(updates));
        }

        if (updates.Any(u => !ReferenceEquals(u.Terms, terms) && u.Terms != terms))
        {
            throw new ArgumentException("An update was validated against other terms than this round's.", nameof(updates));
        }

        if (velocity is not null && (rule is not AggregationRule.Momentum || !velocity.Layout.Equals(terms.Base.Layout)))
        {
            throw new ArgumentException("Only server momentum carries a velocity, of the adapter's layout.", nameof(velocity));
        }

        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        ValidUpdate[] ordered = [.. updates.OrderBy(u => u.Member)];
        var step = Step(rule.Combining, terms, ordered, threads == 0 ? Environment.ProcessorCount : threads, cancellationToken);
        StateVector? next = null;
        if (rule is AggregationRule.Momentum(var beta, _))
        {
            next = ServerMomentum.Next(beta, velocity ?? StateVector.Zero(terms.Base.Layout), terms.Factors, step);
            step = next.Of(terms.Factors);
        }

        var adapter = Apply(terms.Base, terms.Factors, step);
        return new Aggregate(adapter, AdapterFile.Digest(adapter), next);
    }

    /// <summary>What the rule makes of the differences; the updates stand in the order of their members.</summary>
    private static int[] Step(AggregationRule rule, RoundTerms terms, ValidUpdate[] updates, int threads, CancellationToken cancellationToken) => rule switch
    {
        AggregationRule.Mean => WeightedMean.Of(updates, [.. updates.Select(u => u.Weight)], threads, cancellationToken: cancellationToken),
        AggregationRule.FairMean fair => WeightedMean.Of(
            updates, FairWeights.Of(fair, [.. updates.Select(u => (u.Weight, u.Header.Metadata.Losses))]), threads, cancellationToken: cancellationToken),
        AggregationRule.ClippedMean(var norm) => NormClipping.Of(updates, norm, threads, cancellationToken),
        AggregationRule.Median => CoordinateRules.Median(updates, threads, cancellationToken),
        AggregationRule.TrimmedMean(var trim) => CoordinateRules.TrimmedMean(updates, trim, threads, cancellationToken),
        AggregationRule.MultiKrum(var faulty, var selected) => Uniform(MultiKrum.Select(updates, faulty, selected, threads, cancellationToken), threads, cancellationToken),
        AggregationRule.BucketedMedian(var size) => CoordinateRules.BucketedMedian(
            updates, CoordinateRules.Buckets(terms.Beacon, terms.Round, updates.Length, size), threads, cancellationToken),
        _ => throw new NotSupportedException($"This version does not compute the rule {rule}."),
    };

    private static int[] Uniform(ValidUpdate[] updates, int threads, CancellationToken cancellationToken) =>
        WeightedMean.Of(updates, [.. updates.Select(_ => 1L)], threads, cancellationToken: cancellationToken);

    /// <summary>base + step over the factors of the round, held within the adapter's range. Only momentum leaves it with valid updates: every other step lies among their differences, or closer to 0.</summary>
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

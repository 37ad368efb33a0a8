using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;

namespace FedChain.Aggregator.Rules;

/// <summary>
/// w' = clamp(floor(w a^q / b^q), 1, 3 w), in 128 bits. By gain: a = G, b = g; g is the loss of the untouched base less that of the round's base, on the
/// member's own validation data and at least <see cref="Least"/>, and G the lower median of g over the included updates. By loss: a = l, b = L; l is the
/// loss of the round's base, likewise floored, and L its lower median. Losses are reported by the members themselves: who lies has at most three times
/// its weight.
/// </summary>
public static class FairWeights
{
    /// <summary>The least gain or loss that is reckoned with: a thousandth of a nat per token. In the first rounds nobody has gained, and all weigh alike.</summary>
    public const long Least = 1000;

    /// <summary>How many times its weight an update can get.</summary>
    public const int Cap = 3;

    /// <summary>w of everybody where the policy's weights are uniform. With w = 1 only whoever gained less than half of G would weigh more, and nobody less.</summary>
    public const long Uniform = 1 << 10;

    /// <summary>The weights w', in the updates' order.</summary>
    /// <param name="rule">By what, and q.</param>
    /// <param name="updates">Each included update's w where the weights aren't uniform, 1 to <see cref="Policy.MaxWeight"/>, and its losses.</param>
    public static long[] Of(AggregationRule.FairMean rule, IReadOnlyList<(long Weight, UpdateLosses Losses)> updates)
    {
        var figures = updates.Select(u => Figure(rule.By, u.Losses)).ToArray();
        var median = LowerMedian(figures);
        return [.. updates.Select((u, k) =>
        {
            var weight = rule.Weights == Weighting.Uniform ? Uniform : u.Weight;
            return rule.By == Fairness.Gain ? Raised(weight, median, figures[k], rule.Power) : Raised(weight, figures[k], median, rule.Power);
        })];
    }

    /// <summary>The middle value, the lower one of the middle two.</summary>
    internal static T LowerMedian<T>(IReadOnlyCollection<T> values) => values.Order().ElementAt((values.Count - 1) / 2);

    private static long Figure(Fairness by, UpdateLosses losses) =>
        Math.Max(Least, by == Fairness.Gain ? losses.Untouched.Value - losses.Base.Value : losses.Base.Value);

    /// <summary>w below 2^21 and figures below 2^53: w a^2 fits 128 bits.</summary>
    private static long Raised(long weight, long numerator, long denominator, int power)
    {
        UInt128 a = (UInt128)numerator, b = (UInt128)denominator;
        var raised = (UInt128)weight * (power == 1 ? a : a * a) / (power == 1 ? b : b * b);
        return (long)UInt128.Clamp(raised, 1, (UInt128)(Cap * weight));
    }
}

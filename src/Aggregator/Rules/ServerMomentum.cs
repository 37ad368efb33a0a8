using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;

namespace FedChain.Aggregator.Rules;

/// <summary>
/// The heavy ball as server optimiser (FedAvgM; Hsu et al., "Measuring the Effects of Non-Identical Data Distribution", 2019): velocity' = beta velocity +
/// step, in integers: clamp(trunc(beta v / 1000) + step, ±(2^24 - 2)). Towards zero, so that what is fed no longer dies out. The other factor's
/// velocity waits for its next round.
/// </summary>
public static class ServerMomentum
{
    /// <summary>The velocity after a round.</summary>
    /// <param name="beta">In thousandths, below 1000.</param>
    /// <param name="velocity">Before it.</param>
    /// <param name="factors">The round's factors.</param>
    /// <param name="step">What the rule made of the updates, one integer for each value of those factors.</param>
    public static StateVector Next(int beta, StateVector velocity, Factors factors, int[] step) =>
        velocity.With(factors, (i, v) => ((long)beta * v / AggregationRule.MomentumUnit) + step[i]);
}

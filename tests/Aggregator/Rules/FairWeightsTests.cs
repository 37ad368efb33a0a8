using FedChain.Aggregator.Rules;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Numerics;

namespace FedChain.Aggregator.Tests.Rules;

public sealed class FairWeightsTests
{
    [Theory]
    [InlineData(1, new long[] { 200, 100, 50 })]
    [InlineData(2, new long[] { 300, 100, 25 })]
    public void Half_the_median_gain_weighs_twice_as_much_and_four_times_with_a_square_which_the_cap_holds_to_three(int power, long[] expected) =>
        Assert.Equal(expected, Weights(Fairness.Gain, power, (100, 2_000_000, 1_900_000), (100, 3_000_000, 2_800_000), (100, 4_000_000, 3_600_000)));

    [Theory]
    [InlineData(1, new long[] { 50, 100, 150 })]
    [InlineData(2, new long[] { 25, 100, 225 })]
    public void By_loss_a_higher_loss_weighs_more_whatever_was_gained(int power, long[] expected) =>
        Assert.Equal(expected, Weights(Fairness.Loss, power, (100, 9_000_000, 1_000_000), (100, 2_000_000, 2_000_000), (100, 1, 3_000_000)));

    [Fact]
    public void Of_an_even_number_the_lower_middle_gain_is_the_median() =>
        // gains 100k, 200k, 400k, 800k: the median is 200k
        Assert.Equal([20, 10, 5, 2], Weights(Fairness.Gain, 1, (10, 1_000_000, 200_000), (10, 1_000_000, 600_000), (10, 1_000_000, 800_000), (10, 1_000_000, 900_000)).Order().Reverse());

    [Fact]
    public void In_the_first_round_nobody_has_gained_and_all_weigh_what_they_claim() =>
        Assert.Equal([7, 1, 9], Weights(Fairness.Gain, 2, (7, 2_000_000, 2_000_000), (1, 2_500_000, 2_500_000), (9, 0, 0)));

    [Fact]
    public void A_loss_that_has_risen_counts_as_the_least_gain_and_so_does_one_of_the_least() =>
        Assert.Equal([30, 30, 10, 10, 1], Weights(
            Fairness.Gain, 1, (10, 0, Micronats.MaxValue), (10, 1_000_000, 999_001), (10, 1_000_000, 997_000), (10, 1_000_000, 997_000), (10, Micronats.MaxValue, 0)));

    [Fact]
    public void Nothing_overflows_with_the_largest_weights_and_losses()
    {
        const long Most = Policy.MaxWeight;
        Assert.Equal([3 * Most, Most, Most], Weights(Fairness.Gain, 2, (Most, 0, 0), (Most, Micronats.MaxValue, 0), (Most, Micronats.MaxValue, 0)));
        Assert.Equal([1, Most, Most], Weights(Fairness.Loss, 2, (Most, 0, 0), (Most, 0, Micronats.MaxValue), (Most, 0, Micronats.MaxValue)));
        Assert.True((1L << 16) * FairWeights.Cap * Most <= WeightedSum.MaxWeight);
    }

    [Fact]
    public void Uniform_weights_are_fine_enough_to_tell_a_third_more_or_less() =>
        // gains 75k, 100k, 150k
        Assert.Equal([1365, 1024, 682], FairWeights.Of(
            new AggregationRule.FairMean(Weighting.Uniform, Fairness.Gain, 1),
            [.. new[] { 75_000, 100_000, 150_000 }.Select(g => (1L, new UpdateLosses(new Micronats(1_000_000), new Micronats(1_000_000 - g), new Micronats(0))))]));

    private static long[] Weights(Fairness by, int power, params (long Weight, long Untouched, long Base)[] updates) => FairWeights.Of(
        new AggregationRule.FairMean(Weighting.Samples, by, power),
        [.. updates.Select(u => (u.Weight, new UpdateLosses(new Micronats(u.Untouched), new Micronats(u.Base), new Micronats(0))))]);
}

using System.Runtime.Intrinsics;
using CsCheck;
using FedChain.Aggregator.Rules;
using FedChain.Protocol;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Numerics;

namespace FedChain.Aggregator.Tests.Rules;

public sealed class RobustRulesTests
{
    private static readonly Federation Three = Federation.Flat(3);

    [Fact]
    public void The_median_of_an_even_number_is_the_even_neighbour_of_the_middle() =>
        Assert.Equal([2, -2, 0], Result(new AggregationRule.Median(), [-900, -1, -1], [1, -2, 0], [2, -3, 1], [800, -900, 7]));

    [Fact]
    public void A_trimmed_mean_forgets_the_ends_of_each_coordinate_by_itself() =>
        // 1 2 3 | 5 6 6 | -1 0 0: means 2, 17/3, -1/3
        Assert.Equal([2, 6, 0], Result(new AggregationRule.TrimmedMean(1), [1, 5, 99999], [2, 6, -1], [3, 6, 0], [-77777, 88888, 0], [4, -5, -88888]));

    [Fact]
    public void A_clipped_mean_shortens_what_is_longer_than_the_norm_and_nothing_else() =>
        // (3, 4, 0) has norm 5 and stays; (0, 0, 50) becomes (0, 0, 5); (0, -1, 0) stays
        Assert.Equal([1, 1, 2], Result(new AggregationRule.ClippedMean(5), [3, 4, 0], [0, 0, 50], [0, -1, 0]));

    [Fact]
    public void By_the_median_norm_half_of_the_updates_are_left_as_they_are() =>
        // norms 1, 10, 1000, 1000000: the lower median is 10; (1 + 10 + 10 + 10) / 4, the last two within 2^-22 of 10
        Assert.Equal([8, 0, 0], Result(new AggregationRule.ClippedMean(null), [1, 0, 0], [10, 0, 0], [1000, 0, 0], [1_000_000, 0, 0]));

    [Fact]
    public void When_most_updates_are_zero_the_median_norm_is_too_and_nothing_moves() =>
        Assert.Equal([0, 0, 0], Result(new AggregationRule.ClippedMean(null), [0, 0, 0], [0, 0, 0], [700, 700, 700]));

    [Fact]
    public void Multi_Krum_leaves_out_who_is_far_from_everybody()
    {
        int[][] updates = [[10, 10, 10], [11, 10, 10], [12, 10, 10], [8_000_000, 0, 0], [13, 10, 10], [-8_000_000, 5, 5], [14, 10, 10]];
        Assert.Equal([12, 10, 10], Result(new AggregationRule.MultiKrum(2, 3), updates));
    }

    [Fact]
    public void Equal_scores_go_to_the_lower_member()
    {
        var round = Three.With(new AggregationRule.MultiKrum(1, 2));
        var updates = new uint[] { 9, 4, 7, 5, 30 }.Select(member => round.Valid(member, [1, 2, 3])).ToArray();
        Assert.Equal([4u, 5u], MultiKrum.Select(updates, 1, 2, 1, TestContext.Current.CancellationToken).Select(u => u.Member.Value));
    }

    [Fact]
    public void No_more_updates_enter_than_a_score_has_neighbours()
    {
        var round = Three.With(new AggregationRule.MultiKrum(2, 6));
        var updates = Enumerable.Range(1, 7).Select(member => round.Valid((uint)member, [member * member, 0, 0])).ToArray();
        // 3 neighbours; of 1, 4, 9, 16, … the scores are 298, 178, 138, 274, …
        Assert.Equal([3u, 2u, 4u], MultiKrum.Select(updates, 2, 6, 1, TestContext.Current.CancellationToken).Select(u => u.Member.Value));
    }

    [Fact]
    public void Buckets_hold_every_update_once_and_follow_from_the_beacon_alone()
    {
        var beacon = new Hash256([.. Enumerable.Range(0, 32).Select(i => (byte)i)]);
        var buckets = CoordinateRules.Buckets(beacon, new RoundId(3), 8, 3);
        Assert.Equal([3, 3, 2], buckets.Select(b => b.Count));
        Assert.Equal(Enumerable.Range(0, 8), buckets.SelectMany(b => b).Order());
        Assert.Equal(buckets, CoordinateRules.Buckets(beacon, new RoundId(3), 8, 3));
        Assert.NotEqual(buckets, CoordinateRules.Buckets(beacon, new RoundId(4), 8, 3));
        Assert.NotEqual(buckets, CoordinateRules.Buckets(Hash256.Zero, new RoundId(3), 8, 3));
    }

    [Fact]
    public void One_liar_spoils_one_bucket() =>
        Gen.Int[0, 6].Sample(liar =>
        {
            var updates = Enumerable.Range(0, 7).Select(k => k == liar ? new[] { 8_000_000, -8_000_000, 8_000_000 } : [100 + k, 50, 0]).ToArray();
            var result = Result(new AggregationRule.BucketedMedian(2), updates);
            Assert.InRange(result[0], 100, 106);
            Assert.Equal(50, result[1]);
            Assert.Equal(0, result[2]);
        });

    [Fact]
    public void The_network_sorts_every_number_of_values() =>
        Gen.Int[1, 130].SelectMany(n => Gen.Int.Array[n]).Sample(values =>
        {
            var lanes = values.Select(v => Vector512.Create(v)).ToArray();
            new SortingNetwork(values.Length, 0, values.Length - 1).Sort(lanes);
            Assert.Equal(values.Order(), lanes.Select(l => l[7]));
        });

    [Fact]
    public void The_network_sorts_every_order_of_zeros_and_ones()
    {
        // A network of exchanges that sorts these sorts everything (Knuth, 5.3.4, theorem Z).
        for (var n = 1; n <= 12; n++)
        {
            var (network, middle) = (new SortingNetwork(n, 0, n - 1), new SortingNetwork(n, n / 3, n - (n / 3) - 1));
            for (var bits = 0; bits < 1 << n; bits++)
            {
                var lanes = Enumerable.Range(0, n).Select(i => Vector512.Create((bits >> i) & 1)).ToArray();
                var again = lanes.ToArray();
                network.Sort(lanes);
                int[] expected = [.. Enumerable.Range(0, n).Select(i => (bits >> i) & 1).Order()];
                Assert.Equal(expected, lanes.Select(l => l[0]));
                middle.Sort(again);
                Assert.Equal(expected[(n / 3)..^(n / 3)], again[(n / 3)..^(n / 3)].Select(l => l[0]));
            }
        }
    }

    [Fact]
    public void The_largest_squares_of_a_whole_piece_fit()
    {
        int[] high = [.. Enumerable.Repeat(FixedPoint.MaxDifference, Squares.MaxPiece)];
        int[] low = [.. high.Select(d => -d)];
        Assert.Equal((UInt128)Squares.MaxPiece * (UInt128)(4L * FixedPoint.MaxDifference) * FixedPoint.MaxDifference, (UInt128)Squares.Distance(high, low));
        Assert.Equal((UInt128)Squares.MaxPiece * (UInt128)((long)FixedPoint.MaxDifference * FixedPoint.MaxDifference), (UInt128)Squares.Norm(low));
    }

    private static int[] Result(AggregationRule rule, params int[][] updates)
    {
        var round = Three.With(rule);
        return Federation.Aggregate(round.Terms, [.. updates.Select((d, k) => round.Valid((uint)k + 1, d))]).Adapter.DifferenceTo(round.Terms.Base, Factors.Both);
    }
}

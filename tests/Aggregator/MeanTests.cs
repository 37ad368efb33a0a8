using System.Numerics;
using CsCheck;
using FedChain.Aggregator.Rules;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Numerics;

namespace FedChain.Aggregator.Tests;

public sealed class MeanTests
{
    private const long Cap = 1 << 20;

    private static readonly Federation Weighted = Federation.Small(p => p with { Rule = new AggregationRule.Mean(Weighting.Samples), WeightCap = Cap });

    private static readonly Gen<(int[] Differences, long Weight)[]> Clients =
        Gen.Select(Gen.Int[-FixedPoint.MaxDifference, FixedPoint.MaxDifference].Array[37], Gen.OneOf(Gen.Long[1, 4], Gen.Long[1, 3 * Cap])).Array[1, 9];

    [Fact]
    public void The_mean_agrees_with_big_integers_in_any_order_and_any_split_into_partial_sums() =>
        Gen.Select(Clients, Gen.Int[0, 9], Gen.Int).Sample((clients, cut, seed) =>
        {
            var expected = Enumerable.Range(0, 37).Select(i => Reference(clients.Select(c => (c.Differences[i], c.Weight)))).ToArray();
            Assert.Equal(expected, Mean(clients));

            var shuffled = clients.ToArray();
            new Random(seed).Shuffle(shuffled);
            Assert.Equal(expected, Mean(shuffled));

            var left = Sum(clients.Take(cut));
            left.Add(Sum(clients.Skip(cut)));
            var means = new int[37];
            left.MeanTo(means);
            Assert.Equal(expected, means);
        });

    [Fact]
    public void The_largest_sum_that_the_bounds_allow_does_not_overflow()
    {
        var sum = new WeightedSum(37);
        sum.Add([.. Enumerable.Repeat(-FixedPoint.MaxDifference, 37)], WeightedSum.MaxWeight - 1);
        sum.Add([.. Enumerable.Repeat(-FixedPoint.MaxDifference, 37)], 1);
        var means = new int[37];
        sum.MeanTo(means);
        Assert.All(means, mean => Assert.Equal(-FixedPoint.MaxDifference, mean));
        Assert.Throws<ArgumentException>(() => sum.Add(new int[37], 1));
    }

    [Fact]
    public void Four_at_a_time_are_what_they_are_one_by_one() =>
        Gen.Select(Gen.OneOf(Gen.Long[1, 3], Gen.Long[1, 127], Gen.Long[1, Cap]).Array[4].Array[1, 40], Gen.Int).Sample((weights, seed) =>
        {
            var random = new Random(seed);
            var (together, apart) = (new WeightedSum(37), new WeightedSum(37));
            foreach (var four in weights)
            {
                var d = Enumerable.Range(0, 4).Select(_ => Enumerable.Range(0, 37).Select(_ => random.Next(2) == 0 ? FixedPoint.MaxDifference : random.Next(-FixedPoint.MaxDifference, FixedPoint.MaxDifference)).ToArray()).ToArray();
                together.Add(d[0], d[1], d[2], d[3], four);
                foreach (var (differences, weight) in d.Zip(four))
                {
                    apart.Add(differences, weight);
                }
            }

            Assert.Equal(apart.Weight, together.Weight);
            var (x, y) = (new int[37], new int[37]);
            together.MeanTo(x);
            apart.MeanTo(y);
            Assert.Equal(y, x);
        });

    [Fact]
    public void A_sum_that_is_started_again_has_forgotten_everything()
    {
        var sum = new WeightedSum(5);
        foreach (var weight in new[] { 1, 100, 1000, 1 })
        {
            sum.Add([1, 2, 3, 4, 5], 1000);
            sum.Add([7, 7, 7, 7, 7], 120);
            sum.Clear();
            sum.Add([9, -9, 0, 1, 2], weight);
            var means = new int[5];
            sum.MeanTo(means);
            Assert.Equal([9, -9, 0, 1, 2], means);
        }
    }

    [Fact]
    public void Halves_go_to_the_even_neighbour_on_both_sides_of_zero()
    {
        var sum = new WeightedSum(6);
        sum.Add([1, 3, 5, -1, -3, -5], 1);
        sum.Add([0, 0, 0, 0, 0, 0], 1);
        var means = new int[6];
        sum.MeanTo(means);
        Assert.Equal([0, 2, 2, 0, -2, -2], means);
    }

    [Fact]
    public void Quotients_at_and_beside_a_half_are_exact_for_every_size_of_weight() =>
        Gen.Select(Gen.Int[-FixedPoint.MaxDifference + 1, FixedPoint.MaxDifference - 1], Gen.Long[1, WeightedSum.MaxWeight / 2], Gen.Int[-1, 1]).Sample((q, half, nudge) =>
        {
            // S = q W + W / 2 + nudge, made of two clients: W / 2 at q, and W / 2 at q + 1, and the nudge from a third of weight 1 where it fits.
            var sum = new WeightedSum(19);
            sum.Add([.. Enumerable.Repeat(q, 19)], half);
            sum.Add([.. Enumerable.Repeat(q + 1, 19)], half);
            var clients = new List<(int, long)> { (q, half), (q + 1, half) };
            if (nudge != 0 && sum.Weight < WeightedSum.MaxWeight)
            {
                sum.Add([.. Enumerable.Repeat(q + nudge, 19)], 1);
                clients.Add((q + nudge, 1));
            }

            var means = new int[19];
            sum.MeanTo(means);
            Assert.All(means, mean => Assert.Equal(Reference(clients), mean));
        });

    [Fact]
    public void Any_order_and_any_number_of_threads_gives_the_same_file() =>
        Gen.Select(Weighted.Differences().Array[1, 6], Gen.Long[1, Cap].Array[6], Gen.Int[2, 5], Gen.Int).Sample(
            (differences, weights, threads, seed) =>
            {
                var updates = differences.Select((d, i) => Weighted.Valid((uint)i + 1, d, weights[i])).ToArray();
                var expected = Bytes(Federation.Aggregate(Weighted.Terms, updates, threads: 1).Adapter);
                new Random(seed).Shuffle(updates);
                var aggregate = Federation.Aggregate(Weighted.Terms, updates, threads);
                Assert.Equal(expected, Bytes(aggregate.Adapter));
                Assert.Equal(AdapterFile.Digest(aggregate.Adapter), aggregate.Digest);
            },
            iter: 30);

    [Fact]
    public void Pieces_meet_without_a_seam_whatever_the_number_of_threads()
    {
        var config = new AdapterConfig(1, 1, ["q"]);
        var layout = AdapterLayout.Create(config, [("l.q", (2 * WeightedMean.Piece) + 5, 3)]);
        var round = Federation.Of(layout, new Policy { BaseModel = default, Adapter = config, Seed = default }, new int[layout.Count]);
        var random = new Random(1);
        var differences = Enumerable.Range(0, 5).Select(_ => Enumerable.Range(0, layout.Count).Select(_ => random.Next(-1000, 1000)).ToArray()).ToArray();
        var updates = differences.Select((d, k) => round.Valid((uint)k + 1, d)).ToArray();
        var expected = Enumerable.Range(0, layout.Count).Select(i => Reference(differences.Select(d => (d[i], 1L)))).ToArray();
        foreach (var threads in new[] { 1, 2, 3, 8 })
        {
            Assert.Equal(expected, Federation.Aggregate(round.Terms, updates, threads).Adapter.Values.ToArray());
        }
    }

    [Fact]
    public void One_update_alone_is_taken_over_as_it_is() =>
        Weighted.Differences().Sample(
            differences =>
            {
                var result = Federation.Aggregate(Weighted.Terms, [Weighted.Valid(1, differences, 77)]).Adapter;
                Assert.Equal(differences, result.DifferenceTo(Weighted.Terms.Base, Factors.Both));
            },
            iter: 30);

    [Fact]
    public void A_round_of_one_factor_leaves_the_other_untouched()
    {
        foreach (var (finalised, trained, frozen) in new[] { (0UL, Factors.B, Factors.A), (1UL, Factors.A, Factors.B), (2UL, Factors.B, Factors.A) })
        {
            var round = Federation.Small(p => p with { Schedule = Policy.Alternating }, finalised);
            Assert.Equal(trained, round.Terms.Factors);
            var result = Federation.Aggregate(round.Terms, [round.Valid(1, [.. Enumerable.Repeat(4, round.Count)]), round.Valid(2, [.. Enumerable.Repeat(8, round.Count)])]).Adapter;
            foreach (var tensor in result.Layout.Of(frozen))
            {
                Assert.True(result[tensor].SequenceEqual(round.Terms.Base[tensor]));
            }

            Assert.All(result.DifferenceTo(round.Terms.Base, trained), d => Assert.Equal(6, d));
        }
    }

    [Fact]
    public void Misuse_is_named()
    {
        var update = Weighted.Valid(1, new int[Weighted.Count]);
        Assert.Contains("at least 1 update", Assert.Throws<ArgumentException>(() => Federation.Aggregate(Weighted.Terms, [])).Message, StringComparison.Ordinal);
        Assert.Contains("one of each member", Assert.Throws<ArgumentException>(() => Federation.Aggregate(Weighted.Terms, [update, update])).Message, StringComparison.Ordinal);
        Assert.Contains("other terms", Assert.Throws<ArgumentException>(() => Federation.Aggregate(Weighted.Terms with { Finalised = 9 }, [update])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new WeightedSum(3).Add(new int[4], 1));
        Assert.Throws<ArgumentException>(() => new WeightedSum(3).Add(new int[3], 0));
        Assert.Throws<InvalidOperationException>(() => new WeightedSum(3).MeanTo(new int[3]));
    }

    private static int[] Mean(IEnumerable<(int[] Differences, long Weight)> clients)
    {
        var means = new int[37];
        Sum(clients).MeanTo(means);
        return means;
    }

    private static WeightedSum Sum(IEnumerable<(int[] Differences, long Weight)> clients)
    {
        var sum = new WeightedSum(37);
        foreach (var (differences, weight) in clients)
        {
            sum.Add(differences, weight);
        }

        return sum;
    }

    /// <summary>From the definition: the nearer neighbour of S / W, the even one at equal distance.</summary>
    private static int Reference(IEnumerable<(int Difference, long Weight)> clients)
    {
        var (sum, weight) = clients.Aggregate((Sum: BigInteger.Zero, Weight: BigInteger.Zero), (t, c) => (t.Sum + ((BigInteger)c.Difference * c.Weight), t.Weight + c.Weight));
        var low = BigInteger.DivRem(sum, weight, out var rest) - (rest.Sign < 0 ? 1 : 0);
        var order = (2 * (sum - (low * weight))).CompareTo(weight);
        return (int)(order < 0 || (order == 0 && low.IsEven) ? low : low + 1);
    }

    private static byte[] Bytes(Adapter adapter)
    {
        var stream = new MemoryStream();
        AdapterFile.Write(stream, adapter);
        return stream.ToArray();
    }
}

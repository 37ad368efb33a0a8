using CsCheck;
using FedChain.Aggregator.Rules;
using FedChain.Protocol;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Numerics;

namespace FedChain.Aggregator.Tests.Rules;

/// <summary>What is true of every rule.</summary>
public sealed class RulesTests
{
    private static readonly Federation Small = Federation.Small(p => p with { WeightCap = Policy.MaxWeight });

    private static readonly Gen<UpdateLosses> Losses = Gen.OneOf(Gen.Long[0, Micronats.MaxValue], Gen.Long[0, 3_000_000], Gen.Long[0, 2000], Gen.Const(Micronats.MaxValue))
        .Array[3].Select(l => new UpdateLosses(new Micronats(l[0]), new Micronats(l[1]), new Micronats(l[2])));

    public static TheoryData<AggregationRule> Rules =>
    [
        new AggregationRule.Mean(Weighting.Uniform),
        new AggregationRule.Mean(Weighting.Samples),
        new AggregationRule.FairMean(Weighting.Uniform, Fairness.Gain, 1),
        new AggregationRule.FairMean(Weighting.Samples, Fairness.Gain, 2),
        new AggregationRule.FairMean(Weighting.Samples, Fairness.Loss, 1),
        new AggregationRule.FairMean(Weighting.Uniform, Fairness.Loss, 2),
        new AggregationRule.ClippedMean(1),
        new AggregationRule.ClippedMean(5_000_000),
        new AggregationRule.ClippedMean(AggregationRule.MaxNorm),
        new AggregationRule.ClippedMean(null),
        new AggregationRule.Median(),
        new AggregationRule.TrimmedMean(1),
        new AggregationRule.TrimmedMean(2),
        new AggregationRule.MultiKrum(1, 1),
        new AggregationRule.MultiKrum(1, 3),
        new AggregationRule.MultiKrum(2, 100),
        new AggregationRule.BucketedMedian(2),
        new AggregationRule.BucketedMedian(3),
    ];

    [Theory]
    [MemberData(nameof(Rules), DisableDiscoveryEnumeration = true)]
    public void A_rule_agrees_with_its_definition_in_any_order_on_any_number_of_threads(AggregationRule rule) =>
        Gen.Select(Clients(rule.MinimumUpdates), Gen.Byte.Array[Hash256.Size], Gen.Int[1, 4], Gen.Int).Sample(
            (clients, beacon, threads, seed) =>
            {
                var round = Small.With(rule, new Hash256(beacon));
                var expected = Definitions.Step(rule, clients, round.Terms.Beacon, round.Terms.Round);
                var updates = clients.Select(c => c.In(round)).ToArray();
                new Random(seed).Shuffle(updates);
                Assert.Equal(expected, Federation.Aggregate(round.Terms, updates, threads).Adapter.DifferenceTo(round.Terms.Base, Factors.Both));
            },
            iter: 60);

    [Theory]
    [MemberData(nameof(Rules), DisableDiscoveryEnumeration = true)]
    public void Of_encoded_updates_a_rule_makes_what_it_makes_of_the_integers_they_stand_for(AggregationRule rule)
    {
        foreach (var encoding in new[] { UpdateEncoding.Int16, UpdateEncoding.Int8 })
        {
            Clients(rule.MinimumUpdates).Sample(
                clients =>
                {
                    var round = Small.With(rule).With(encoding);
                    Client[] carried = [.. clients.Select(c => c with { Differences = round.Encoded(c.Differences).Values.ToArray() })];
                    var expected = Definitions.Step(rule, carried, round.Terms.Beacon, round.Terms.Round);
                    Assert.Equal(expected, Federation.Aggregate(round.Terms, [.. clients.Select(c => c.In(round))], 3).Adapter.DifferenceTo(round.Terms.Base, Factors.Both));
                },
                iter: 8);
        }
    }

    [Theory]
    [MemberData(nameof(Rules), DisableDiscoveryEnumeration = true)]
    public void Pieces_meet_without_a_seam(AggregationRule rule)
    {
        var round = Federation.Flat(WeightedMean.Piece + 5).With(rule);
        var random = new Random(2);
        var clients = Enumerable.Range(1, 8).Select(member => new Client(
            (uint)member, 1, new UpdateLosses(new(3_000_000), new(1_000_000 * member / 8), new(1)), [.. Enumerable.Range(0, round.Count).Select(_ => random.Next(-1000, 1000))])).ToArray();
        var expected = Definitions.Step(rule, clients, round.Terms.Beacon, round.Terms.Round);
        var updates = clients.Select(c => c.In(round)).ToArray();
        foreach (var threads in new[] { 1, 3 })
        {
            Assert.Equal(expected, Federation.Aggregate(round.Terms, updates, threads).Adapter.Values.ToArray());
        }

        foreach (var encoded in new[] { round.With(UpdateEncoding.Int16), round.With(UpdateEncoding.Int8) })
        {
            var carried = clients.Select(c => (c with { Differences = encoded.Encoded(c.Differences).Values.ToArray() }).In(round)).ToArray();
            Assert.Equal(Federation.Aggregate(round.Terms, carried).Adapter.Values, Federation.Aggregate(encoded.Terms, [.. clients.Select(c => c.In(encoded))]).Adapter.Values);
        }
    }

    [Theory]
    [MemberData(nameof(Rules), DisableDiscoveryEnumeration = true)]
    public void Updates_at_the_very_ends_of_the_range_overflow_nothing(AggregationRule rule)
    {
        var n = rule.MinimumUpdates + 4;
        foreach (var sign in new[] { 1, -1 })
        {
            var round = Federation.Flat(5000, sign * FixedPoint.MaxValue).With(rule);
            var clients = Enumerable.Range(1, n).Select(member => new Client(
                (uint)member, 1, new UpdateLosses(new(Micronats.MaxValue), new(member), new(0)), [.. Enumerable.Repeat(member % 3 == 0 ? 0 : -sign * FixedPoint.MaxDifference, 5000)])).ToArray();
            Assert.Equal(
                Definitions.Step(rule, clients, round.Terms.Beacon, round.Terms.Round),
                Federation.Aggregate(round.Terms, [.. clients.Select(c => c.In(round))]).Adapter.DifferenceTo(round.Terms.Base, Factors.Both));
        }
    }

    /// <summary>All but those that shorten every update.</summary>
    public static TheoryData<AggregationRule> Unclipped => [.. Rules.Select(r => r.Data).Where(r => r is not AggregationRule.ClippedMean(< 1000))];

    [Theory]
    [MemberData(nameof(Unclipped), DisableDiscoveryEnumeration = true)]
    public void Updates_that_are_all_alike_are_what_comes_out(AggregationRule rule)
    {
        int[] alike = [.. Enumerable.Range(0, Small.Count).Select(i => (i * 37 % 101) - 50)];
        var round = Small.With(rule);
        var updates = Enumerable.Range(1, rule.MinimumUpdates + 2).Select(member => round.Valid((uint)member, alike, member)).ToArray();
        Assert.Equal(alike, Federation.Aggregate(round.Terms, updates).Adapter.DifferenceTo(round.Terms.Base, Factors.Both));
    }

    [Theory]
    [MemberData(nameof(Rules), DisableDiscoveryEnumeration = true)]
    public void Fewer_updates_than_a_rule_needs_are_refused_by_number(AggregationRule rule)
    {
        var round = Small.With(rule);
        var few = Enumerable.Range(1, rule.MinimumUpdates - 1).Select(member => round.Valid((uint)member, new int[round.Count])).ToArray();
        var refusal = Assert.Throws<ArgumentException>(() => Federation.Aggregate(round.Terms, few));
        Assert.Contains($"at least {rule.MinimumUpdates} updates, and of one of each member; got {few.Length}", refusal.Message, StringComparison.Ordinal);
        Federation.Aggregate(round.Terms, [.. few, round.Valid(99, new int[round.Count])]);
    }

    private static Gen<Client[]> Clients(int least) =>
        Gen.Int[least, least + 6].SelectMany(n => Gen.Select(
            Small.Differences().Array[n],
            Gen.OneOf(Gen.Long[1, 4], Gen.Long[1, Policy.MaxWeight]).Array[n],
            Losses.Array[n],
            Gen.Shuffle(Enumerable.Range(1, 40).ToArray(), n))).Select((differences, samples, losses, members) =>
                differences.Select((d, k) => new Client((uint)members[k], samples[k], losses[k], d)).ToArray());
}

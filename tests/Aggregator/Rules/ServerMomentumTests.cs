using System.Numerics;
using CsCheck;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Numerics;

namespace FedChain.Aggregator.Tests.Rules;

public sealed class ServerMomentumTests
{
    private static readonly AggregationRule Mean = new AggregationRule.Mean(Weighting.Uniform);

    [Fact]
    public void The_adapter_goes_on_in_the_direction_it_had()
    {
        var rule = new AggregationRule.Momentum(500, Mean);
        var (adapter, velocity) = Rounds(rule, [100, -7, 0], [0, 0, 0], [1, 1, 1]);
        Assert.Equal([26, 0, 1], velocity.Values.ToArray()); // 100, 50, 25 + 1; -7, -3, -1 + 1: halves towards zero
        Assert.Equal([176, -10, 1], adapter.Values.ToArray());
    }

    [Fact]
    public void What_is_fed_no_longer_dies_out()
    {
        int[][] rounds = [[1000, -1000, 9], .. Enumerable.Repeat(new int[3], 200)];
        Assert.Equal([0, 0, 0], Rounds(new AggregationRule.Momentum(900, Mean), rounds).Velocity.Values.ToArray());
    }

    [Fact]
    public void Velocity_and_adapter_stay_in_range_whatever_comes()
    {
        var most = new[] { FixedPoint.MaxValue, -FixedPoint.MaxValue, 0 };
        var none = new int[3];
        var (adapter, velocity) = Rounds(new AggregationRule.Momentum(990, Mean), most, none, none, none, none);
        Assert.Equal(most, adapter.Values.ToArray());
        Assert.InRange(velocity.Values[0], 1, FixedPoint.MaxDifference);

        // from one end of the range to the other, and again
        var there = Round(new AggregationRule.Momentum(990, Mean), -FixedPoint.MaxValue, null, [.. Enumerable.Repeat(FixedPoint.MaxDifference, 3)]);
        var again = Round(new AggregationRule.Momentum(990, Mean), -FixedPoint.MaxValue, there.Velocity, [.. Enumerable.Repeat(FixedPoint.MaxDifference, 3)]);
        Assert.All(again.Velocity!.Values.ToArray(), v => Assert.Equal(FixedPoint.MaxDifference, v));
        Assert.All(again.Adapter.Values.ToArray(), v => Assert.Equal(FixedPoint.MaxValue, v));
    }

    [Fact]
    public void It_agrees_with_big_integers() =>
        Gen.Select(Gen.Int[1, 990], Velocities, Gen.Int[-FixedPoint.MaxValue, FixedPoint.MaxValue].Array[3]).Sample((beta, carried, step) =>
        {
            var start = Federation.Flat(3).Terms.Base;
            var result = Round(new AggregationRule.Momentum(beta, Mean), 0, new StateVector(start.Layout, carried), step);
            for (var i = 0; i < 3; i++)
            {
                var exact = (BigInteger.DivRem((BigInteger)beta * BigInteger.Abs(carried[i]), 1000, out _) * Math.Sign(carried[i])) + step[i];
                var velocity = BigInteger.Min(BigInteger.Max(exact, -FixedPoint.MaxDifference), FixedPoint.MaxDifference);
                Assert.Equal(velocity, result.Velocity!.Values[i]);
                Assert.Equal(BigInteger.Min(BigInteger.Max(velocity, -FixedPoint.MaxValue), FixedPoint.MaxValue), result.Adapter.Values[i]);
            }
        });

    [Fact]
    public void A_factors_velocity_waits_while_the_other_is_trained()
    {
        var rule = new AggregationRule.Momentum(500, Mean);
        Policy Change(Policy p) => p with { Rule = rule, Schedule = Policy.Alternating };
        var first = Federation.Small(Change);
        var b = Federation.Aggregate(first.Terms, [first.Valid(1, [.. Enumerable.Repeat(40, first.Count)])]);
        var second = Federation.Of(b.Adapter.Layout, first.Terms.Policy, b.Adapter.Values.ToArray(), finalised: 1);
        var a = Federation.Aggregate(second.Terms, [second.Valid(1, [.. Enumerable.Repeat(-8, second.Count)])], velocity: b.Velocity);
        Assert.All(a.Velocity!.Of(Factors.B), v => Assert.Equal(40, v));
        Assert.All(a.Velocity!.Of(Factors.A), v => Assert.Equal(-8, v));
        Assert.All(a.Adapter.Layout.Of(Factors.B), t => Assert.True(a.Adapter[t].SequenceEqual(b.Adapter[t])));
    }

    [Fact]
    public void Only_momentum_carries_a_velocity_and_only_of_its_layout()
    {
        var flat = Federation.Flat(3).With(Mean);
        Assert.Null(Federation.Aggregate(flat.Terms, [flat.Valid(1, [1, 2, 3])]).Velocity);
        Assert.Throws<ArgumentException>(() => Federation.Aggregate(flat.Terms, [flat.Valid(1, [1, 2, 3])], velocity: StateVector.Zero(flat.Terms.Base.Layout)));
        var momentum = flat.With(new AggregationRule.Momentum(1, Mean));
        Assert.Throws<ArgumentException>(() => Federation.Aggregate(momentum.Terms, [momentum.Valid(1, [1, 2, 3])], velocity: StateVector.Zero(Federation.Flat(4).Terms.Base.Layout)));
    }

    private static Gen<int[]> Velocities => Gen.OneOf(
        Gen.Int[-FixedPoint.MaxDifference, FixedPoint.MaxDifference], Gen.Int[-9, 9], Gen.Const(FixedPoint.MaxDifference), Gen.Const(-FixedPoint.MaxDifference)).Array[3];

    private static (Adapter Adapter, StateVector Velocity) Rounds(AggregationRule rule, params int[][] steps)
    {
        var start = Federation.Flat(3).Terms.Base;
        StateVector? velocity = null;
        foreach (var step in steps)
        {
            var round = Federation.Of(start.Layout, Federation.Flat(3).Terms.Policy with { Rule = rule }, start.Values.ToArray());
            (start, _, velocity) = Federation.Aggregate(round.Terms, [round.Valid(1, step)], velocity: velocity);
        }

        return (start, velocity!);
    }

    private static Aggregate Round(AggregationRule rule, int value, StateVector? velocity, int[] step)
    {
        var round = Federation.Flat(3, value).With(rule);
        return Federation.Aggregate(round.Terms, [round.Valid(1, step)], velocity: velocity);
    }
}

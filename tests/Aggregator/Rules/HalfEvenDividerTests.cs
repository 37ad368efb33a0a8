using CsCheck;
using FedChain.Aggregator.Rules;
using FedChain.Protocol.Numerics;

namespace FedChain.Aggregator.Tests.Rules;

public sealed class HalfEvenDividerTests
{
    [Fact]
    public void Quotients_are_those_of_one_by_one_at_beside_and_far_from_every_half() =>
        Gen.Select(
            Gen.OneOf(Gen.Long[1, 300], Gen.Long[1, WeightedSum.MaxWeight], Gen.Const(WeightedSum.MaxWeight), Gen.Const(WeightedSum.MaxWeight - 1)),
            Gen.Select(Gen.Int[-FixedPoint.MaxDifference + 1, FixedPoint.MaxDifference - 1], Gen.Int[-2, 2], Gen.Int[0, 3]).Array[1, 40]).Sample((divisor, parts) =>
        {
            long[] sums = [.. parts.Select(p => (p.Item1 * divisor) + (p.Item3 switch { 0 => 0, 1 => divisor / 2, 2 => -(divisor / 2), _ => divisor / 3 }) + p.Item2)];
            var quotients = new int[sums.Length];
            new HalfEvenDivider(divisor).Divide(sums, quotients);
            Assert.Equal(sums.Select(s => (int)IntegerMath.DivideHalfEven(s, divisor)), quotients);
        });

    [Fact]
    public void Sums_of_32_bits_are_divided_alike() =>
        Gen.Select(Gen.Long[1, 200], Gen.Int.Array[1, 70]).Sample((divisor, sums) =>
        {
            int[] within = [.. sums.Select(s => (int)Math.Clamp(s, -divisor << 24, divisor << 24))];
            var quotients = new int[within.Length];
            new HalfEvenDivider(divisor).Divide(within, quotients);
            Assert.Equal(within.Select(s => (int)IntegerMath.DivideHalfEven(s, divisor)), quotients);
        });
}

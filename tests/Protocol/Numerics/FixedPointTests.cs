using System.Numerics;
using CsCheck;
using FedChain.Protocol.Numerics;

namespace FedChain.Protocol.Tests.Numerics;

public sealed class FixedPointTests
{
    private static readonly Gen<int> FractionBits = Gen.Int[FixedPoint.MinFractionBits, FixedPoint.MaxFractionBits];
    private static readonly Gen<int> Values = Gen.Int[-FixedPoint.MaxValue, FixedPoint.MaxValue];

    private static readonly Gen<float> Floats = Gen.OneOf(
        Gen.Single.Where(float.IsFinite),
        Gen.Float[-9, 9],
        Gen.Select(Values, FractionBits, (q, f) => MathF.ScaleB(q + 0.5f, -f)),
        Gen.OneOf([.. new[] { 0f, -0f, float.MaxValue, float.MinValue, float.Epsilon, -float.Epsilon, 8f, -8f }.Select(x => Gen.Const(x))]));

    [Fact]
    public void Every_value_is_the_same_after_a_trip_through_float32() =>
        Gen.Select(Values.Array[0, 70], FractionBits).Sample((q, f) =>
        {
            var floats = new float[q.Length];
            var back = new int[q.Length];
            var rounded = new int[q.Length];
            FixedPoint.Dequantize(q, f, floats);
            Assert.Equal(-1, FixedPoint.ReadExactly(floats, f, back));
            FixedPoint.Quantize(floats, f, rounded);
            Assert.Equal(q, back);
            Assert.Equal(q, rounded);
        });

    [Fact]
    public void Rounding_agrees_with_exact_arithmetic_in_every_lane() =>
        Gen.Select(Floats.Array[0, 70], FractionBits).Sample((x, f) =>
        {
            var q = new int[x.Length];
            FixedPoint.Quantize(x, f, q);
            Assert.Equal(x.Select(v => Reference(v, f)), q);
            Assert.Equal(q, x.Select(v => FixedPoint.Quantize(v, f)));
        });

    [Theory]
    [InlineData(0.5, 0)]
    [InlineData(1.5, 2)]
    [InlineData(-0.5, 0)]
    [InlineData(-1.5, -2)]
    [InlineData(-2.5, -2)]
    [InlineData(8388606.5, 8388606)]
    [InlineData(8388607.5, 8388607)]
    [InlineData(-8388607.5, -8388607)]
    [InlineData(1e30, 8388607)]
    public void Halves_go_to_the_even_neighbour_and_the_range_is_symmetric(double scaled, int expected) =>
        Assert.Equal(expected, FixedPoint.Quantize((float)Math.ScaleB(scaled, -20), 20));

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void What_is_not_finite_is_refused_with_its_place(float bad)
    {
        Assert.Throws<ArgumentException>(() => FixedPoint.Quantize(bad, 20));
        for (var at = 0; at < 40; at++)
        {
            var values = new float[40];
            values[at] = bad;
            Assert.Contains($"Value {at} ", Assert.Throws<ArgumentException>(() => FixedPoint.Quantize(values, 20, new int[40])).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(-0f)]
    [InlineData(float.Epsilon)]
    [InlineData(8f)] // 2^23 steps: one beyond the range
    [InlineData(2048f)] // 2^31 steps: where conversion to int saturates
    [InlineData(-2048f)]
    [InlineData(1.5f / (1 << 20))]
    [InlineData(float.MaxValue)]
    public void What_is_off_the_grid_is_found_wherever_it_is(float bad)
    {
        for (var at = 0; at < 40; at++)
        {
            var values = Enumerable.Range(0, 40).Select(i => MathF.ScaleB(i - 20, -20)).ToArray();
            values[at] = bad;
            Assert.Equal(at, FixedPoint.ReadExactly(values, 20, new int[40]));
        }
    }

    [Fact]
    public void Misuse_is_named()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => FixedPoint.Quantize(1f, 23));
        Assert.Throws<ArgumentOutOfRangeException>(() => FixedPoint.Dequantize([1], 7, new float[1]));
        Assert.Throws<ArgumentException>(() => FixedPoint.Quantize([1f], 20, new int[2]));
    }

    [Fact]
    public void Losses_round_to_even_millionths_and_refuse_what_no_loss_is()
    {
        Assert.Equal(1_234_568, Micronats.FromNats(1.2345675).Value);
        Assert.Equal(2.5, new Micronats(2_500_000).Nats);
        Assert.All([double.NaN, -0.1, double.PositiveInfinity, 1e11], bad => Assert.Throws<ArgumentOutOfRangeException>(() => Micronats.FromNats(bad)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Micronats(-1));
    }

    /// <summary>From the definition, on the float's own integer significand and exponent.</summary>
    private static int Reference(float x, int f)
    {
        var bits = BitConverter.SingleToInt32Bits(x);
        var exponent = (bits >> 23) & 0xff;
        BigInteger significand = (bits & 0x7fffff) | (exponent == 0 ? 0 : 0x800000);
        var shift = Math.Max(exponent, 1) - 150 + f;
        var (numerator, denominator) = shift >= 0 ? (significand << shift, BigInteger.One) : (significand, BigInteger.One << -shift);
        var low = BigInteger.DivRem(numerator, denominator, out var rest);
        var twice = (2 * rest).CompareTo(denominator);
        var rounded = twice > 0 || (twice == 0 && !low.IsEven) ? low + 1 : low;
        return (int)BigInteger.Min(rounded, FixedPoint.MaxValue) * (bits < 0 ? -1 : 1);
    }
}

using System.Numerics;
using CsCheck;
using FedChain.Protocol.Numerics;

namespace FedChain.Protocol.Tests.Numerics;

public sealed class IntegerMathTests
{
    [Theory]
    [InlineData(5, 2, 2)]
    [InlineData(7, 2, 4)]
    [InlineData(-5, 2, -2)]
    [InlineData(-7, 2, -4)]
    [InlineData(-1, 2, 0)]
    [InlineData(-3, 4, -1)]
    [InlineData(0, 9, 0)]
    [InlineData(long.MaxValue, 1, long.MaxValue)]
    [InlineData(long.MinValue, 1, long.MinValue)]
    [InlineData(long.MaxValue, long.MaxValue, 1)]
    [InlineData(long.MinValue, long.MaxValue, -1)]
    public void Halves_go_to_the_even_neighbour(long dividend, long divisor, long expected) =>
        Assert.Equal(expected, IntegerMath.DivideHalfEven(dividend, divisor));

    [Fact]
    public void Division_agrees_with_big_integers() =>
        Gen.Select(Gen.OneOf(Gen.Long, Gen.Long[-50, 50]), Gen.OneOf(Gen.Long[1, long.MaxValue], Gen.Long[1, 12]))
            .Sample((n, d) => Assert.Equal(Reference(n, d), IntegerMath.DivideHalfEven(n, d)));

    [Fact]
    public void Unsigned_128_bit_division_agrees_with_big_integers() =>
        Gen.Select(Gen.OneOf(Gen.UInt128, Gen.UInt[0, 60].Select(n => (UInt128)n)), Gen.OneOf(Gen.UInt128, Gen.UInt[1, 12].Select(n => (UInt128)n)))
            .Where((_, d) => d != 0)
            .Sample((n, d) => Assert.Equal(Reference((BigInteger)n, (BigInteger)d), (BigInteger)IntegerMath.DivideHalfEven(n, d)));

    [Fact]
    public void Only_positive_divisors_divide()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => IntegerMath.DivideHalfEven(1L, 0L));
        Assert.Throws<ArgumentOutOfRangeException>(() => IntegerMath.DivideHalfEven(1L, -1L));
        Assert.Throws<ArgumentOutOfRangeException>(() => IntegerMath.DivideHalfEven(UInt128.One, UInt128.MinValue));
    }

    [Fact]
    public void The_square_root_is_the_largest_whose_square_fits() =>
        Gen.OneOf(Gen.ULong, Gen.UInt.Select(r => (ulong)r * r), Gen.UInt[1, uint.MaxValue].Select(r => ((ulong)r * r) - 1), Gen.Const(ulong.MaxValue))
            .Sample(n =>
            {
                var root = (BigInteger)IntegerMath.SquareRoot(n);
                Assert.True(root * root <= n);
                Assert.True((root + 1) * (root + 1) > n);
            });

    [Fact]
    public void The_square_root_of_128_bits_is_the_largest_whose_square_fits() =>
        Gen.OneOf(Gen.UInt128, Gen.ULong.Select(r => (UInt128)r * r), Gen.ULong[1, ulong.MaxValue].Select(r => ((UInt128)r * r) - 1), Gen.UInt[0, 20].Select(r => (UInt128)r), Gen.Const(UInt128.MaxValue))
            .Sample(n =>
            {
                var root = (BigInteger)IntegerMath.SquareRoot(n);
                Assert.True(root * root <= n);
                Assert.True((root + 1) * (root + 1) > n);
            });

    /// <summary>Written from the definition: the nearer of the two neighbours, the even one at equal distance.</summary>
    private static BigInteger Reference(BigInteger n, BigInteger d)
    {
        var low = BigInteger.DivRem(n, d, out var rest) - (rest.Sign < 0 ? 1 : 0);
        var toLow = n - (low * d);
        var toHigh = ((low + 1) * d) - n;
        return toLow < toHigh || (toLow == toHigh && low.IsEven) ? low : low + 1;
    }
}

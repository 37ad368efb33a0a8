using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using FedChain.Protocol.Numerics;

namespace FedChain.Aggregator.Rules;

/// <summary>
/// <see cref="IntegerMath.DivideHalfEven(long, long)"/> of many sums by one divisor, eight at once. A double says which quotient it is, and an integer
/// remainder decides: with |q| below 2^25 the double is within 2^-26 of the true quotient, so that what it rounds to is the nearest integer or, beside
/// a half, its neighbour.
/// </summary>
internal readonly struct HalfEvenDivider
{
    private readonly long _divisor;
    private readonly double _inverse;

    /// <param name="divisor">1 to 2^38; every |dividend| is below 2^25 times that.</param>
    public HalfEvenDivider(long divisor)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(divisor);
        (_divisor, _inverse) = (divisor, 1.0 / divisor);
    }

    /// <summary>The quotients of 64-bit sums.</summary>
    public void Divide(ReadOnlySpan<long> sums, Span<int> quotients)
    {
        var wide = MemoryMarshal.Cast<long, Vector512<long>>(sums);
        var into = MemoryMarshal.Cast<int, Vector256<int>>(quotients)[..wide.Length];
        for (var i = 0; i < wide.Length; i++)
        {
            into[i] = Divide(wide[i]);
        }

        for (var i = wide.Length * Vector512<long>.Count; i < sums.Length; i++)
        {
            quotients[i] = (int)IntegerMath.DivideHalfEven(sums[i], _divisor);
        }
    }

    /// <summary>The quotients of 32-bit sums.</summary>
    public void Divide(ReadOnlySpan<int> sums, Span<int> quotients)
    {
        var narrow = MemoryMarshal.Cast<int, Vector512<int>>(sums);
        var into = MemoryMarshal.Cast<int, Vector256<int>>(quotients)[..(2 * narrow.Length)];
        for (var i = 0; i < narrow.Length; i++)
        {
            var (low, high) = Vector512.Widen(narrow[i]);
            into[2 * i] = Divide(low);
            into[(2 * i) + 1] = Divide(high);
        }

        for (var i = narrow.Length * Vector512<int>.Count; i < sums.Length; i++)
        {
            quotients[i] = (int)IntegerMath.DivideHalfEven(sums[i], _divisor);
        }
    }

    private Vector256<int> Divide(Vector512<long> dividends)
    {
        var divisor = Vector512.Create(_divisor);
        var quotients = Vector512.ConvertToInt64Native(Vector512.Round(Vector512.ConvertToDouble(dividends) * _inverse));
        var twice = (dividends - (quotients * divisor)) << 1;
        if (Vector512.GreaterThanOrEqualAny(Vector512.Abs(twice), divisor))
        {
            var odd = -(quotients & Vector512<long>.One);
            var up = Vector512.GreaterThan(twice, divisor) | (Vector512.Equals(twice, divisor) & odd);
            var down = Vector512.LessThan(twice, -divisor) | (Vector512.Equals(twice, -divisor) & odd);
            quotients += down - up; // a mask is -1
        }

        return Vector512.Narrow(quotients, quotients).GetLower();
    }
}

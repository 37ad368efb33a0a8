namespace FedChain.Protocol.Numerics;

/// <summary>Division and square root on integers, exact on every machine.</summary>
public static class IntegerMath
{
    /// <summary>n / d rounded to the nearest integer, halves to the even one (also for negative n).</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="divisor"/> is not positive.</exception>
    public static long DivideHalfEven(long dividend, long divisor)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(divisor);
        var (quotient, remainder) = Math.DivRem(dividend, divisor);
        if (remainder < 0)
        {
            remainder += divisor; // floored division: 0 <= remainder < divisor
            quotient--;
        }

        // Compared with what is missing to the next multiple, since twice the remainder could overflow.
        var missing = divisor - remainder;
        return remainder > missing || (remainder == missing && long.IsOddInteger(quotient)) ? quotient + 1 : quotient;
    }

    /// <summary>n / d rounded to the nearest integer, halves to the even one.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="divisor"/> is zero.</exception>
    public static UInt128 DivideHalfEven(UInt128 dividend, UInt128 divisor)
    {
        ArgumentOutOfRangeException.ThrowIfZero(divisor);
        var (quotient, remainder) = UInt128.DivRem(dividend, divisor);
        var missing = divisor - remainder;
        return remainder > missing || (remainder == missing && UInt128.IsOddInteger(quotient)) ? quotient + 1 : quotient;
    }

    /// <summary>The largest integer whose square is at most n.</summary>
    public static ulong SquareRoot(UInt128 n)
    {
        if (n == 0)
        {
            return 0;
        }

        // Newton's iteration from above (a power of two that is no smaller) descends to the root and then stops.
        var bits = 128 - (int)UInt128.LeadingZeroCount(n);
        var root = UInt128.One << ((bits + 1) / 2);
        for (UInt128 next; (next = (root + (n / root)) >> 1) < root;)
        {
            root = next;
        }

        return (ulong)root;
    }

    /// <summary>The largest integer whose square is at most n.</summary>
    public static ulong SquareRoot(ulong n)
    {
        // The double is at most a few units off; the integers below decide.
        var root = (ulong)Math.Sqrt(n);
        while ((UInt128)root * root > n)
        {
            root--;
        }

        while ((UInt128)(root + 1) * (root + 1) <= n)
        {
            root++;
        }

        return root;
    }
}

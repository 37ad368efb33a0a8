using System.Numerics;
using FedChain.Protocol.Numerics;

namespace FedChain.Aggregator;

/// <summary>Range checks over whole pieces.</summary>
internal static class Ranges
{
    /// <summary>The index of the first base value that its difference takes out of the adapter's range; -1 if none does. Neither overflows: both are below 2^25.</summary>
    public static int FirstSumBeyond(ReadOnlySpan<int> values, ReadOnlySpan<int> differences)
    {
        var i = 0;
        var limit = new Vector<int>(FixedPoint.MaxValue);
        for (; i <= values.Length - Vector<int>.Count; i += Vector<int>.Count)
        {
            if (Vector.GreaterThanAny(Vector.Abs(new Vector<int>(values[i..]) + new Vector<int>(differences[i..])), limit))
            {
                break;
            }
        }

        for (; i < values.Length; i++)
        {
            if (Math.Abs(values[i] + differences[i]) > FixedPoint.MaxValue)
            {
                return i;
            }
        }

        return -1;
    }
}

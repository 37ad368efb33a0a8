using System.Numerics;
using System.Runtime.InteropServices;

namespace FedChain.Protocol.Numerics;

/// <summary>
/// Adapter values as integers: q = round-half-even(x * 2^f), clamped to ±(2^23 - 1). 24 bits with the sign, so that q * 2^-f is exact in float32
/// and back: an adapter is an integer vector and an ordinary float32 file at once. There is no NaN, no infinity and no negative zero.
/// </summary>
public static class FixedPoint
{
    /// <summary>The largest magnitude of an adapter value: 2^23 - 1.</summary>
    public const int MaxValue = (1 << 23) - 1;

    /// <summary>The largest magnitude of the difference of two adapter values: 2^24 - 2.</summary>
    public const int MaxDifference = 2 * MaxValue;

    /// <summary>The fraction bits that a policy names unless it has a reason: values up to ±8 in steps of about a millionth.</summary>
    public const int DefaultFractionBits = 20;

    public const int MinFractionBits = 8;

    /// <summary>The most fraction bits; a first factor's values, which are at most 1, stay in range with it.</summary>
    public const int MaxFractionBits = 22;

    /// <summary>Rounds float32 values to fixed point.</summary>
    /// <param name="values">Finite numbers.</param>
    /// <param name="fractionBits">f, from <see cref="MinFractionBits"/> to <see cref="MaxFractionBits"/>.</param>
    /// <param name="destination">As many integers as there are values.</param>
    /// <exception cref="ArgumentException">A value is NaN or infinite (the message says which), or the lengths differ.</exception>
    public static void Quantize(ReadOnlySpan<float> values, int fractionBits, Span<int> destination)
    {
        RequireFractionBits(fractionBits);
        RequireLength(values.Length, destination.Length);
        var i = 0;
        var scale = new Vector<float>(MathF.ScaleB(1, fractionBits));
        var limit = new Vector<float>(MaxValue);
        var finite = new Vector<float>(float.MaxValue);
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var x = new Vector<float>(values[i..]);
            if (!Vector.LessThanOrEqualAll(Vector.Abs(x), finite))
            {
                break; // the loop below says which value it is
            }

            // Scaling by a power of two is exact (an overflow becomes infinity, and the limit takes it); clamping to an integer commutes with rounding.
            var clamped = Vector.Min(Vector.Max(x * scale, -limit), limit);
            Vector.ConvertToInt32(Vector.Round(clamped, MidpointRounding.ToEven)).CopyTo(destination[i..]);
        }

        for (; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i]))
            {
                throw new ArgumentException($"Value {i} is {values[i]}; adapter values must be finite.", nameof(values));
            }

            destination[i] = Quantize(values[i], fractionBits);
        }
    }

    /// <summary>Rounds one float32 value to fixed point.</summary>
    /// <exception cref="ArgumentException">NaN or infinity.</exception>
    public static int Quantize(float value, int fractionBits)
    {
        RequireFractionBits(fractionBits);
        return float.IsFinite(value)
            ? (int)Math.Round(Math.Clamp(Math.ScaleB(value, fractionBits), -MaxValue, MaxValue), MidpointRounding.ToEven)
            : throw new ArgumentException($"Adapter values must be finite; got {value}.", nameof(value));
    }

    /// <summary>The float32 values q * 2^-f, exactly.</summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static void Dequantize(ReadOnlySpan<int> values, int fractionBits, Span<float> destination)
    {
        RequireFractionBits(fractionBits);
        RequireLength(values.Length, destination.Length);
        var step = MathF.ScaleB(1, -fractionBits);
        var i = 0;
        for (; i <= values.Length - Vector<int>.Count; i += Vector<int>.Count)
        {
            (Vector.ConvertToSingle(new Vector<int>(values[i..])) * step).CopyTo(destination[i..]);
        }

        for (; i < values.Length; i++)
        {
            destination[i] = values[i] * step;
        }
    }

    /// <summary>Reads float32 values that must lie on the grid: q * 2^-f with |q| at most <see cref="MaxValue"/>, and no negative zero.</summary>
    /// <returns>-1, or the index of the first value that doesn't.</returns>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static int ReadExactly(ReadOnlySpan<float> values, int fractionBits, Span<int> destination)
    {
        RequireFractionBits(fractionBits);
        RequireLength(values.Length, destination.Length);
        var scale = MathF.ScaleB(1, fractionBits);
        var step = MathF.ScaleB(1, -fractionBits);
        var bits = MemoryMarshal.Cast<float, int>(values);
        var limit = new Vector<int>(MaxValue);
        var i = 0;
        for (; i <= values.Length - Vector<int>.Count; i += Vector<int>.Count)
        {
            // Whatever is off the grid, out of int's range, NaN or -0 comes back as other bits than it went in.
            var q = Vector.ConvertToInt32(new Vector<float>(values[i..]) * scale);
            var back = Vector.AsVectorInt32(Vector.ConvertToSingle(q) * step);
            if (!Vector.EqualsAll(back, new Vector<int>(bits[i..])) || !Vector.LessThanOrEqualAll(q, limit) || !Vector.GreaterThanOrEqualAll(q, -limit))
            {
                break;
            }

            q.CopyTo(destination[i..]);
        }

        for (; i < values.Length; i++)
        {
            var scaled = values[i] * scale;
            if (!(MathF.Abs(scaled) <= MaxValue) || BitConverter.SingleToInt32Bits((int)scaled * step) != bits[i])
            {
                return i;
            }

            destination[i] = (int)scaled;
        }

        return -1;
    }

    /// <summary>The index of the first value beyond ±<paramref name="limit"/>; -1 if there is none.</summary>
    public static int FirstBeyond(ReadOnlySpan<int> values, int limit) => values.IndexOfAnyExceptInRange(-limit, limit);

    /// <summary>Holds a value in the adapter's range, ±<see cref="MaxValue"/>.</summary>
    public static int Clamp(long value) => (int)Math.Clamp(value, -MaxValue, MaxValue);

    internal static void RequireFractionBits(int fractionBits)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(fractionBits, MinFractionBits);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(fractionBits, MaxFractionBits);
    }

    private static void RequireLength(int values, int destination)
    {
        if (values != destination)
        {
            throw new ArgumentException($"The destination must hold as many values as the source: {values}; it holds {destination}.", nameof(destination));
        }
    }
}

using System.Collections.Immutable;
using FedChain.Protocol.Numerics;

namespace FedChain.Protocol.Files;

/// <summary>The differences of a round's factors as an update can carry them: d = code * 2^shift, with one shift for each tensor, 0 with 32 bits.</summary>
public sealed class EncodedDifferences
{
    private readonly int[] _values;

    private EncodedDifferences(UpdateEncoding encoding, AdapterLayout layout, Factors factors, int[] values, ImmutableArray<int> shifts) =>
        (Encoding, Layout, Factors, _values, Shifts) = (encoding, layout, factors, values, shifts);

    public UpdateEncoding Encoding { get; }

    public AdapterLayout Layout { get; }

    /// <summary>Which tensors of the layout they are of.</summary>
    public Factors Factors { get; }

    /// <summary>d: what the update moves the base by, |d| at most <see cref="FixedPoint.MaxDifference"/>.</summary>
    public ReadOnlySpan<int> Values => _values;

    /// <summary>One for each tensor of the factors, in order.</summary>
    public ImmutableArray<int> Shifts { get; }

    /// <summary>Differences that are written as they are, in 32 bits.</summary>
    /// <exception cref="ArgumentException">Another number of differences than the factors have values, or one out of range.</exception>
    public static EncodedDifferences Exact(AdapterLayout layout, Factors factors, ReadOnlySpan<int> differences)
    {
        RequireCount(layout, factors, differences.Length);
        var beyond = FixedPoint.FirstBeyond(differences, FixedPoint.MaxDifference);
        return beyond < 0
            ? new EncodedDifferences(UpdateEncoding.Int32, layout, factors, differences.ToArray(), [.. layout.Of(factors).Select(_ => 0)])
            : throw new ArgumentException($"Difference {beyond} is {differences[beyond]}; expected at most ±{FixedPoint.MaxDifference}.", nameof(differences));
    }

    /// <summary>
    /// The nearest that an encoding holds: for each tensor the least shift with which every code fits, each code rounded half to even, and where that
    /// would leave the adapter's range the one before.
    /// </summary>
    /// <param name="encoding">How they will be written.</param>
    /// <param name="base">The round's base: base + d stays in range.</param>
    /// <param name="factors">The round's factors.</param>
    /// <param name="wanted">What the member would move the base by, below 2^30 in magnitude.</param>
    /// <exception cref="ArgumentException">Another number of differences than the factors have values.</exception>
    public static EncodedDifferences Nearest(UpdateEncoding encoding, Adapter @base, Factors factors, ReadOnlySpan<int> wanted)
    {
        RequireCount(@base.Layout, factors, wanted.Length);
        var values = new int[wanted.Length];
        var shifts = ImmutableArray.CreateBuilder<int>();
        var at = 0;
        foreach (var tensor in @base.Layout.Of(factors))
        {
            var start = @base[tensor];
            var target = values.AsSpan(at, tensor.Count);
            var largest = 0;
            for (var i = 0; i < target.Length; i++)
            {
                target[i] = Math.Clamp(wanted[at + i], -FixedPoint.MaxValue - start[i], FixedPoint.MaxValue - start[i]);
                largest = Math.Max(largest, Math.Abs(target[i]));
            }

            var shift = 0;
            while (IntegerMath.DivideHalfEven(largest, 1L << shift) > encoding.MaxCode())
            {
                shift++;
            }

            for (var i = 0; i < target.Length && shift > 0; i++)
            {
                var code = (int)IntegerMath.DivideHalfEven(target[i], 1L << shift);
                if (Math.Abs(start[i] + (code << shift)) > FixedPoint.MaxValue)
                {
                    code -= Math.Sign(code);
                }

                target[i] = code << shift;
            }

            shifts.Add(shift);
            at += tensor.Count;
        }

        return new EncodedDifferences(encoding, @base.Layout, factors, values, shifts.ToImmutable());
    }

    private static void RequireCount(AdapterLayout layout, Factors factors, int count)
    {
        if (factors == Factors.None || count != layout.CountOf(factors))
        {
            throw new ArgumentException($"The round's factors have {layout.CountOf(factors)} values; got {count} differences.", nameof(count));
        }
    }
}

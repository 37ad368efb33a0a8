using FedChain.Protocol.Numerics;

namespace FedChain.Protocol.Files;

/// <summary>An adapter as peers agree on it: integers q that stand for q * 2^-f, laid out tensor after tensor, row-major.</summary>
public sealed class Adapter
{
    private readonly int[] _values;

    /// <param name="layout">What each value means.</param>
    /// <param name="fractionBits">f.</param>
    /// <param name="values">The integers, |q| at most <see cref="FixedPoint.MaxValue"/>; owned by the adapter from here on.</param>
    /// <exception cref="ArgumentException">Another number of values than the layout has, or one out of range.</exception>
    public Adapter(AdapterLayout layout, int fractionBits, int[] values)
    {
        FixedPoint.RequireFractionBits(fractionBits);
        if (values.Length != layout.Count)
        {
            throw new ArgumentException($"The layout has {layout.Count} values; got {values.Length}.", nameof(values));
        }

        var beyond = FixedPoint.FirstBeyond(values, FixedPoint.MaxValue);
        if (beyond >= 0)
        {
            throw new ArgumentException($"Value {beyond} is {values[beyond]}; adapter values stay within ±{FixedPoint.MaxValue}.", nameof(values));
        }

        (Layout, FractionBits, _values) = (layout, fractionBits, values);
    }

    public AdapterLayout Layout { get; }

    public int FractionBits { get; }

    public ReadOnlySpan<int> Values => _values;

    /// <summary>The adapter that a federation starts from: A from the generator (<see cref="FirstFactor"/>), B = 0, so that the model is unchanged.</summary>
    public static Adapter First(AdapterLayout layout, Hash256 seed, int fractionBits)
    {
        var values = new int[layout.Count];
        foreach (var tensor in layout.Of(Factors.A))
        {
            FirstFactor.Fill(seed, tensor.Name, tensor.Columns, fractionBits, values.AsSpan(tensor.Offset, tensor.Count));
        }

        return new Adapter(layout, fractionBits, values);
    }

    /// <summary>The integers of one tensor.</summary>
    public ReadOnlySpan<int> this[AdapterTensor tensor] => Values.Slice(tensor.Offset, tensor.Count);

    /// <summary>The float32 values of one tensor, exactly.</summary>
    public float[] ToFloats(AdapterTensor tensor)
    {
        var floats = new float[tensor.Count];
        FixedPoint.Dequantize(this[tensor], FractionBits, floats);
        return floats;
    }

    /// <summary>This minus the base, over the tensors of some factors in order: an update's content.</summary>
    /// <exception cref="ArgumentException">The adapters differ in layout or fraction bits, or in a factor that should be frozen.</exception>
    public int[] DifferenceTo(Adapter @base, Factors factors)
    {
        if (!Layout.Equals(@base.Layout) || FractionBits != @base.FractionBits)
        {
            throw new ArgumentException("An update is the difference of two adapters of the same layout and fraction bits.", nameof(@base));
        }

        var difference = new int[Layout.CountOf(factors)];
        var at = 0;
        foreach (var tensor in Layout.Tensors)
        {
            var mine = this[tensor];
            var theirs = @base[tensor];
            if (!factors.HasFlag(tensor.Factor))
            {
                if (!mine.SequenceEqual(theirs))
                {
                    throw new ArgumentException($"Tensor '{tensor.Name}' has changed, but its factor is frozen in this round.", nameof(factors));
                }

                continue;
            }

            for (var i = 0; i < mine.Length; i++)
            {
                difference[at++] = mine[i] - theirs[i];
            }
        }

        return difference;
    }
}

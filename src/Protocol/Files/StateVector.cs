using FedChain.Protocol.Numerics;

namespace FedChain.Protocol.Files;

/// <summary>
/// Integers that go from one round into the next, one for each value of the adapter and in steps of its grid: the velocity of server momentum, which all
/// members share, or what encoding has left out of a member's updates, which is its own.
/// </summary>
public sealed class StateVector
{
    private readonly int[] _values;

    /// <param name="layout">What each value belongs to.</param>
    /// <param name="values">The integers, |v| at most <see cref="FixedPoint.MaxDifference"/>; owned by the vector from here on.</param>
    /// <exception cref="ArgumentException">Another number of values than the layout has, or one out of range.</exception>
    public StateVector(AdapterLayout layout, int[] values)
    {
        if (values.Length != layout.Count)
        {
            throw new ArgumentException($"The layout has {layout.Count} values; got {values.Length}.", nameof(values));
        }

        var beyond = FixedPoint.FirstBeyond(values, FixedPoint.MaxDifference);
        if (beyond >= 0)
        {
            throw new ArgumentException($"Value {beyond} is {values[beyond]}; expected at most ±{FixedPoint.MaxDifference}.", nameof(values));
        }

        (Layout, _values) = (layout, values);
    }

    public AdapterLayout Layout { get; }

    public ReadOnlySpan<int> Values => _values;

    /// <summary>What is carried into the first round of a genesis.</summary>
    public static StateVector Zero(AdapterLayout layout) => new(layout, new int[layout.Count]);

    /// <summary>This, with the values of some factors' tensors in order replaced; the others stay.</summary>
    /// <param name="factors">The round's factors.</param>
    /// <param name="values">Makes the new value from its place among the factors' values and the present one; what is out of range is held at its end.</param>
    public StateVector With(Factors factors, Func<int, int, long> values)
    {
        var next = _values.ToArray();
        var at = 0;
        foreach (var tensor in Layout.Of(factors))
        {
            foreach (ref var value in next.AsSpan(tensor.Offset, tensor.Count))
            {
                value = (int)Math.Clamp(values(at++, value), -FixedPoint.MaxDifference, FixedPoint.MaxDifference);
            }
        }

        return new StateVector(Layout, next);
    }

    /// <summary>The values of some factors' tensors, in order.</summary>
    public int[] Of(Factors factors)
    {
        var values = new int[Layout.CountOf(factors)];
        var at = 0;
        foreach (var tensor in Layout.Of(factors))
        {
            Values.Slice(tensor.Offset, tensor.Count).CopyTo(values.AsSpan(at));
            at += tensor.Count;
        }

        return values;
    }
}

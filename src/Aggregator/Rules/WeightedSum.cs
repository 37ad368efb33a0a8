using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using FedChain.Protocol.Numerics;

namespace FedChain.Aggregator.Rules;

/// <summary>
/// S = sum of w_k d_k and W = sum of w_k, element by element in 64-bit integers. With |d| below 2^24 and W up to 2^38, |S| stays below 2^62, so no
/// sum overflows and addition is associative: any order, and any grouping into partial sums, comes to the same bits.
/// </summary>
public sealed class WeightedSum(int count)
{
    /// <summary>The most that the weights may come to.</summary>
    public const long MaxWeight = 1L << 38;

    private readonly long[] _sums = new long[count];

    /// <summary>W.</summary>
    public long Weight { get; private set; }

    /// <summary>The number of elements.</summary>
    public int Count => _sums.Length;

    /// <summary>Starts again with nothing.</summary>
    public void Clear()
    {
        Array.Clear(_sums);
        Weight = 0;
    }

    /// <summary>Adds one client's differences.</summary>
    /// <param name="differences">|d| at most <see cref="FixedPoint.MaxDifference"/>: who calls has validated them.</param>
    /// <param name="weight">w, at least 1.</param>
    /// <exception cref="ArgumentException">Another number of elements, or a weight that is not positive or takes the sum beyond <see cref="MaxWeight"/>.</exception>
    public void Add(ReadOnlySpan<int> differences, long weight)
    {
        Grow(differences.Length, weight);
        var factor = Vector512.Create(weight);
        var wide = MemoryMarshal.Cast<long, Vector512<long>>(_sums.AsSpan());
        var whole = MemoryMarshal.Cast<int, Vector512<int>>(differences);
        for (var i = 0; i < whole.Length; i++)
        {
            var (low, high) = Vector512.Widen(whole[i]);
            wide[2 * i] += low * factor;
            wide[(2 * i) + 1] += high * factor;
        }

        for (var i = whole.Length * Vector512<int>.Count; i < differences.Length; i++)
        {
            _sums[i] += differences[i] * weight;
        }
    }

    /// <summary>Adds another sum.</summary>
    /// <exception cref="ArgumentException">Another number of elements, or the weights come to more than <see cref="MaxWeight"/>.</exception>
    public void Add(WeightedSum other)
    {
        if (other.Weight == 0)
        {
            return;
        }

        Grow(other.Count, other.Weight);
        for (var i = 0; i < _sums.Length; i++)
        {
            _sums[i] += other._sums[i];
        }
    }

    /// <summary>Writes S / W, rounded half to even, for the first elements.</summary>
    /// <exception cref="InvalidOperationException">Nothing was added.</exception>
    /// <exception cref="ArgumentException">More means than there are elements.</exception>
    public void MeanTo(Span<int> means) => MeanTo(means, Weight);

    /// <summary>Writes S / divisor, rounded half to even, for the first elements.</summary>
    /// <exception cref="InvalidOperationException">The divisor is 0, or less than W: the quotient could be no difference.</exception>
    /// <exception cref="ArgumentException">More means than there are elements.</exception>
    public void MeanTo(Span<int> means, long divisor)
    {
        if (divisor < Math.Max(Weight, 1))
        {
            throw new InvalidOperationException($"A mean needs at least one update, and a divisor of at least its weight {Weight}; got {divisor}.");
        }

        if (means.Length > Count)
        {
            throw new ArgumentException($"The sum has {Count} elements; {means.Length} means were asked for.", nameof(means));
        }

        for (var i = 0; i < means.Length; i++)
        {
            means[i] = (int)IntegerMath.DivideHalfEven(_sums[i], divisor);
        }
    }

    private void Grow(int elements, long weight)
    {
        if (elements > Count)
        {
            throw new ArgumentException($"The sum has {Count} elements; got {elements}.", nameof(elements));
        }

        if (weight < 1 || weight > MaxWeight - Weight)
        {
            throw new ArgumentException($"Weights are at least 1 and come to at most {MaxWeight}; got {weight} beside {Weight}.", nameof(weight));
        }

        Weight += weight;
    }
}

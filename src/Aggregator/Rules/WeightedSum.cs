using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using FedChain.Protocol.Numerics;

namespace FedChain.Aggregator.Rules;

/// <summary>
/// S = sum of w_k d_k and W = sum of w_k, element by element in 64-bit integers. With |d| below 2^24 and W up to 2^38, |S| stays below 2^62, so no
/// sum overflows and addition is associative: any order, and any grouping into partial sums, comes to the same bits. Small weights, which most policies
/// give, are first added up in 32 bits, where 127 |d| fit: half the memory traffic, and no widening for each update.
/// </summary>
public sealed class WeightedSum(int count)
{
    /// <summary>The most that the weights may come to.</summary>
    public const long MaxWeight = 1L << 38;

    private const int MaxNarrow = int.MaxValue / FixedPoint.MaxDifference;

    private readonly long[] _sums = new long[count];
    private readonly int[] _narrow = new int[count];
    private int _narrowWeight;
    private bool _isWide;

    /// <summary>W.</summary>
    public long Weight { get; private set; }

    /// <summary>The number of elements.</summary>
    public int Count => _sums.Length;

    /// <summary>Starts again with nothing.</summary>
    public void Clear() => (_narrowWeight, _isWide, Weight) = (0, false, 0); // what the arrays hold doesn't count any more

    /// <summary>Adds one client's differences.</summary>
    /// <param name="differences">|d| at most <see cref="FixedPoint.MaxDifference"/>: who calls has validated them.</param>
    /// <param name="weight">w, at least 1.</param>
    /// <exception cref="ArgumentException">Another number of elements, or a weight that is not positive or takes the sum beyond <see cref="MaxWeight"/>.</exception>
    public void Add(ReadOnlySpan<int> differences, long weight)
    {
        Grow(differences.Length, weight);
        if (weight > MaxNarrow)
        {
            AddWide(differences, weight);
        }
        else
        {
            GrowNarrow((int)weight);
            AddNarrow(differences, (int)weight);
        }
    }

    /// <summary>Adds four clients' differences, as many of each: memory delivers four streams at once faster than one after the other.</summary>
    /// <param name="weights">Four, each at least 1.</param>
    /// <inheritdoc cref="Add(ReadOnlySpan{int}, long)" path="/exception"/>
    internal void Add(ReadOnlySpan<int> a, ReadOnlySpan<int> b, ReadOnlySpan<int> c, ReadOnlySpan<int> d, ReadOnlySpan<long> weights)
    {
        foreach (var weight in weights)
        {
            Grow(a.Length, weight);
        }

        if (weights.ContainsAnyExceptInRange(1, MaxNarrow / 4))
        {
            AddWide(a, b, c, d, weights);
        }
        else
        {
            AddNarrow(a, b, c, d, weights);
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
        other.Widen();
        BecomeWide();
        for (var i = 0; i < other.Count; i++)
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

        var divider = new HalfEvenDivider(divisor);
        if (_isWide)
        {
            Widen();
            divider.Divide(_sums.AsSpan(0, means.Length), means);
        }
        else if (_narrowWeight > 0)
        {
            divider.Divide(_narrow.AsSpan(0, means.Length), means);
        }
        else
        {
            means.Clear();
        }
    }

    private void AddNarrow(ReadOnlySpan<int> a, ReadOnlySpan<int> b, ReadOnlySpan<int> c, ReadOnlySpan<int> d, ReadOnlySpan<long> weights)
    {
        var (wa, wb, wc, wd) = ((int)weights[0], (int)weights[1], (int)weights[2], (int)weights[3]);
        GrowNarrow(wa + wb + wc + wd);
        var sums = MemoryMarshal.Cast<int, Vector512<int>>(_narrow.AsSpan());
        var x = MemoryMarshal.Cast<int, Vector512<int>>(a);
        var y = MemoryMarshal.Cast<int, Vector512<int>>(b)[..x.Length];
        var z = MemoryMarshal.Cast<int, Vector512<int>>(c)[..x.Length];
        var u = MemoryMarshal.Cast<int, Vector512<int>>(d)[..x.Length];
        if ((wa, wb, wc, wd) == (1, 1, 1, 1))
        {
            for (var i = 0; i < x.Length; i++)
            {
                sums[i] += x[i] + y[i] + (z[i] + u[i]);
            }
        }
        else
        {
            for (var i = 0; i < x.Length; i++)
            {
                sums[i] += (x[i] * wa) + (y[i] * wb) + ((z[i] * wc) + (u[i] * wd));
            }
        }

        for (var i = x.Length * Vector512<int>.Count; i < a.Length; i++)
        {
            _narrow[i] += (a[i] * wa) + (b[i] * wb) + (c[i] * wc) + (d[i] * wd);
        }
    }

    private void AddWide(ReadOnlySpan<int> differences, long weight)
    {
        BecomeWide();
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

    private void AddWide(ReadOnlySpan<int> a, ReadOnlySpan<int> b, ReadOnlySpan<int> c, ReadOnlySpan<int> d, ReadOnlySpan<long> weights)
    {
        BecomeWide();
        var (wa, wb, wc, wd) = (Vector512.Create(weights[0]), Vector512.Create(weights[1]), Vector512.Create(weights[2]), Vector512.Create(weights[3]));
        var sums = MemoryMarshal.Cast<long, Vector512<long>>(_sums.AsSpan());
        var x = MemoryMarshal.Cast<int, Vector512<int>>(a);
        var y = MemoryMarshal.Cast<int, Vector512<int>>(b)[..x.Length];
        var z = MemoryMarshal.Cast<int, Vector512<int>>(c)[..x.Length];
        var u = MemoryMarshal.Cast<int, Vector512<int>>(d)[..x.Length];
        for (var i = 0; i < x.Length; i++)
        {
            var ((lowX, highX), (lowY, highY)) = (Vector512.Widen(x[i]), Vector512.Widen(y[i]));
            var ((lowZ, highZ), (lowU, highU)) = (Vector512.Widen(z[i]), Vector512.Widen(u[i]));
            sums[2 * i] += (lowX * wa) + (lowY * wb) + ((lowZ * wc) + (lowU * wd));
            sums[(2 * i) + 1] += (highX * wa) + (highY * wb) + ((highZ * wc) + (highU * wd));
        }

        for (var i = x.Length * Vector512<int>.Count; i < a.Length; i++)
        {
            _sums[i] += (a[i] * weights[0]) + (b[i] * weights[1]) + (c[i] * weights[2]) + (d[i] * weights[3]);
        }
    }

    private void AddNarrow(ReadOnlySpan<int> differences, int weight)
    {
        var sums = MemoryMarshal.Cast<int, Vector512<int>>(_narrow.AsSpan());
        var whole = MemoryMarshal.Cast<int, Vector512<int>>(differences);
        for (var i = 0; i < whole.Length; i++)
        {
            sums[i] += whole[i] * weight;
        }

        for (var i = whole.Length * Vector512<int>.Count; i < differences.Length; i++)
        {
            _narrow[i] += differences[i] * weight;
        }
    }

    /// <summary>Makes room for some more weight in the 32-bit sums.</summary>
    private void GrowNarrow(int weight)
    {
        if (weight > MaxNarrow - _narrowWeight)
        {
            Widen();
        }

        if (_narrowWeight == 0)
        {
            Array.Clear(_narrow);
        }

        _narrowWeight += weight;
    }

    /// <summary>Adds the 32-bit sums to the 64-bit ones.</summary>
    private void Widen()
    {
        BecomeWide();
        if (_narrowWeight > 0)
        {
            _narrowWeight = 0;
            AddWide(_narrow, weight: 1);
        }
    }

    private void BecomeWide()
    {
        if (!_isWide)
        {
            Array.Clear(_sums);
            _isWide = true;
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

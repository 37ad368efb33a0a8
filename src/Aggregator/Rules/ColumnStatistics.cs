using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace FedChain.Aggregator.Rules;

/// <summary>Medians and trimmed means of the columns of a table with a row for each update: a piece of each, so that memory is bounded.</summary>
/// <param name="network">Sorts as many values as there are rows, at least those in the middle that are asked for.</param>
/// <param name="width">Columns, a multiple of 16.</param>
internal sealed class ColumnStatistics(SortingNetwork network, int width)
{
    private static readonly int Lanes = Vector512<int>.Count;

    private readonly int[] _table = new int[network.Count * width];
    private readonly Vector512<int>[] _column = new Vector512<int>[network.Count];

    /// <summary>The columns to a piece with which a table of so many rows stays in the second cache, about 1 MiB.</summary>
    public static int WidthFor(int rows) => Math.Max(Lanes, Math.Min(1 << 12, (1 << 18) / rows / Lanes * Lanes));

    /// <summary>A row; what is in it before it is written is left from another piece.</summary>
    public Span<int> Row(int k) => _table.AsSpan(k * width, width);

    /// <summary>The median of each column: the middle value, or the mean of the middle two rounded half to even.</summary>
    public void Medians(Span<int> target)
    {
        var (lower, upper) = ((network.Count - 1) / 2, network.Count / 2);
        for (var at = 0; at < target.Length; at += Lanes)
        {
            Sort(at);
            var sum = _column[lower] + _column[upper]; // of 24 bits each
            var floor = sum >> 1;
            Put(floor + (sum & floor & Vector512<int>.One), target, at);
        }
    }

    /// <summary>The mean of each column without its <paramref name="trim"/> largest and smallest values, rounded half to even.</summary>
    public void TrimmedMeans(int trim, Span<int> target)
    {
        var kept = network.Count - (2 * trim);
        var divider = new HalfEvenDivider(kept);
        Span<long> sums = stackalloc long[Lanes];
        for (var at = 0; at < target.Length; at += Lanes)
        {
            Sort(at);
            var (low, high) = (Vector512<long>.Zero, Vector512<long>.Zero);
            foreach (var row in _column.AsSpan(trim, kept))
            {
                var (x, y) = Vector512.Widen(row);
                low += x;
                high += y;
            }

            low.CopyTo(sums);
            high.CopyTo(sums[Vector512<long>.Count..]);
            var means = target.Slice(at, Math.Min(Lanes, target.Length - at));
            divider.Divide(sums[..means.Length], means);
        }
    }

    private void Sort(int at)
    {
        var table = MemoryMarshal.Cast<int, Vector512<int>>(_table.AsSpan(at));
        var step = width / Lanes;
        for (var k = 0; k < _column.Length; k++)
        {
            _column[k] = table[k * step];
        }

        network.Sort(_column);
    }

    private static void Put(Vector512<int> values, Span<int> target, int at)
    {
        if (at <= target.Length - Lanes)
        {
            values.CopyTo(target[at..]);
            return;
        }

        Span<int> all = stackalloc int[Lanes];
        values.CopyTo(all);
        all[..(target.Length - at)].CopyTo(target[at..]);
    }
}

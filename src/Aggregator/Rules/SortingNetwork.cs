using System.Runtime.Intrinsics;

namespace FedChain.Aggregator.Rules;

/// <summary>
/// Batcher's merge exchange (Knuth, The Art of Computer Programming 3, 5.2.2, algorithm M): the exchanges that sort n values, whatever they are. As no
/// step depends on a value, sixteen coordinates are sorted at once, one in each lane, by minima and maxima alone.
/// </summary>
internal sealed class SortingNetwork
{
    private readonly (int Low, int High)[] _exchanges;

    /// <param name="count">n, from 1.</param>
    /// <param name="first">The first place that is asked for.</param>
    /// <param name="last">The last; those from first to last are as if all had been sorted, the others may not be.</param>
    public SortingNetwork(int count, int first, int last)
    {
        Count = count;
        var exchanges = new List<(int, int)>();
        var top = count < 2 ? 0 : 1 << (31 - int.LeadingZeroCount(count - 1));
        for (var p = top; p > 0; p >>= 1)
        {
            var (q, r, d) = (top, 0, p);
            while (true)
            {
                for (var i = 0; i < count - d; i++)
                {
                    if ((i & p) == r)
                    {
                        exchanges.Add((i, i + d));
                    }
                }

                if (q == p)
                {
                    break;
                }

                (d, q, r) = (q - p, q >> 1, p);
            }
        }

        // From the end backwards, an exchange that no place asked for depends on is left out.
        var wanted = new bool[count];
        wanted.AsSpan(first..(last + 1)).Fill(true);
        for (var i = exchanges.Count - 1; i >= 0; i--)
        {
            var (low, high) = exchanges[i];
            if (wanted[low] || wanted[high])
            {
                wanted[low] = wanted[high] = true;
            }
            else
            {
                exchanges.RemoveAt(i);
            }
        }

        _exchanges = [.. exchanges];
    }

    /// <summary>n.</summary>
    public int Count { get; }

    /// <summary>Sorts each lane of n vectors upwards, as far as it was asked for.</summary>
    public void Sort(Span<Vector512<int>> lanes)
    {
        foreach (var (low, high) in _exchanges)
        {
            var (x, y) = (lanes[low], lanes[high]);
            lanes[low] = Vector512.Min(x, y);
            lanes[high] = Vector512.Max(x, y);
        }
    }
}

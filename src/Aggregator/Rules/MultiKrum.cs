namespace FedChain.Aggregator.Rules;

/// <summary>
/// Multi-Krum (Blanchard et al., "Machine Learning with Adversaries", 2017): an update's score is the sum of its squared distances to the n - f - 2
/// others that are closest to it; the mean is that of the min(m, n - f - 2) updates of lowest score, ties to the lower member id. Distances are
/// integers of 128 bits, added up from pieces of all updates, so that memory does not grow with their length.
/// </summary>
public static class MultiKrum
{
    /// <summary>The updates that enter the mean, in order of their scores.</summary>
    /// <param name="updates">At least 2f + 3; all of the same round.</param>
    /// <param name="faulty">f, from 0.</param>
    /// <param name="selected">m, from 1.</param>
    /// <param name="threads">How many threads may work at once.</param>
    /// <param name="cancellationToken">Looked at before each piece.</param>
    public static ValidUpdate[] Select(
        IReadOnlyList<ValidUpdate> updates, int faulty, int selected, int threads, CancellationToken cancellationToken = default)
    {
        var n = updates.Count;
        ArgumentOutOfRangeException.ThrowIfNegative(faulty);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(selected);
        ArgumentOutOfRangeException.ThrowIfLessThan(n, (2 * faulty) + 3, nameof(updates));
        var distances = Distances(updates, threads, cancellationToken);
        var neighbours = n - faulty - 2;
        return
        [
            .. Enumerable.Range(0, n)
                .OrderBy(k => Enumerable.Range(0, n).Where(j => j != k).Select(j => distances[Pair(k, j)]).Order().Take(neighbours).Aggregate((x, y) => x + y))
                .ThenBy(k => updates[k].Member)
                .Take(Math.Min(selected, neighbours))
                .Select(k => updates[k]),
        ];
    }

    /// <summary>The squared distance of each pair of updates, at <see cref="Pair"/>.</summary>
    private static SquareSums Distances(IReadOnlyList<ValidUpdate> updates, int threads, CancellationToken cancellationToken) =>
        Pieces.Sum(
            updates[0].Differences.Count,
            Squares.MaxPiece,
            threads,
            () => new SquareSums(Pair(updates.Count, 0), updates.Count),
            (start, count, sums) =>
            {
                for (var k = 0; k < updates.Count; k++)
                {
                    updates[k].Differences.CopyTo(start, sums.Row(k, count));
                    for (var j = 0; j < k; j++)
                    {
                        sums[Pair(k, j)] += Squares.Distance(sums.Row(k, count), sums.Row(j, count));
                    }
                }
            },
            (total, sums) => total.Add(sums),
            cancellationToken);

    /// <summary>The place of an unordered pair of two different indices: those below (k, 0) are the pairs of indices below k.</summary>
    private static int Pair(int i, int j) => i > j ? checked((i * (i - 1) / 2) + j) : Pair(j, i);
}

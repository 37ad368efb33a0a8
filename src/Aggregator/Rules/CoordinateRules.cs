using FedChain.Protocol;
using FedChain.Protocol.Rounds;

namespace FedChain.Aggregator.Rules;

/// <summary>
/// Rules that look at one coordinate of all updates at a time (Yin et al., "Byzantine-Robust Distributed Learning", 2018; buckets: Karimireddy et al.,
/// "Byzantine-Robust Learning on Heterogeneous Datasets via Bucketing", 2022). They go through a piece of every update in turn.
/// </summary>
public static class CoordinateRules
{
    /// <summary>The median of each coordinate; of an even number the mean of the middle two, rounded half to even.</summary>
    /// <param name="updates">At least one; all of the same round.</param>
    /// <param name="threads">How many threads may work at once.</param>
    /// <param name="cancellationToken">Looked at before each piece.</param>
    public static int[] Median(IReadOnlyList<ValidUpdate> updates, int threads, CancellationToken cancellationToken = default) =>
        Of(updates, updates.Count, trim: (updates.Count - 1) / 2, threads, (start, target, scratch) =>
        {
            Fill(scratch.Table, updates, start, target.Length);
            scratch.Table.Medians(target);
        }, cancellationToken);

    /// <summary>The mean of each coordinate without its k largest and k smallest values, rounded half to even.</summary>
    /// <param name="updates">At least 2k + 1; all of the same round.</param>
    /// <param name="trim">k, from 0.</param>
    /// <param name="threads">How many threads may work at once.</param>
    /// <param name="cancellationToken">Looked at before each piece.</param>
    public static int[] TrimmedMean(IReadOnlyList<ValidUpdate> updates, int trim, int threads, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(trim);
        ArgumentOutOfRangeException.ThrowIfLessThan(updates.Count, (2 * trim) + 1, nameof(updates));
        return Of(updates, updates.Count, trim, threads, (start, target, scratch) =>
        {
            Fill(scratch.Table, updates, start, target.Length);
            scratch.Table.TrimmedMeans(trim, target);
        }, cancellationToken);
    }

    /// <summary>The median, as above, of the rounded means of buckets of updates.</summary>
    /// <param name="updates">At least one; all of the same round.</param>
    /// <param name="buckets">The updates' indices, each once, in buckets; see <see cref="Buckets"/>.</param>
    /// <param name="threads">How many threads may work at once.</param>
    /// <param name="cancellationToken">Looked at before each piece.</param>
    public static int[] BucketedMedian(
        IReadOnlyList<ValidUpdate> updates, IReadOnlyList<IReadOnlyList<int>> buckets, int threads, CancellationToken cancellationToken = default) =>
        Of(updates, buckets.Count, trim: (buckets.Count - 1) / 2, threads, (start, target, scratch) =>
        {
            var (table, sum) = scratch;
            for (var b = 0; b < buckets.Count; b++)
            {
                sum.Clear();
                foreach (var k in buckets[b])
                {
                    sum.Add(updates[k].Differences.Read(start, target), weight: 1); // the target is free until the end
                }

                sum.MeanTo(table.Row(b)[..target.Length]);
            }

            table.Medians(target);
        }, cancellationToken);

    /// <summary>
    /// The buckets of n updates in the order of their members: the entries of the whole shuffle that decides turns (<see cref="TurnOrder"/>), drawn for n,
    /// <paramref name="size"/> to a bucket, the rest in the last.
    /// </summary>
    public static IReadOnlyList<IReadOnlyList<int>> Buckets(Hash256 beacon, RoundId round, int updates, int size) =>
        [.. TurnOrder.Of(beacon, round, updates, updates).Chunk(size)];

    private static int[] Of(
        IReadOnlyList<ValidUpdate> updates, int rows, int trim, int threads, Pieces.Compute<Scratch> compute, CancellationToken cancellationToken)
    {
        var network = new SortingNetwork(rows, trim, rows - trim - 1);
        var width = ColumnStatistics.WidthFor(rows);
        return Pieces.Fill(
            updates[0].Differences.Count, width, threads, () => new Scratch(new ColumnStatistics(network, width), new WeightedSum(width)), compute, cancellationToken);
    }

    private static void Fill(ColumnStatistics table, IReadOnlyList<ValidUpdate> updates, int start, int count)
    {
        for (var k = 0; k < updates.Count; k++)
        {
            updates[k].Differences.CopyTo(start, table.Row(k)[..count]);
        }
    }

    private sealed record Scratch(ColumnStatistics Table, WeightedSum Sum);
}

namespace FedChain.Aggregator;

/// <summary>
/// mean_i = round-half-even(sum of w_k d_k,i / sum of w_k) over the updates k, piece by piece: a piece of every update in turn is added to one set
/// of 64-bit sums, which stays in the cache, so that each update is read once and memory does not depend on their number. Pieces are independent
/// and sums are exact, so that threads and order change nothing.
/// </summary>
public static class WeightedMean
{
    /// <summary>Elements of a piece: 128 KiB of an update, 256 KiB of sums.</summary>
    internal const int Piece = 1 << 15;

    /// <summary>The mean of the updates' differences.</summary>
    /// <param name="updates">At least one; all of the same round.</param>
    /// <param name="threads">How many threads may work at once.</param>
    /// <param name="cancellationToken">Looked at before each piece.</param>
    /// <returns>As many integers as the round's factors have values.</returns>
    public static int[] Of(IReadOnlyList<ValidUpdate> updates, int threads, CancellationToken cancellationToken = default)
    {
        if (updates.Count == 0)
        {
            throw new ArgumentException("A mean needs at least one update.", nameof(updates));
        }

        var means = new int[updates[0].Header.Count];
        var options = new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancellationToken };
        Parallel.For(
            0,
            (means.Length + Piece - 1) / Piece,
            options,
            () => new WeightedSum(Piece),
            (piece, _, sum) =>
            {
                var start = piece * Piece;
                var target = means.AsSpan(start, Math.Min(Piece, means.Length - start));
                sum.Clear();
                foreach (var update in updates)
                {
                    sum.Add(update.Plaintext.Integers(update.Header.DataOffset + (sizeof(int) * (long)start), target.Length), update.Weight);
                }

                sum.MeanTo(target);
                return sum;
            },
            _ => { });
        return means;
    }
}

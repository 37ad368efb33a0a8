namespace FedChain.Aggregator.Rules;

/// <summary>
/// mean_i = round-half-even(sum of w_k d_k,i / divisor) over the updates k, where the divisor is the sum of w_k unless a rule says otherwise. A piece of
/// every update in turn is added to one set of 64-bit sums, which stays in the cache, so that each update is read once and memory does not depend on
/// their number. Pieces are independent and sums are exact, so that threads and order change nothing.
/// </summary>
public static class WeightedMean
{
    /// <summary>Elements of a piece: 128 KiB of an update, 256 KiB of sums.</summary>
    internal const int Piece = 1 << 15;

    /// <summary>The mean of the updates' differences.</summary>
    /// <param name="updates">At least one; all of the same round.</param>
    /// <param name="weights">w, one for each update, from 0; not all 0 unless a divisor is given.</param>
    /// <param name="threads">How many threads may work at once.</param>
    /// <param name="divisor">At least the sum of the weights; that sum if not given.</param>
    /// <param name="cancellationToken">Looked at before each piece.</param>
    /// <returns>As many integers as the round's factors have values.</returns>
    public static int[] Of(
        IReadOnlyList<ValidUpdate> updates, IReadOnlyList<long> weights, int threads, long? divisor = null, CancellationToken cancellationToken = default)
    {
        if (updates.Count == 0 || updates.Count != weights.Count)
        {
            throw new ArgumentException($"A mean needs at least one update, and a weight for each; got {updates.Count} and {weights.Count}.", nameof(updates));
        }

        return Pieces.Fill(
            updates[0].Differences.Count,
            Piece,
            threads,
            () => new WeightedSum(Piece),
            (start, target, sum) =>
            {
                sum.Clear();
                for (var k = 0; k < updates.Count; k++)
                {
                    if (weights[k] != 0)
                    {
                        sum.Add(updates[k].Differences.Read(start, target), weights[k]); // the target is free until the end
                    }
                }

                sum.MeanTo(target, divisor ?? sum.Weight);
            },
            cancellationToken);
    }
}

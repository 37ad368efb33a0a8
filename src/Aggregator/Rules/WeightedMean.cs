namespace FedChain.Aggregator.Rules;

/// <summary>
/// mean_i = round-half-even(sum of w_k d_k,i / divisor) over the updates k, where the divisor is the sum of w_k unless a rule says otherwise. A piece of
/// every update in turn, four at a time, is added to one set of sums, which stays in the cache, so that each update is read once and memory does not
/// depend on their number. Pieces are independent and sums are exact, so that threads and order change nothing.
/// </summary>
public static class WeightedMean
{
    /// <summary>Elements of a piece: 64 KiB of an update. With sums of both widths and four decoded updates it stays in the second cache.</summary>
    internal const int Piece = 1 << 14;

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

        var entering = updates.Zip(weights).Where(u => u.Second != 0).ToArray();
        var (readers, counted) = (entering.Select(u => u.First.Differences).ToArray(), entering.Select(u => u.Second).ToArray());
        return Pieces.Fill(
            updates[0].Differences.Count,
            Piece,
            threads,
            () => new Scratch(),
            (start, target, scratch) =>
            {
                var (sum, k) = (scratch.Sum, 0);
                sum.Clear();
                for (; k <= readers.Length - 4; k += 4)
                {
                    sum.Add(
                        readers[k].Read(start, scratch.Piece(0, target.Length)),
                        readers[k + 1].Read(start, scratch.Piece(1, target.Length)),
                        readers[k + 2].Read(start, scratch.Piece(2, target.Length)),
                        readers[k + 3].Read(start, scratch.Piece(3, target.Length)),
                        counted.AsSpan(k, 4));
                }

                for (; k < readers.Length; k++)
                {
                    sum.Add(readers[k].Read(start, scratch.Piece(0, target.Length)), counted[k]);
                }

                sum.MeanTo(target, divisor ?? sum.Weight);
            },
            cancellationToken);
    }

    /// <summary>What one thread needs.</summary>
    private sealed class Scratch
    {
        private readonly int[] _decoded = new int[4 * WeightedMean.Piece];

        public WeightedSum Sum { get; } = new(WeightedMean.Piece);

        public Span<int> Piece(int i, int length) => _decoded.AsSpan(i * WeightedMean.Piece, length);
    }
}

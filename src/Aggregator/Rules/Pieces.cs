namespace FedChain.Aggregator.Rules;

/// <summary>
/// Goes through vectors piece by piece, so that what is worked on stays in the cache and memory does not grow with the vectors' length. Pieces are
/// independent of each other: threads and their order change nothing.
/// </summary>
internal static class Pieces
{
    /// <summary>Computes one piece of a result.</summary>
    /// <param name="start">Index of the piece's first element.</param>
    /// <param name="target">Where the piece goes.</param>
    /// <param name="scratch">The thread's own.</param>
    public delegate void Compute<in TScratch>(int start, Span<int> target, TScratch scratch);

    /// <summary>A vector of which each piece is computed by itself.</summary>
    /// <param name="count">Its elements.</param>
    /// <param name="piece">Elements of a piece; the last has fewer.</param>
    /// <param name="threads">How many threads may work at once.</param>
    /// <param name="scratch">Makes what one thread needs.</param>
    /// <param name="compute">Computes a piece.</param>
    /// <param name="cancellationToken">Looked at before each piece.</param>
    public static int[] Fill<TScratch>(
        int count, int piece, int threads, Func<TScratch> scratch, Compute<TScratch> compute, CancellationToken cancellationToken)
    {
        var result = new int[count];
        Parallel.For(
            0,
            Number(count, piece),
            Options(threads, cancellationToken),
            scratch,
            (i, _, own) =>
            {
                var start = i * piece;
                compute(start, result.AsSpan(start, Math.Min(piece, count - start)), own);
                return own;
            },
            _ => { });
        return result;
    }

    /// <summary>Adds something up over all pieces: each thread into a sum of its own, and those one after the other at the end.</summary>
    /// <param name="count">Elements of the vectors.</param>
    /// <param name="piece">Elements of a piece; the last has fewer.</param>
    /// <param name="threads">How many threads may work at once.</param>
    /// <param name="sum">Makes a sum of nothing.</param>
    /// <param name="add">Adds what is found from one element on, and how many elements.</param>
    /// <param name="merge">Adds the second sum to the first.</param>
    /// <param name="cancellationToken">Looked at before each piece.</param>
    public static TSum Sum<TSum>(
        int count, int piece, int threads, Func<TSum> sum, Action<int, int, TSum> add, Action<TSum, TSum> merge, CancellationToken cancellationToken)
    {
        var total = sum();
        var gate = new Lock();
        Parallel.For(
            0,
            Number(count, piece),
            Options(threads, cancellationToken),
            sum,
            (i, _, own) =>
            {
                add(i * piece, Math.Min(piece, count - (i * piece)), own);
                return own;
            },
            own =>
            {
                lock (gate)
                {
                    merge(total, own);
                }
            });
        return total;
    }

    private static int Number(int count, int piece) => (int)(((long)count + piece - 1) / piece);

    private static ParallelOptions Options(int threads, CancellationToken cancellationToken) =>
        new() { MaxDegreeOfParallelism = threads, CancellationToken = cancellationToken };
}

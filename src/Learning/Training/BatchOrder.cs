using FedChain.Learning.Examples;

namespace FedChain.Learning.Training;

/// <summary>
/// Which examples go into which step. Each pass over the data is shuffled, then sorted by length within pools of several batches, so that a batch
/// holds sequences of about one length and little padding, and the batches are shuffled again.
/// </summary>
internal static class BatchOrder
{
    private const int BatchesPerPool = 16;

    /// <summary>Indices of the examples, batch after batch, without end. Every example occurs once per pass; the last batch of a pass may be smaller.</summary>
    public static IEnumerable<int[]> Shuffled(IReadOnlyList<TokenizedExample> examples, int batchSize, ulong seed)
    {
        var random = new SeededRandom(seed);
        var order = Enumerable.Range(0, examples.Count).ToArray();
        while (true)
        {
            random.Shuffle(order.AsSpan());
            var batches = order.Chunk(batchSize * BatchesPerPool)
                .SelectMany(pool => pool.OrderBy(i => examples[i].Tokens.Length).ThenBy(i => i).Chunk(batchSize)).ToArray();
            random.Shuffle(batches.AsSpan());
            foreach (var batch in batches)
            {
                yield return batch;
            }
        }
    }

    /// <summary>All examples once, the longest first, so that memory for them is found at the beginning or not at all.</summary>
    public static IEnumerable<int[]> ByLength(IReadOnlyList<TokenizedExample> examples, int batchSize) =>
        Enumerable.Range(0, examples.Count).OrderByDescending(i => examples[i].Tokens.Length).ThenBy(i => i).Chunk(batchSize);
}

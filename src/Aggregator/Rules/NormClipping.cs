using FedChain.Protocol.Numerics;

namespace FedChain.Aggregator.Rules;

/// <summary>
/// The uniform mean of updates whose norm is held to T: N_k = isqrt(sum of d_k,i^2), c_k = min(2^22, floor(2^22 T / N_k)),
/// mean_i = round-half-even(sum of c_k d_k,i / (2^22 n)). Scaling is a weight, so it rounds nothing before the end, and memory stays that of a mean.
/// </summary>
public static class NormClipping
{
    /// <summary>Bits of a scale: with 2^16 updates their sum stays within <see cref="WeightedSum.MaxWeight"/>.</summary>
    private const int ScaleBits = 22;

    /// <summary>The mean of the clipped updates.</summary>
    /// <param name="updates">At least one, at most 2^16; all of the same round.</param>
    /// <param name="norm">T, in steps of the grid; null for the lower median of the norms.</param>
    /// <param name="threads">How many threads may work at once.</param>
    /// <param name="cancellationToken">Looked at before each piece.</param>
    public static int[] Of(IReadOnlyList<ValidUpdate> updates, long? norm, int threads, CancellationToken cancellationToken = default)
    {
        var norms = Norms(updates, threads, cancellationToken);
        var limit = norm is { } some ? (ulong)some : FairWeights.LowerMedian(norms);
        long[] scales = [.. norms.Select(n => n <= limit ? 1L << ScaleBits : (long)((limit << ScaleBits) / n))];
        return WeightedMean.Of(updates, scales, threads, (long)updates.Count << ScaleBits, cancellationToken);
    }

    /// <summary>The updates' Euclidean norms, rounded down.</summary>
    public static ulong[] Norms(IReadOnlyList<ValidUpdate> updates, int threads, CancellationToken cancellationToken = default)
    {
        var squares = Pieces.Sum(
            updates[0].Differences.Count,
            Squares.MaxPiece,
            threads,
            () => new SquareSums(updates.Count, rows: 1),
            (start, count, sums) =>
            {
                for (var k = 0; k < updates.Count; k++)
                {
                    sums[k] += Squares.Norm(updates[k].Differences.Read(start, sums.Row(0, count)));
                }
            },
            (total, sums) => total.Add(sums),
            cancellationToken);
        return [.. Enumerable.Range(0, updates.Count).Select(k => IntegerMath.SquareRoot(squares[k]))];
    }
}

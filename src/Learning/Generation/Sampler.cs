// Nucleus sampling: p = softmax(logits / T); of the tokens by falling p, the first K, and of these the first whose sum reaches P of theirs; one drawn by p.
// Source: Holtzman et al., The Curious Case of Neural Text Degeneration (arXiv 1904.09751), section 3.1; top-k before it as in transformers' order of
// warpers. In double precision, equals by id: no order of threads and no device changes a draw.
using FedChain.Learning.Training;

namespace FedChain.Learning.Generation;

/// <summary>Draws one token after another.</summary>
internal sealed class Sampler(GenerationOptions options)
{
    private readonly SeededRandom _random = new(options.Seed);

    public int Draw(ReadOnlySpan<float> logits)
    {
        var weights = new double[logits.Length];
        var highest = float.NegativeInfinity;
        foreach (var logit in logits)
        {
            highest = Math.Max(highest, logit);
        }

        for (var i = 0; i < weights.Length; i++)
        {
            weights[i] = Math.Exp((logits[i] - highest) / options.Temperature);
        }

        var candidates = Candidates(weights);
        var drawn = candidates.Sum(token => weights[token]) * ((_random.NextUInt64() >> 11) * (1.0 / (1UL << 53)));
        foreach (var token in candidates)
        {
            drawn -= weights[token];
            if (drawn < 0)
            {
                return token;
            }
        }

        return candidates[0]; // rounding left a rest
    }

    /// <summary>The tokens that may be drawn; weights are at most 1.</summary>
    private int[] Candidates(double[] weights)
    {
        int[] order = [.. Enumerable.Range(0, weights.Length)];
        if (options.TopK > 0 && options.TopK < weights.Length)
        {
            order = Sorted(weights, order, (count, _) => count >= options.TopK)[..options.TopK];
        }

        if (options.TopP >= 1)
        {
            return order;
        }

        var least = options.TopP * order.Sum(token => weights[token]);
        order = Sorted(weights, order, (_, sum) => sum >= least);
        var (kept, total) = (0, 0.0);
        while (kept < order.Length && total < least)
        {
            total += weights[order[kept++]];
        }

        return order[..Math.Max(1, kept)];
    }

    /// <summary>The heaviest tokens, in order, and enough of them: the long tail of a vocabulary isn't sorted for nothing.</summary>
    private static int[] Sorted(double[] weights, int[] tokens, Func<int, double, bool> enough)
    {
        var heavy = tokens;
        for (var bound = 1.0 / 16; bound > 1e-18; bound /= 16)
        {
            var above = Array.FindAll(tokens, token => weights[token] >= bound);
            if (enough(above.Length, above.Sum(token => weights[token])))
            {
                heavy = above;
                break;
            }
        }

        return [.. heavy.OrderByDescending(token => weights[token]).ThenBy(token => token)];
    }
}

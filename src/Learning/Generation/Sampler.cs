// Nucleus sampling: p = softmax(logits / T); of the tokens by falling p, the first whose sum reaches P; one of them drawn by p.
// Source: Holtzman et al., The Curious Case of Neural Text Degeneration (arXiv 1904.09751), section 3.1. In double precision, equals by id: no order of
// threads and no device changes a draw.
using FedChain.Learning.Training;

namespace FedChain.Learning.Generation;

/// <summary>Draws one token after another.</summary>
internal sealed class Sampler(double temperature, double topP, ulong seed)
{
    private readonly SeededRandom _random = new(seed);

    public int Draw(ReadOnlySpan<float> logits)
    {
        var weights = new double[logits.Length];
        var highest = float.NegativeInfinity;
        foreach (var logit in logits)
        {
            highest = Math.Max(highest, logit);
        }

        var total = 0.0;
        for (var i = 0; i < weights.Length; i++)
        {
            total += weights[i] = Math.Exp((logits[i] - highest) / temperature);
        }

        int[] order = [.. Enumerable.Range(0, weights.Length)];
        if (topP < 1)
        {
            Array.Sort(order, (a, b) => weights[a] != weights[b] ? weights[b].CompareTo(weights[a]) : a.CompareTo(b));
            var (kept, sum) = (0, 0.0);
            while (kept < order.Length && sum < topP * total)
            {
                sum += weights[order[kept++]];
            }

            (order, total) = (order[..Math.Max(1, kept)], sum);
        }

        var drawn = total * ((_random.NextUInt64() >> 11) * (1.0 / (1UL << 53)));
        foreach (var token in order)
        {
            drawn -= weights[token];
            if (drawn < 0)
            {
                return token;
            }
        }

        return order[0]; // rounding left a rest
    }
}

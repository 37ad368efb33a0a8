// The decoder once more, the slow way: one sequence, loops over float64, straight from the formulas that the families' papers and transformers' modules give.
// It shares no arithmetic with src/Learning, so that switches for which there are no vectors from elsewhere have something to be held to.
using FedChain.Learning.Models;
using static TorchSharp.torch;

namespace FedChain.Tests.Learning.Models;

internal sealed class PlainDecoder(DecoderConfig config, IReadOnlyDictionary<string, Tensor> parameters)
{
    private readonly Dictionary<string, float[]> _weights = parameters.ToDictionary(p => p.Key, p => Golden.Values(p.Value));

    /// <summary>Logits of every position: T rows of V.</summary>
    public double[][] Logits(int[] tokens, int firstPosition = 0)
    {
        var embedding = _weights["model.embed_tokens.weight"];
        var stream = tokens.Select(t => embedding.AsSpan(t * config.HiddenSize, config.HiddenSize).ToArray().Select(v => (double)v).ToArray()).ToArray();
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var name = $"model.layers.{layer}";
            var attended = Attention([.. stream.Select(x => Norm(x, $"{name}.input_layernorm.weight"))], layer, firstPosition);
            stream = [.. stream.Zip(attended, Sum)];
            stream = [.. stream.Select(x => Sum(x, FeedForward(Norm(x, $"{name}.post_attention_layernorm.weight"), $"{name}.mlp")))];
        }

        var head = config.TiedEmbeddings ? "model.embed_tokens" : "lm_head";
        return [.. stream.Select(x => Linear(Norm(x, "model.norm.weight"), head))];
    }

    private double[][] Attention(double[][] x, int layer, int firstPosition)
    {
        var name = $"model.layers.{layer}.self_attn";
        var (d, heads, shared) = (config.HeadSize, config.Heads, config.Heads / config.KeyValueHeads);
        int queryWidth = heads * d, keyWidth = config.KeyValueHeads * d;
        var (q, k, v) = (new double[x.Length][], new double[x.Length][], new double[x.Length][]);
        for (var t = 0; t < x.Length; t++)
        {
            var all = config.FusedProjections
                ? Linear(x[t], $"{name}.qkv_proj")
                : [.. Linear(x[t], $"{name}.q_proj"), .. Linear(x[t], $"{name}.k_proj"), .. Linear(x[t], $"{name}.v_proj")];
            q[t] = Heads(all[..queryWidth], $"{name}.q_norm.weight", firstPosition + t);
            k[t] = Heads(all[queryWidth..(queryWidth + keyWidth)], $"{name}.k_norm.weight", firstPosition + t);
            v[t] = all[(queryWidth + keyWidth)..];
        }

        var result = new double[x.Length][];
        for (var i = 0; i < x.Length; i++)
        {
            var joined = new double[queryWidth];
            var from = config.SlidingWindow is { } window && !config.FullAttentionLayers.Contains(layer) ? Math.Max(0, i - window + 1) : 0;
            for (var h = 0; h < heads; h++)
            {
                var (qh, kh) = (h * d, h / shared * d);
                var scores = Enumerable.Range(from, i - from + 1).Select(j => Enumerable.Range(0, d).Sum(e => q[i][qh + e] * k[j][kh + e]) / Math.Sqrt(d)).ToArray();
                var weights = scores.Select(s => Math.Exp(s - scores.Max())).ToArray();
                for (var e = 0; e < d; e++)
                {
                    joined[qh + e] = weights.Select((w, j) => w / weights.Sum() * v[from + j][kh + e]).Sum();
                }
            }

            result[i] = Linear(joined, $"{name}.o_proj");
        }

        return result;
    }

    /// <summary>Each head normed, where the family does that, and turned.</summary>
    private double[] Heads(double[] x, string norm, int position)
    {
        var d = config.HeadSize;
        return [.. x.Chunk(d).SelectMany(head =>
        {
            var normed = config.QueryKeyNorm ? Norm(head, norm) : head;
            return Enumerable.Range(0, d).Select(e =>
            {
                var angle = position * Frequency(e % (d / 2));
                var other = e < d / 2 ? -normed[e + (d / 2)] : normed[e - (d / 2)];
                return (normed[e] * Math.Cos(angle)) + (other * Math.Sin(angle));
            });
        })];
    }

    private double Frequency(int pair)
    {
        var plain = Math.Pow(config.RopeTheta, -2.0 * pair / config.HeadSize);
        switch (config.RopeScaling)
        {
            case RopeScaling.Linear linear:
                return plain / linear.Factor;
            case RopeScaling.Llama3 llama3:
                // How many whole waves fit the original context decides: many, none, or a share of each.
                var waves = llama3.OriginalContext * plain / (2 * Math.PI);
                var share = Math.Clamp((waves - llama3.LowFrequencyFactor) / (llama3.HighFrequencyFactor - llama3.LowFrequencyFactor), 0, 1);
                return ((1 - share) * plain / llama3.Factor) + (share * plain);
            default:
                return plain;
        }
    }

    private double[] FeedForward(double[] x, string name)
    {
        var both = config.FusedProjections ? Linear(x, $"{name}.gate_up_proj") : [.. Linear(x, $"{name}.gate_proj"), .. Linear(x, $"{name}.up_proj")];
        var (gate, up) = (both[..config.IntermediateSize], both[config.IntermediateSize..]);
        return Linear([.. gate.Zip(up, (g, u) => g / (1 + Math.Exp(-g)) * u)], $"{name}.down_proj");
    }

    private double[] Norm(double[] x, string weight)
    {
        var root = Math.Sqrt((x.Sum(v => v * v) / x.Length) + config.NormEpsilon);
        return [.. x.Zip(_weights[weight], (v, w) => v / root * w)];
    }

    private double[] Linear(double[] x, string name)
    {
        var weight = _weights[$"{name}.weight"];
        var bias = _weights.GetValueOrDefault($"{name}.bias");
        var result = new double[weight.Length / x.Length];
        for (var o = 0; o < result.Length; o++)
        {
            result[o] = bias?[o] ?? 0;
            for (var i = 0; i < x.Length; i++)
            {
                result[o] += weight[(o * x.Length) + i] * x[i];
            }
        }

        return result;
    }

    private static double[] Sum(double[] x, double[] y) => [.. x.Zip(y, (a, b) => a + b)];
}

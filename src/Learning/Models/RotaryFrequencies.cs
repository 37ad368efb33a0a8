// ωᵢ = θ^(-2i/d), i < d/2                                     (Su et al., arXiv 2104.09864)
// linear:  ωᵢ / factor                                        (Chen et al., arXiv 2306.15595)
// llama3:  with wave λ = 2π/ω, context L, factors l < h:  λ < L/h: ω;   λ > L/l: ω / factor;   between, with s = (L/λ - l) / (h - l): (1 - s) ω / factor + s ω
// Source of llama3 and of computing in float32: transformers' modeling_rope_utils.py.
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace FedChain.Learning.Models;

internal static class RotaryFrequencies
{
    /// <summary>One frequency per pair of dimensions, in radians per position: (D/2).</summary>
    public static float[] For(DecoderConfig config)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var exponents = tensor([.. Enumerable.Range(0, config.HeadSize / 2).Select(i => 2f * i)]).Over(config.HeadSize);
        var plain = MemoryMarshal.Cast<byte, float>(pow((float)config.RopeTheta, exponents).reciprocal().bytes).ToArray();
        return config.RopeScaling switch
        {
            null => plain,
            RopeScaling.Linear linear => [.. plain.Select(w => w / (float)linear.Factor)],
            RopeScaling.Llama3 llama3 => [.. plain.Select(w => Scaled(w, llama3))],
            var other => throw new InvalidOperationException($"{other} has no frequencies."),
        };
    }

    private static float Scaled(float frequency, RopeScaling.Llama3 scaling)
    {
        var wave = 2 * MathF.PI / frequency;
        var context = (float)scaling.OriginalContext;
        var (factor, low, high) = ((float)scaling.Factor, (float)scaling.LowFrequencyFactor, (float)scaling.HighFrequencyFactor);
        if (wave < context / high)
        {
            return frequency;
        }

        if (wave > context / low)
        {
            return frequency / factor;
        }

        var smooth = ((context / wave) - low) / (high - low);
        return ((1 - smooth) * frequency / factor) + (smooth * frequency);
    }
}

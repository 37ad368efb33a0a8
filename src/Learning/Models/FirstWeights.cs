// Normal-like weights of standard deviation 0.02, the projections back into the residual stream divided by sqrt(2 layers), norms 1, biases 0.
// Source: Radford et al., Language Models are Unsupervised Multitask Learners (GPT-2), section 2.3; as in nanoGPT.
// Drawn uniformly with that deviation rather than normally: exact on every machine, without a logarithm's last bit.
using FedChain.Learning.Training;
using static TorchSharp.torch;

namespace FedChain.Learning.Models;

internal static class FirstWeights
{
    private const float Deviation = 0.02f;

    public static void Fill(Decoder decoder, ulong seed)
    {
        using var _ = no_grad();
        foreach (var (name, parameter) in decoder.Parameters)
        {
            using var scope = NewDisposeScope();
            if (parameter.dim() == 1)
            {
                parameter.copy_(name.EndsWith(".bias", StringComparison.Ordinal) ? zeros_like(parameter) : ones_like(parameter));
                continue;
            }

            var bound = Deviation * MathF.Sqrt(3) / (Residual(name) ? MathF.Sqrt(2 * decoder.Config.Layers) : 1);
            var random = new SeededRandom(seed ^ StableHash.Of(name));
            var values = new float[parameter.NumberOfElements];
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = bound * random.NextSymmetric();
            }

            parameter.copy_(tensor(values, parameter.shape));
        }
    }

    private static bool Residual(string name) => name.EndsWith(".o_proj.weight", StringComparison.Ordinal) || name.EndsWith(".down_proj.weight", StringComparison.Ordinal);
}

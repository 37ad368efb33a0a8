// Dropout before A, on the adapter's path alone (Hu et al., arXiv 2106.09685; as PEFT has it): x ⊙ m / (1 - p), m Bernoulli(1 - p).
using FedChain.Learning.Models;
using static TorchSharp.torch;

namespace FedChain.Learning.Lora;

/// <summary>
/// Masks drawn from the seed, the step and the layer's name alone: computing a layer again gives its mask again, and so does a resumed training.
/// </summary>
internal sealed class LoraDropout(double rate, ulong seed)
{
    private ulong _position;

    /// <summary>Which batch comes next, counted over the whole training.</summary>
    public void Begin(long batch) => _position = unchecked((ulong)batch * 0x9E3779B97F4A7C15);

    public Tensor Apply(Tensor x, string name)
    {
        using var generator = new Generator(Mix(seed ^ _position ^ StableHash.Of(name)), x.device);
        var kept = rand(x.shape, float32, x.device, generator: generator).ge(rate).to(x.dtype);
        return x.mul(kept).OverInPlace(1 - rate);
    }

    /// <summary>SplitMix64's output function: like seeds, unlike generators.</summary>
    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
}

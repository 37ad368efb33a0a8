// y = W x + b,  with an adapter  y = (W + s B A) x + b,  s = alpha / r.
// Source: Hu et al., LoRA: Low-Rank Adaptation of Large Language Models (arXiv 2106.09685), section 4.1; shapes as PEFT's.
using FedChain.Learning.Models;
using static TorchSharp.torch;

namespace FedChain.Learning.Lora;

/// <summary>A linear layer of the decoder, with or without a low-rank adapter. The base weight is never written to by an adapter.</summary>
internal sealed class LoraLinear(string name, Tensor weight, Tensor? bias) : IDisposable
{
    /// <summary>
    /// Up to this many elements, W + s B A is formed for each pass: on small layers one multiplication by it beats three thinner ones and the
    /// intermediate results between them. Above, the factors are applied to the activations, whatever the number of tokens.
    /// </summary>
    private const long FormedWeightLimit = 512 * 512;

    private Tensor? _merged;

    /// <summary>Its name in the model, such as <c>model.layers.0.self_attn.q_proj</c>.</summary>
    public string Name => name;

    /// <summary>The last part of its name, such as <c>q_proj</c>: what an adapter's targets name.</summary>
    public string Kind => name[(name.LastIndexOf('.') + 1)..];

    /// <summary>(out, in).</summary>
    public Tensor Weight => weight;

    /// <summary>(r, in), or null without an adapter.</summary>
    public Tensor? A { get; private set; }

    /// <summary>(out, r), or null without an adapter.</summary>
    public Tensor? B { get; private set; }

    public float Scale { get; private set; }

    /// <summary>False lets the base model through as if there were no adapter.</summary>
    public bool Enabled { get; set; } = true;

    private bool Adapted => A is not null && Enabled;

    /// <summary>Whether several such layers over the same input may be multiplied as one.</summary>
    public bool FormsWeight => _merged is not null || !Adapted || weight.NumberOfElements <= FormedWeightLimit;

    /// <summary>Takes ownership of both factors.</summary>
    public void Attach(Tensor a, Tensor b, float scale)
    {
        Detach();
        (A, B, Scale) = (a, b, scale);
    }

    public void Detach()
    {
        Unmerge();
        A?.Dispose();
        B?.Dispose();
        (A, B) = (null, null);
    }

    /// <summary>Computes W + s B A once, for many passes without gradients.</summary>
    public void Merge()
    {
        if (Adapted && _merged is null)
        {
            using var _ = no_grad();
            _merged = FormWeight().MoveToOuterDisposeScope().DetachFromDisposeScope();
        }
    }

    /// <summary>Back to W and the factors. Exact: the base weight was never changed.</summary>
    public void Unmerge()
    {
        _merged?.Dispose();
        _merged = null;
    }

    /// <summary>W, or W + s B A while an adapter is enabled: (out, in).</summary>
    public Tensor FormWeight() => _merged ?? (Adapted ? weight.addmm(B!, A!, alpha: Scale) : weight);

    /// <summary>(…, in) -> (…, out).</summary>
    public Tensor Forward(Tensor x)
    {
        if (FormsWeight)
        {
            return nn.functional.linear(x, FormWeight(), bias);
        }

        var low = nn.functional.linear(x, A!); // (…, r)
        return nn.functional.linear(x, weight, bias).PlusInPlace(nn.functional.linear(low, B!), Scale);
    }

    public void Dispose() => Detach();
}

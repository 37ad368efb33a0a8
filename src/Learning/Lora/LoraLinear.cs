// y = W x + b,  with an adapter  y = (W + s B A) x + b,  s = alpha / r.
// Source: Hu et al., LoRA: Low-Rank Adaptation of Large Language Models (arXiv 2106.09685), section 4.1; shapes as PEFT's.
using FedChain.Learning.Models;
using static TorchSharp.torch;

namespace FedChain.Learning.Lora;

/// <summary>
/// A linear layer of the decoder, with or without a low-rank adapter. Only <see cref="Absorb"/> writes to the base weight. Where the base computes in
/// bfloat16, the factors stay float32 and are rounded for each product; the sum W + s B A, which would lose most of a small update, is never formed.
/// </summary>
internal sealed class LoraLinear : IDisposable
{
    /// <summary>
    /// Up to this many elements, W + s B A is formed for each pass: on small layers one multiplication by it beats three thinner ones and the
    /// intermediate results between them. Above, the factors are applied to the activations, whatever the number of tokens.
    /// </summary>
    private const long FormedWeightLimit = 512 * 512;

    private readonly Tensor? _weight; // (out, in), unless it is quantised
    private readonly QuantizedWeight? _quantized;
    private readonly Tensor? _bias; // (out)
    private Tensor? _merged;
    private Tensor? _original; // the weight before it absorbed anything

    public LoraLinear(string name, Tensor weight, Tensor? bias) => (Name, _weight, _bias) = (name, weight, bias);

    public LoraLinear(string name, QuantizedWeight weight, Tensor? bias) => (Name, _quantized, _bias) = (name, weight, bias);

    /// <summary>Its name in the model, such as <c>model.layers.0.self_attn.q_proj</c>.</summary>
    public string Name { get; }

    /// <summary>The last part of its name, such as <c>q_proj</c>: what an adapter's targets name.</summary>
    public string Kind => Name[(Name.LastIndexOf('.') + 1)..];

    public int Outputs => (int)(_weight ?? _quantized!.Values).shape[0];

    public int Inputs => (int)(_weight ?? _quantized!.Values).shape[1];

    /// <summary>(r, in), or null without an adapter.</summary>
    public Tensor? A { get; private set; }

    /// <summary>(out, r), or null without an adapter.</summary>
    public Tensor? B { get; private set; }

    public float Scale { get; private set; }

    /// <summary>False lets the base model through as if there were no adapter.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Applied to the adapter's input while a training has set it.</summary>
    public LoraDropout? Dropout { get; set; }

    private bool Adapted => A is not null && Enabled;

    /// <summary>Whether the adapter is added to the weight rather than applied beside it.</summary>
    internal bool FormsWeight => _weight is { dtype: ScalarType.Float32 } && (_merged is not null || !Adapted || (_weight.NumberOfElements <= FormedWeightLimit && Dropout is null));

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

    /// <summary>Computes W + s B A once, for many passes without gradients; does nothing where the sum is never formed.</summary>
    public void Merge()
    {
        if (Adapted && _merged is null && _weight is { dtype: ScalarType.Float32 })
        {
            using var _ = no_grad();
            _merged = FormWeight().MoveToOuterDisposeScope().DetachFromDisposeScope();
        }
    }

    /// <summary>Adds <paramref name="share"/> · s B A to the base weight itself, until <see cref="Restore"/>.</summary>
    /// <exception cref="InvalidOperationException">The weight isn't held in float32.</exception>
    public void Absorb(double share)
    {
        if (_weight is not { dtype: ScalarType.Float32 })
        {
            throw new InvalidOperationException($"Only weights held in float32 can absorb an adapter; {Name}'s are not.");
        }

        using var _ = no_grad();
        using var scope = NewDisposeScope();
        Unmerge();
        _original ??= _weight.clone().DetachFromDisposeScope();
        _weight.addmm_(B!, A!, alpha: (float)(share * Scale));
    }

    /// <summary>The base weight as it was loaded, to the bit.</summary>
    public void Restore()
    {
        if (_original is not null)
        {
            using var _ = no_grad();
            Unmerge();
            _weight!.copy_(_original).DetachFromDisposeScope();
            _original.Dispose();
            _original = null;
        }
    }

    /// <summary>Back to W and the factors. Exact: the base weight was never changed.</summary>
    public void Unmerge()
    {
        _merged?.Dispose();
        _merged = null;
    }

    /// <summary>W, or W + s B A while an adapter is enabled, in float32: (out, in).</summary>
    public Tensor FormWeight()
    {
        if (_merged is not null)
        {
            return _merged;
        }

        var weight = _weight is { dtype: ScalarType.Float32 } ? _weight : _weight?.to(float32) ?? _quantized!.Values.to(float32).mul(_quantized.Scales.unsqueeze(1));
        return Adapted ? weight.addmm(B!, A!, alpha: Scale) : weight;
    }

    /// <summary>(…, in) -> (…, out).</summary>
    public Tensor Forward(Tensor x)
    {
        if (FormsWeight)
        {
            return nn.functional.linear(x, FormWeight(), _bias);
        }

        var y = _weight is not null ? nn.functional.linear(x, _weight, _bias)
            : _bias is not null ? _quantized!.Apply(x).Plus(_bias) : _quantized!.Apply(x);
        if (!Adapted)
        {
            return y;
        }

        var low = nn.functional.linear(Dropout?.Apply(x, Name) ?? x, A!.to(x.dtype)); // (…, r)
        return y.PlusInPlace(nn.functional.linear(low, B!.to(x.dtype)), Scale);
    }

    public void Dispose()
    {
        Detach();
        _original?.Dispose();
    }
}

using FedChain.Learning.Models;
using FedChain.Protocol.Files;
using TorchSharp;
using static TorchSharp.torch;

namespace FedChain.Learning.Lora;

/// <summary>An adapter on a decoder: two float32 factors on every target layer, named and shaped as PEFT does.</summary>
internal sealed class LoraAdapter : IDisposable
{
    private readonly List<LoraLinear> _linears;
    private readonly Dictionary<string, Tensor> _factors = new(StringComparer.Ordinal);

    /// <summary>Puts factors of zeros on the decoder's target layers; <see cref="Import"/> fills them.</summary>
    /// <exception cref="ArgumentException">The decoder lacks a target, or carries an adapter already.</exception>
    public LoraAdapter(Decoder decoder, AdapterConfig config)
    {
        if (decoder.Linears.Any(l => l.A is not null))
        {
            throw new ArgumentException("The model carries an adapter already; detach it first.", nameof(decoder));
        }

        (Config, Layout) = (config, LayoutFor(decoder, config));
        _linears = [.. decoder.Linears.Where(l => config.Targets.Contains(l.Kind))];
        foreach (var tensor in Layout.Tensors)
        {
            _factors.Add(tensor.Name, zeros(tensor.Rows, tensor.Columns, float32, decoder.Device).DetachFromDisposeScope());
        }

        foreach (var linear in _linears)
        {
            var name = $"base_model.model.{linear.Name}";
            linear.Attach(_factors[$"{name}.lora_A.weight"], _factors[$"{name}.lora_B.weight"], (float)config.Scale);
        }
    }

    public AdapterConfig Config { get; }

    public AdapterLayout Layout { get; }

    /// <summary>False lets the base model through as if there were no adapter.</summary>
    public bool Enabled
    {
        get => _linears[0].Enabled;
        set => _linears.ForEach(l => l.Enabled = value);
    }

    /// <summary>The factor of that PEFT name.</summary>
    public Tensor this[string name] => _factors[name];

    public static AdapterLayout LayoutFor(Decoder decoder, AdapterConfig config) =>
        AdapterLayout.Create(config, decoder.Linears.Select(l => (l.Name, l.Inputs, l.Outputs)));

    /// <summary>The tensors of these factors, in the layout's order.</summary>
    public IReadOnlyList<Tensor> Of(Factors factors) => [.. Layout.Of(factors).Select(t => _factors[t.Name])];

    /// <summary>All values in the layout's order.</summary>
    public float[] Export()
    {
        var values = new float[Layout.Count];
        foreach (var tensor in Layout.Tensors)
        {
            using var scope = NewDisposeScope();
            TensorData.Copy(_factors[tensor.Name], values.AsSpan(tensor.Offset, tensor.Count));
        }

        return values;
    }

    /// <summary>Sets all values, given in the layout's order.</summary>
    public void Import(ReadOnlySpan<float> values)
    {
        if (values.Length != Layout.Count)
        {
            throw new ArgumentException($"The adapter has {Layout.Count} values; got {values.Length}.", nameof(values));
        }

        using var _ = no_grad();
        foreach (var tensor in Layout.Tensors)
        {
            using var scope = NewDisposeScope();
            _factors[tensor.Name].copy_(torch.tensor(values.Slice(tensor.Offset, tensor.Count).ToArray(), [tensor.Rows, tensor.Columns]));
        }
    }

    /// <summary>Merges the factors into the weights for passes without gradients, until the result is disposed. Exact both ways.</summary>
    public IDisposable Merge()
    {
        _linears.ForEach(l => l.Merge());
        return new Unmerging(_linears);
    }

    /// <inheritdoc cref="LoraLinear.Absorb"/>
    public void Absorb(double share) => _linears.ForEach(l => l.Absorb(share));

    public void Dispose() => _linears.ForEach(l => l.Detach());

    private sealed class Unmerging(List<LoraLinear> linears) : IDisposable
    {
        public void Dispose() => linears.ForEach(l => l.Unmerge());
    }
}

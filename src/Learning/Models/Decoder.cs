// A decoder-only transformer, for all families of DecoderFamily (Llama, Mistral, Qwen2, Qwen3, Phi-3):
//   x  = E[token]
//   x += O · Attention(RoPE(Q n), RoPE(K n), V n),          n = RMSNorm(x)
//   x += D · (SiLU(G m) ⊙ U m),                             m = RMSNorm(x)          for each layer
//   logits = H · RMSNorm(x)
// RMSNorm(x) = w ⊙ x / sqrt(mean(x²) + ε)                   (Zhang, Sennrich, arXiv 1910.07467)
// RoPE: pairs (i, i + d/2) of a head turned by position · ωᵢ  (RotaryFrequencies; halves as in Hugging Face); in Qwen3 after RMSNorm of each head
// Attention: softmax(q kᵀ / sqrt(d)) v, causal, where a window w applies only over the latest w keys   (Mistral 7B, arXiv 2310.06825);
// groups of query heads share a key and value head   (Ainslie et al., arXiv 2305.13245)
// SwiGLU: Shazeer, arXiv 2002.05202.  Numbers held to transformers' modeling_llama.py and modeling_qwen2.py.
// Shapes: B sequences, T tokens, C hidden, H query heads, K key and value heads, S keys (cached and new), D head size, V vocabulary.
using FedChain.Learning.Lora;
using FedChain.Learning.Native;
using FedChain.Learning.Training;
using static TorchSharp.torch;

namespace FedChain.Learning.Models;

internal sealed class Decoder : IDisposable
{
    private readonly Tensor _embedding; // (V, C)
    private readonly Tensor _norm; // (C)
    private readonly Tensor _head; // (V, C), the embedding itself where tied
    private readonly DecoderLayer[] _layers;
    private readonly SortedDictionary<string, Tensor> _parameters = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, QuantizedWeight> _quantized = new(StringComparer.Ordinal);
    private readonly RotaryTable _rotations;

    /// <summary>A decoder with uninitialised weights: whoever makes it fills <see cref="Parameters"/> and <see cref="Quantized"/>.</summary>
    public Decoder(DecoderConfig config, Device device, WeightType weights = WeightType.Float32)
    {
        config.Validate();
        NativeTorch.Load();
        (Config, Device, Weights) = (config, device, weights);
        _rotations = new RotaryTable(config, device, Compute);
        _embedding = Parameter("model.embed_tokens.weight", config.VocabSize, config.HiddenSize);
        _layers = [.. Enumerable.Range(0, config.Layers).Select(i => new DecoderLayer(this, i))];
        _norm = Parameter("model.norm.weight", config.HiddenSize);
        _head = config.TiedEmbeddings ? _embedding : Parameter("lm_head.weight", config.VocabSize, config.HiddenSize);
    }

    public DecoderConfig Config { get; }

    public Device Device { get; }

    public WeightType Weights { get; }

    /// <summary>What activations are computed in.</summary>
    public ScalarType Compute => Weights == WeightType.Float32 ? ScalarType.Float32 : ScalarType.BFloat16;

    /// <summary>The linear weights that are held in 8 bits, by their Hugging Face names.</summary>
    public IReadOnlyDictionary<string, QuantizedWeight> Quantized => _quantized;

    /// <summary>The base model's floating-point weights by their Hugging Face names; adapters are not among them.</summary>
    public IReadOnlyDictionary<string, Tensor> Parameters => _parameters;

    /// <summary>The linear layers that an adapter may sit on, layer by layer, in the order of their use.</summary>
    public IEnumerable<LoraLinear> Linears => _layers.SelectMany(layer => layer.Linears);

    /// <summary>From tokens to the last hidden state, after the final norm.</summary>
    /// <param name="tokens">(B, T), int64.</param>
    /// <param name="mask">
    /// (B, S), 1 for tokens and 0 for padding. Unneeded where padding is on the right: it comes after the tokens, which never look ahead.
    /// </param>
    /// <param name="positions">(B, T), int64; by default counted on from what the cache holds.</param>
    /// <param name="cache">Earlier keys and values; extended by these tokens.</param>
    /// <param name="hiddenStates">Receives the embeddings, each layer's output, and in place of the last layer's the normed one, as Hugging Face lists them.</param>
    /// <returns>(B, T, C).</returns>
    public Tensor Forward(Tensor tokens, Tensor? mask = null, Tensor? positions = null, KeyValueCache? cache = null, ICollection<Tensor>? hiddenStates = null)
    {
        var pass = Begin(tokens, mask, positions, cache);
        var x = Embed(tokens);
        for (var i = 0; i < _layers.Length; i++)
        {
            hiddenStates?.Add(x);
            x = _layers[i].Forward(x, pass);
        }

        cache?.Advance((int)tokens.shape[1]);
        x = Norm(x);
        hiddenStates?.Add(x);
        return x;
    }

    /// <summary>What all layers of one pass share: rotations, masks and the cache.</summary>
    public Pass Begin(Tensor tokens, Tensor? mask = null, Tensor? positions = null, KeyValueCache? cache = null)
    {
        int past = cache?.Length ?? 0, length = (int)tokens.shape[1];
        return new Pass(_rotations.Of(past, length, positions), new AttentionMasks(Device, past, length, mask), cache);
    }

    /// <summary>The first hidden state: (B, T) -> (B, T, C).</summary>
    public Tensor Embed(Tensor tokens) => RotaryTable.Rows(_embedding, tokens);

    /// <summary>One layer, counted from 0: (B, T, C) -> (B, T, C).</summary>
    public Tensor Layer(int index, Tensor x, Pass pass) => _layers[index].Forward(x, pass);

    /// <summary>The linear layers of one decoder layer, counted from 0.</summary>
    public IEnumerable<LoraLinear> LinearsOf(int index) => _layers[index].Linears;

    /// <summary>The final norm.</summary>
    public Tensor Norm(Tensor x) => RmsNorm(x, _norm);

    /// <summary>(…, C) -> (…, V).</summary>
    public Tensor Logits(Tensor hidden) => nn.functional.linear(hidden, _head);

    /// <summary>Cross entropy in nats of the batch's counted tokens, summed (or each by itself): a scalar, or (N).</summary>
    public Tensor Loss(TokenBatch batch, nn.Reduction reduction = nn.Reduction.Sum) => Loss(Forward(batch.Tokens), batch, reduction);

    /// <summary>The same from the last hidden state, after the final norm.</summary>
    public Tensor Loss(Tensor hidden, TokenBatch batch, nn.Reduction reduction = nn.Reduction.Sum)
    {
        var places = hidden.reshape(-1, Config.HiddenSize).index_select(0, batch.Places); // (N, C)
        return nn.functional.cross_entropy(Logits(places).to(float32), batch.Targets, reduction: reduction);
    }

    public void Dispose()
    {
        foreach (var linear in Linears)
        {
            linear.Dispose();
        }

        foreach (var weight in _parameters.Values.Concat<IDisposable>(_quantized.Values))
        {
            weight.Dispose();
        }

        _rotations.Dispose();
    }

    internal Tensor Parameter(string name, params long[] shape)
    {
        var tensor = empty(shape, Compute, Device).DetachFromDisposeScope();
        _parameters.Add(name, tensor);
        return tensor;
    }

    internal LoraLinear Linear(string name, long output, long input, bool bias = false)
    {
        var biasTensor = bias ? Parameter($"{name}.bias", output) : null;
        if (Weights != WeightType.Int8)
        {
            return new(name, Parameter($"{name}.weight", output, input), biasTensor);
        }

        var quantized = new QuantizedWeight(empty([output, input], int8, Device).DetachFromDisposeScope(), empty([output], float32, Device).DetachFromDisposeScope());
        _quantized.Add($"{name}.weight", quantized);
        return new(name, quantized, biasTensor);
    }

    /// <summary>In float32 whatever the input's type, as the reference does.</summary>
    internal Tensor RmsNorm(Tensor x, Tensor weight)
    {
        var wide = x.dtype == ScalarType.Float32 ? x : x.to(float32);
        var normed = wide.mul(wide.mul(wide).mean([-1], keepdim: true).PlusInPlace(Config.NormEpsilon).rsqrt_());
        return (x.dtype == ScalarType.Float32 ? normed : normed.to(x.dtype)).mul(weight);
    }
}

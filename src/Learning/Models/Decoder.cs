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
using FedChain.Learning.Kernels;
using FedChain.Learning.Lora;
using FedChain.Learning.Native;
using FedChain.Learning.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace FedChain.Learning.Models;

internal sealed class Decoder : IDisposable
{
    private readonly Tensor _embedding; // (V, C)
    private readonly Tensor _norm; // (C)
    private readonly Tensor _head; // (V, C), the embedding itself where tied
    private readonly Layer[] _layers;
    private readonly SortedDictionary<string, Tensor> _parameters = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, QuantizedWeight> _quantized = new(StringComparer.Ordinal);
    private Tensor? _cos; // (positions, D)
    private Tensor? _sin; // (positions, D), the first half negated: see Rotate

    /// <summary>A decoder with uninitialised weights: whoever makes it fills <see cref="Parameters"/> and <see cref="Quantized"/>.</summary>
    public Decoder(DecoderConfig config, Device device, WeightType weights = WeightType.Float32)
    {
        config.Validate();
        NativeTorch.Load();
        (Config, Device, Weights) = (config, device, weights);
        _embedding = Parameter("model.embed_tokens.weight", config.VocabSize, config.HiddenSize);
        _layers = [.. Enumerable.Range(0, config.Layers).Select(i => new Layer(this, i))];
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
        int past = cache?.Length ?? 0, length = (int)tokens.shape[1];
        var rotation = Rotations(past, length, positions);
        var masks = new Masks(this, past, length, mask);
        var x = Rows(_embedding, tokens); // (B, T, C)
        for (var i = 0; i < _layers.Length; i++)
        {
            hiddenStates?.Add(x);
            x = _layers[i].Forward(x, rotation, masks.Of(Config.WindowOf(i)), cache);
        }

        cache?.Advance(length);
        x = RmsNorm(x, _norm);
        hiddenStates?.Add(x);
        return x;
    }

    /// <summary>(…, C) -> (…, V).</summary>
    public Tensor Logits(Tensor hidden) => nn.functional.linear(hidden, _head);

    /// <summary>Cross entropy in nats of the batch's counted tokens, summed (or each by itself): a scalar, or (N).</summary>
    public Tensor Loss(TokenBatch batch, nn.Reduction reduction = nn.Reduction.Sum)
    {
        var hidden = Forward(batch.Tokens).reshape(-1, Config.HiddenSize).index_select(0, batch.Places); // (N, C)
        return nn.functional.cross_entropy(Logits(hidden).to(float32), batch.Targets, reduction: reduction);
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

        _cos?.Dispose();
        _sin?.Dispose();
    }

    private Tensor Parameter(string name, params long[] shape)
    {
        var tensor = empty(shape, Compute, Device).DetachFromDisposeScope();
        _parameters.Add(name, tensor);
        return tensor;
    }

    private LoraLinear Linear(string name, long output, long input, bool bias = false)
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
    private Tensor RmsNorm(Tensor x, Tensor weight)
    {
        var wide = x.dtype == ScalarType.Float32 ? x : x.to(float32);
        var normed = wide.mul(wide.mul(wide).mean([-1], keepdim: true).PlusInPlace(Config.NormEpsilon).rsqrt_());
        return (x.dtype == ScalarType.Float32 ? normed : normed.to(x.dtype)).mul(weight);
    }

    /// <summary>The rows of a table (N, W) that (B, T) indices name: (B, T, W).</summary>
    private static Tensor Rows(Tensor table, Tensor indices) =>
        table.index_select(0, indices.reshape(-1)).view(indices.shape[0], indices.shape[1], table.shape[1]);

    /// <summary>
    /// Cosines and sines for the positions of a pass, once per query head: (1, T, H D), or (B, T, H D) where positions are given. Spread out like
    /// this they multiply long rows; over a dimension as short as a head, torch is several times slower.
    /// </summary>
    private (Tensor Cos, Tensor Sin) Rotations(int past, int length, Tensor? positions)
    {
        var needed = positions is null ? past + length : (int)positions.max().item<long>() + 1;
        if (needed > Config.ContextLength)
        {
            throw new ArgumentException($"The model's context is {Config.ContextLength} tokens; position {needed - 1} was asked for. Shorten the text.", positions is null ? nameof(length) : nameof(positions));
        }

        if (_cos is null || _cos.shape[0] < needed)
        {
            GrowRotations(Math.Min(Config.ContextLength, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)needed)));
        }

        return (Spread(_cos!), Spread(_sin!));

        Tensor Spread(Tensor table) =>
            (positions is null ? table.narrow(0, past, length).unsqueeze(0) : Rows(table, positions)).repeat(1, 1, Config.Heads);
    }

    private void GrowRotations(int length)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var angles = outer(tensor([.. Enumerable.Range(0, length).Select(i => (float)i)], device: Device), tensor(RotaryFrequencies.For(Config), device: Device)); // (positions, D/2)
        var sin = angles.sin();
        _cos?.Dispose();
        _sin?.Dispose();
        _cos = cat([angles.cos(), angles.cos()], 1).to(Compute).DetachFromDisposeScope();
        _sin = cat([sin.neg(), sin], 1).to(Compute).DetachFromDisposeScope();
    }

    /// <summary>
    /// Which keys a query may look at: true for yes, (B or 1, 1, T, S). Null where plain causality says it all (a first pass) or nothing is
    /// hidden (one token after those in the cache). Made once for all layers of one window.
    /// </summary>
    private sealed class Masks(Decoder model, int past, int length, Tensor? padding)
    {
        private readonly Dictionary<int, Tensor?> _byWindow = [];

        public Tensor? Of(int? window)
        {
            var reach = window < past + length ? window.Value : int.MaxValue; // a window that holds everything is none
            if (!_byWindow.TryGetValue(reach, out var allowed))
            {
                _byWindow.Add(reach, allowed = Make(reach));
            }

            return allowed;
        }

        private Tensor? Make(int reach)
        {
            if (padding is null && reach == int.MaxValue && (past == 0 || length == 1))
            {
                return null;
            }

            var keys = ones([length, past + length], torch.@bool, model.Device).tril(past);
            if (reach != int.MaxValue)
            {
                keys = keys.triu(past - reach + 1);
            }

            keys = keys[TensorIndex.None, TensorIndex.None]; // (1, 1, T, S)
            return padding is null ? keys : keys.logical_and(padding.to(torch.@bool).unsqueeze(1).unsqueeze(2));
        }
    }

    private sealed class Layer
    {
        private readonly Decoder _model;
        private readonly int _index;
        private readonly Tensor _attentionNorm; // (C)
        private readonly Tensor _feedForwardNorm; // (C)
        private readonly Tensor? _queryNorm; // (D)
        private readonly Tensor? _keyNorm; // (D)
        private readonly LoraLinear[] _queryKeyValue; // (H D, C), (K D, C), (K D, C), or all in one
        private readonly LoraLinear _output; // (C, H D)
        private readonly LoraLinear[] _gateUp; // (F, C), (F, C), or both in one
        private readonly LoraLinear _down; // (C, F)

        public Layer(Decoder model, int index)
        {
            var c = model.Config;
            var (attention, feedForward) = ($"model.layers.{index}.self_attn", $"model.layers.{index}.mlp");
            long queries = c.Heads * c.HeadSize, keys = c.KeyValueHeads * c.HeadSize;
            (_model, _index) = (model, index);
            _attentionNorm = model.Parameter($"model.layers.{index}.input_layernorm.weight", c.HiddenSize);
            _queryKeyValue = c.FusedProjections
                ? [model.Linear($"{attention}.qkv_proj", queries + (2 * keys), c.HiddenSize, c.QueryKeyValueBias)]
                : [
                    model.Linear($"{attention}.q_proj", queries, c.HiddenSize, c.QueryKeyValueBias),
                    model.Linear($"{attention}.k_proj", keys, c.HiddenSize, c.QueryKeyValueBias),
                    model.Linear($"{attention}.v_proj", keys, c.HiddenSize, c.QueryKeyValueBias),
                ];
            _queryNorm = c.QueryKeyNorm ? model.Parameter($"{attention}.q_norm.weight", c.HeadSize) : null;
            _keyNorm = c.QueryKeyNorm ? model.Parameter($"{attention}.k_norm.weight", c.HeadSize) : null;
            _output = model.Linear($"{attention}.o_proj", c.HiddenSize, queries, c.OutputBias);
            _feedForwardNorm = model.Parameter($"model.layers.{index}.post_attention_layernorm.weight", c.HiddenSize);
            _gateUp = c.FusedProjections
                ? [model.Linear($"{feedForward}.gate_up_proj", 2 * c.IntermediateSize, c.HiddenSize)]
                : [
                    model.Linear($"{feedForward}.gate_proj", c.IntermediateSize, c.HiddenSize, c.FeedForwardBias),
                    model.Linear($"{feedForward}.up_proj", c.IntermediateSize, c.HiddenSize, c.FeedForwardBias),
                ];
            _down = model.Linear($"{feedForward}.down_proj", c.HiddenSize, c.IntermediateSize, c.FeedForwardBias);
        }

        public IEnumerable<LoraLinear> Linears => [.. _queryKeyValue, _output, .. _gateUp, _down];

        public Tensor Forward(Tensor x, (Tensor Cos, Tensor Sin) rotation, Tensor? allowed, KeyValueCache? cache)
        {
            x = x.Plus(Attention(_model.RmsNorm(x, _attentionNorm), rotation, allowed, cache));
            return x.Plus(FeedForward(_model.RmsNorm(x, _feedForwardNorm)));
        }

        /// <summary>(B, T, C) -> (B, T, C).</summary>
        private Tensor Attention(Tensor x, (Tensor Cos, Tensor Sin) rotation, Tensor? allowed, KeyValueCache? cache)
        {
            var c = _model.Config;
            var (b, t) = (x.shape[0], x.shape[1]);
            long queries = c.Heads * c.HeadSize, keys = c.KeyValueHeads * c.HeadSize;
            var projected = Projected(_queryKeyValue, x, queries, keys, keys);
            var q = Rotate(Normed(projected[0], _queryNorm), c.Heads, rotation); // (B, T, H, D)
            var k = Rotate(Normed(projected[1], _keyNorm), c.KeyValueHeads, rotation); // (B, T, K, D)
            var v = projected[2].view(b, t, c.KeyValueHeads, c.HeadSize);
            var y = cache is null && allowed is null && CausalAttention.Serves(q)
                ? CausalAttention.Apply(q, k, v)
                : General(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), allowed, cache).transpose(1, 2); // (B, T, H, D)
            return _output.Forward(y.reshape(b, t, c.Heads * c.HeadSize));
        }

        /// <summary>(B, H, T, D), (B, K, T, D), (B, K, T, D) -> (B, H, T, D), with a cache and a mask.</summary>
        private Tensor General(Tensor q, Tensor k, Tensor v, Tensor? allowed, KeyValueCache? cache)
        {
            var causal = allowed is null && cache is null or { Length: 0 } && q.shape[2] > 1;
            if (cache is not null)
            {
                (k, v) = cache.Append(_index, k, v); // (B, K, S, D)
            }

            return nn.functional.scaled_dot_product_attention(q, Shared(k), Shared(v), allowed, is_casual: causal);
        }

        /// <summary>Each key or value head as often as query heads share it: (B, K, S, D) -> (B, H, S, D).</summary>
        private Tensor Shared(Tensor x)
        {
            var c = _model.Config;
            var group = c.Heads / c.KeyValueHeads;
            return group == 1 ? x : x.unsqueeze(2).expand(x.shape[0], c.KeyValueHeads, group, x.shape[2], c.HeadSize).reshape(x.shape[0], c.Heads, x.shape[2], c.HeadSize);
        }

        /// <summary>
        /// x cos + (-x₂, x₁) sin within each head: (B, T, heads D) -> (B, T, heads, D). The swap of halves is a roll; its sign lies in the sines.
        /// </summary>
        private Tensor Rotate(Tensor x, int heads, (Tensor Cos, Tensor Sin) rotation)
        {
            var size = _model.Config.HeadSize;
            var byHead = x.view(x.shape[0], x.shape[1], heads, size);
            var swapped = byHead.roll(size / 2, -1).view(x.shape);
            return x.mul(rotation.Cos.narrow(-1, 0, heads * size)).PlusProduct(swapped, rotation.Sin.narrow(-1, 0, heads * size)).view(byHead.shape);
        }

        /// <summary>RMSNorm of each head for itself: (B, T, heads D) -> (B, T, heads D).</summary>
        private Tensor Normed(Tensor x, Tensor? weight) =>
            weight is null ? x : _model.RmsNorm(x.view(x.shape[0], x.shape[1], -1, weight.shape[0]), weight).view(x.shape);

        /// <summary>(B, T, C) -> (B, T, C).</summary>
        private Tensor FeedForward(Tensor x)
        {
            var projected = Projected(_gateUp, x, _model.Config.IntermediateSize, _model.Config.IntermediateSize);
            return _down.Forward(nn.functional.silu(projected[0]).mul(projected[1]));
        }

        /// <summary>The results of several layers over one input, or the parts of one layer's result.</summary>
        private static Tensor[] Projected(LoraLinear[] linears, Tensor x, params long[] widths) =>
            linears is [var fused]
                ? [.. fused.Forward(x).split(widths, -1).Select(part => part.contiguous())]
                : [.. linears.Select(linear => linear.Forward(x))];
    }
}

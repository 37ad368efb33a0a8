using FedChain.Learning.Kernels;
using FedChain.Learning.Lora;
using static TorchSharp.torch;

namespace FedChain.Learning.Models;

/// <summary>One layer of a <see cref="Decoder"/>, whose file has the formulas.</summary>
internal sealed class DecoderLayer
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

    public DecoderLayer(Decoder model, int index)
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

    /// <summary>(B, T, C) -> (B, T, C).</summary>
    public Tensor Forward(Tensor x, Pass pass)
    {
        x = x.Plus(Attention(_model.RmsNorm(x, _attentionNorm), pass.Rotation, pass.Masks.Of(_model.Config.WindowOf(_index)), pass.Cache));
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

        if (q.shape[2] == 1)
        {
            // One token: the queries that share a head are as good as so many tokens that see the same keys, and the cache needn't be copied for each.
            var together = q.reshape(q.shape[0], k.shape[1], -1, q.shape[3]); // (B, K, H/K, D)
            return nn.functional.scaled_dot_product_attention(together, k, v, allowed).reshape(q.shape);
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

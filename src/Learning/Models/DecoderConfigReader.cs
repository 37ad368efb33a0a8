using System.Collections.Immutable;
using System.Text.Json;
using static FedChain.Learning.Models.ConfigValues;

namespace FedChain.Learning.Models;

/// <summary>
/// Reads config.json: what is known is taken, what would change the numbers in a way not computed here is refused by name. A setting that nobody here
/// has heard of is refused too if its name speaks of the arithmetic and its value isn't neutral; the rest is ignored.
/// </summary>
internal static class DecoderConfigReader
{
    /// <summary>Settings that alter the arithmetic, each with the values under which they don't.</summary>
    private static readonly (string Name, Func<JsonElement, bool> Neutral, string Expected)[] Refused =
    [
        ("hidden_act", v => Is(v, "silu") || Is(v, "swish"), "\"silu\""),
        ("attention_dropout", IsZero, "0"),
        ("attn_pdrop", IsZero, "0"),
        ("embd_pdrop", IsZero, "0"),
        ("resid_pdrop", IsZero, "0"),
        ("hidden_dropout", IsZero, "0"),
        ("partial_rotary_factor", v => IsOff(v) || IsNumber(v, 1), "1"),
        ("rope_interleaved", IsOff, "false"),
        ("use_mrope", IsOff, "false"),
        ("quantization_config", IsOff, "null (weights as F32, F16 or BF16)"),
        ("num_local_experts", v => IsOff(v) || IsNumber(v, 1), "null"),
        ("embedding_multiplier", v => IsNumber(v, 1), "1"),
        ("residual_multiplier", v => IsNumber(v, 1), "1"),
        ("logits_scaling", v => IsNumber(v, 1), "1"),
        ("logit_scale", v => IsNumber(v, 1), "1"),
        ("attention_multiplier", IsOff, "null"),
        ("attn_logit_softcapping", IsOff, "null"),
        ("final_logit_softcapping", IsOff, "null"),
    ];

    /// <summary>Settings taken below, or known not to change what a decoder computes from tokens: names, storage, training of the base, how texts are generated.</summary>
    private static readonly ImmutableHashSet<string> Known = ImmutableHashSet.Create(StringComparer.Ordinal,
    [
        "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim", "max_position_embeddings",
        "rms_norm_eps", "rope_theta", "rope_scaling", "rope_parameters", "original_max_position_embeddings", "tie_word_embeddings", "bos_token_id", "eos_token_id",
        "attention_bias", "mlp_bias", "sliding_window", "use_sliding_window", "max_window_layers", "layer_types", "architectures", "model_type", "auto_map",
        "_name_or_path", "pretraining_tp", "initializer_range", "use_cache", "torch_dtype", "dtype", "transformers_version", "is_llama_config",
        "_attn_implementation", "_attn_implementation_internal", "attn_implementation", "output_attentions", "output_hidden_states", "use_bfloat16",
        .. Refused.Select(r => r.Name),
    ]);

    /// <summary>What the names of settings that change the arithmetic speak of.</summary>
    private static readonly string[] Arithmetic =
    [
        "rope", "rotary", "norm", "scal", "multiplier", "softcap", "clip", "bias", "window", "expert", "moe", "attn", "attention", "head", "layer", "block",
        "residual", "qk", "mlp", "hidden", "act", "position", "quant", "sparse", "router", "conv", "ssm", "mamba", "alibi", "logit", "embedding", "dropout",
    ];

    public static DecoderConfig Read(ReadOnlyMemory<byte> json) => Read(json, Read);

    /// <summary>The configuration with the end tokens of a generation_config.json behind its own.</summary>
    public static DecoderConfig WithEndTokens(DecoderConfig config, ReadOnlyMemory<byte> json)
    {
        var all = config with { EndTokens = [.. config.EndTokens.Union(Read(json, root => Tokens(root, "eos_token_id")))] };
        all.Validate();
        return all;
    }

    private static T Read<T>(ReadOnlyMemory<byte> json, Func<JsonElement, T> read)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 16, AllowDuplicateProperties = false });
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? read(document.RootElement)
                : throw new InvalidDataException("Expected a JSON object.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"Not well-formed JSON: {e.Message}", e);
        }
    }

    private static DecoderConfig Read(JsonElement root)
    {
        var family = FamilyOf(root);
        RefuseUnknown(root, family);
        var hidden = Integer(root, "hidden_size");
        var heads = Integer(root, "num_attention_heads");
        var layers = Integer(root, "num_hidden_layers");
        var attentionBias = Flag(root, "attention_bias");
        if (family.QueryKeyValueBias == false && attentionBias)
        {
            throw Unsupported(root, "attention_bias", family, "false");
        }

        if (!family.HasFeedForwardBias && Flag(root, "mlp_bias"))
        {
            throw Unsupported(root, "mlp_bias", family, "false");
        }

        var (window, full) = Window(root, family, layers);
        var config = new DecoderConfig
        {
            ModelType = family.ModelType,
            VocabSize = Integer(root, "vocab_size"),
            HiddenSize = hidden,
            IntermediateSize = Integer(root, "intermediate_size"),
            Layers = layers,
            Heads = heads,
            KeyValueHeads = Has(root, "num_key_value_heads") ? OptionalInteger(root, "num_key_value_heads") ?? heads : family.DefaultKeyValueHeads ?? heads,
            HeadSize = OptionalInteger(root, "head_dim") ?? family.DefaultHeadSize ?? Divide(hidden, heads),
            ContextLength = OptionalInteger(root, "max_position_embeddings") ?? family.DefaultContext,
            NormEpsilon = Number(root, "rms_norm_eps") ?? family.DefaultEpsilon,
            RopeTheta = RopeSettings.Theta(root),
            RopeScaling = RopeSettings.Scaling(root, family),
            TiedEmbeddings = Flag(root, "tie_word_embeddings"),
            QueryKeyValueBias = family.QueryKeyValueBias ?? attentionBias,
            OutputBias = family.QueryKeyValueBias is null && attentionBias,
            FeedForwardBias = family.HasFeedForwardBias && Flag(root, "mlp_bias"),
            QueryKeyNorm = family.QueryKeyNorm,
            FusedProjections = family.FusedProjections,
            SlidingWindow = window,
            FullAttentionLayers = full,
            BeginToken = OptionalInteger(root, "bos_token_id"),
            EndTokens = Tokens(root, "eos_token_id"),
        };
        config.Validate();
        return config;
    }

    private static DecoderFamily FamilyOf(JsonElement root)
    {
        var type = root.TryGetProperty("model_type", out var named) && named.ValueKind == JsonValueKind.String ? named.GetString()! : "unnamed";
        var family = DecoderFamily.All.FirstOrDefault(f => f.ModelType == type)
            ?? throw new InvalidDataException($"model_type '{type}' is not supported; supported: {string.Join(", ", DecoderFamily.All.Select(f => f.ModelType))}.");
        if (root.TryGetProperty("architectures", out var architectures) && architectures.ValueKind == JsonValueKind.Array && architectures.GetArrayLength() > 0
            && !architectures.EnumerateArray().Any(a => Is(a, family.Architecture)))
        {
            throw Unsupported(root, "architectures", family, $"\"{family.Architecture}\"");
        }

        return family;
    }

    private static void RefuseUnknown(JsonElement root, DecoderFamily family)
    {
        foreach (var (name, neutral, expected) in Refused)
        {
            if (root.TryGetProperty(name, out var value) && !neutral(value))
            {
                throw Unsupported(root, name, family, expected);
            }
        }

        foreach (var setting in root.EnumerateObject().Where(s => !Known.Contains(s.Name) && !IsOff(s.Value)))
        {
            if (Arithmetic.Any(word => setting.Name.Contains(word, StringComparison.OrdinalIgnoreCase)))
            {
                throw new InvalidDataException(
                    $"{setting.Name} = {Shown(setting.Value)} is no setting known here, and by its name it may change what the model computes. If it doesn't, take it out of the file.");
            }
        }
    }

    /// <summary>The window, and the layers that it doesn't apply to.</summary>
    private static (int? Window, ImmutableArray<int> Full) Window(JsonElement root, DecoderFamily family, int layers)
    {
        var types = LayerTypes(root, layers);
        var window = Has(root, "sliding_window") ? OptionalInteger(root, "sliding_window") : family.DefaultWindow;
        if (family.Window == WindowRule.Never && (window is not null || Flag(root, "use_sliding_window")))
        {
            throw Unsupported(root, window is null ? "use_sliding_window" : "sliding_window", family, window is null ? "false" : "null");
        }

        window = family.Window != WindowRule.OnRequest || Flag(root, "use_sliding_window") ? window : null;
        if (types is null)
        {
            var first = family.Window == WindowRule.OnRequest ? OptionalInteger(root, "max_window_layers") ?? 28 : 0;
            return first >= layers || window is null ? (null, []) : (window, [.. Enumerable.Range(0, Math.Max(0, first))]);
        }

        var full = types.Value.Select((sliding, layer) => (sliding, layer)).Where(t => !t.sliding).Select(t => t.layer).ToImmutableArray();
        return full.Length == layers ? (null, [])
            : window is not null ? (window, full)
            : throw new InvalidDataException("layer_types names sliding_attention, but no sliding_window applies; expected a number and, where the family has it, use_sliding_window = true.");
    }

    /// <summary>For each layer whether it slides; null where the file doesn't list them.</summary>
    private static ImmutableArray<bool>? LayerTypes(JsonElement root, int layers)
    {
        if (!root.TryGetProperty("layer_types", out var types) || types.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        return types.ValueKind == JsonValueKind.Array && types.GetArrayLength() == layers
            && types.EnumerateArray().All(t => Is(t, "full_attention") || Is(t, "sliding_attention"))
                ? [.. types.EnumerateArray().Select(t => Is(t, "sliding_attention"))]
                : throw new InvalidDataException($"layer_types = {Shown(types)}; expected \"full_attention\" or \"sliding_attention\" for each of the {layers} layers.");
    }

    private static int Divide(int hidden, int heads) =>
        heads > 0 && hidden % heads == 0
            ? hidden / heads
            : throw new InvalidDataException($"hidden_size ({hidden}) must be a multiple of num_attention_heads ({heads}) where head_dim isn't given.");

    private static InvalidDataException Unsupported(JsonElement root, string name, DecoderFamily family, string expected) =>
        new($"{name} = {Shown(root.GetProperty(name))} is not supported for model_type '{family.ModelType}'; supported: {expected}.");
}

namespace FedChain.Learning.Models;

/// <summary>
/// What an architecture fixes beyond the sizes in <c>config.json</c>, and the values that transformers takes where a file doesn't say. All families
/// share one decoder; these are the switches between them. Source: transformers' configuration_*.py and modeling_*.py of each family.
/// </summary>
/// <param name="ModelType"><c>model_type</c>.</param>
/// <param name="Architecture">The class that <c>architectures</c> must name, where it names any.</param>
internal sealed record DecoderFamily(string ModelType, string Architecture)
{
    /// <summary>Whether query, key and value have biases; null where <c>attention_bias</c> decides, and then for the output too.</summary>
    public bool? QueryKeyValueBias { get; init; } = false;

    /// <summary>Whether <c>mlp_bias</c> is a setting; elsewhere the feed-forward part has none.</summary>
    public bool HasFeedForwardBias { get; init; }

    /// <summary>RMSNorm on each query and key head before the rotation.</summary>
    public bool QueryKeyNorm { get; init; }

    /// <summary>Query, key and value are one matrix, gate and up another.</summary>
    public bool FusedProjections { get; init; }

    /// <summary>Whether a sliding window applies, and where <c>use_sliding_window</c> has to ask for it.</summary>
    public WindowRule Window { get; init; }

    /// <summary><c>sliding_window</c> where the file doesn't have the key at all.</summary>
    public int? DefaultWindow { get; init; }

    /// <summary><c>head_dim</c> where the file doesn't have the key; null for the hidden size divided by the heads.</summary>
    public int? DefaultHeadSize { get; init; }

    /// <summary><c>num_key_value_heads</c> where the file doesn't have the key; null for as many as query heads.</summary>
    public int? DefaultKeyValueHeads { get; init; }

    /// <summary><c>max_position_embeddings</c> where the file doesn't have the key.</summary>
    public int DefaultContext { get; init; } = 2048;

    /// <summary><c>rms_norm_eps</c> where the file doesn't have the key.</summary>
    public double DefaultEpsilon { get; init; } = 1e-6;

    public static IReadOnlyList<DecoderFamily> All { get; } =
    [
        new("llama", "LlamaForCausalLM") { QueryKeyValueBias = null, HasFeedForwardBias = true },
        new("mistral", "MistralForCausalLM") { Window = WindowRule.Always, DefaultWindow = 4096, DefaultKeyValueHeads = 8, DefaultContext = 131_072 },
        new("qwen2", "Qwen2ForCausalLM") { QueryKeyValueBias = true, Window = WindowRule.OnRequest, DefaultWindow = 4096, DefaultKeyValueHeads = 32, DefaultContext = 32_768 },
        new("qwen3", "Qwen3ForCausalLM")
        {
            QueryKeyValueBias = null, QueryKeyNorm = true, Window = WindowRule.OnRequest, DefaultWindow = 4096, DefaultHeadSize = 128, DefaultKeyValueHeads = 32, DefaultContext = 32_768,
        },
        new("phi3", "Phi3ForCausalLM") { FusedProjections = true, Window = WindowRule.Always, DefaultContext = 4096, DefaultEpsilon = 1e-5 },
    ];
}

/// <summary>When a family's attention is limited to a window of the latest tokens.</summary>
internal enum WindowRule
{
    /// <summary>It has no such setting.</summary>
    Never,

    /// <summary>In all layers, where <c>sliding_window</c> is a number.</summary>
    Always,

    /// <summary>Where <c>use_sliding_window</c> is true, in the layers from <c>max_window_layers</c> on, or those that <c>layer_types</c> names.</summary>
    OnRequest,
}

using System.Collections.Immutable;
using System.Text.Json;

namespace FedChain.Learning.Models;

/// <summary>Reads config.json: what is known is taken, what would change the numbers in a way not computed here is refused by name, the rest is ignored.</summary>
internal static class DecoderConfigReader
{
    private static readonly string[] Supported = ["llama"];

    /// <summary>Settings that alter the arithmetic, each with the values under which they don't.</summary>
    private static readonly (string Name, Func<JsonElement, bool> Neutral, string Expected)[] Refused =
    [
        ("hidden_act", v => Is(v, "silu"), "\"silu\""),
        ("attention_bias", IsFalse, "false"),
        ("mlp_bias", IsFalse, "false"),
        ("attention_dropout", IsZero, "0"),
        ("rope_scaling", IsPlainRope, "null or type \"default\""),
        ("partial_rotary_factor", v => IsNumber(v, 1), "1"),
        ("sliding_window", v => v.ValueKind == JsonValueKind.Null, "null"),
        ("use_sliding_window", IsFalse, "false"),
        ("layer_types", AreFullAttention, "\"full_attention\" throughout"),
        ("quantization_config", v => v.ValueKind == JsonValueKind.Null, "null (weights as F32, F16 or BF16)"),
        ("num_local_experts", v => v.ValueKind == JsonValueKind.Null || IsNumber(v, 1), "null"),
        ("embedding_multiplier", v => IsNumber(v, 1), "1"),
        ("residual_multiplier", v => IsNumber(v, 1), "1"),
        ("logits_scaling", v => IsNumber(v, 1), "1"),
        ("logit_scale", v => IsNumber(v, 1), "1"),
        ("attention_multiplier", v => v.ValueKind == JsonValueKind.Null, "null"),
        ("attn_logit_softcapping", v => v.ValueKind == JsonValueKind.Null, "null"),
        ("final_logit_softcapping", v => v.ValueKind == JsonValueKind.Null, "null"),
    ];

    public static DecoderConfig Read(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 16, AllowDuplicateProperties = false });
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? Read(document.RootElement)
                : throw new InvalidDataException("Expected a JSON object.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"Not well-formed JSON: {e.Message}", e);
        }
    }

    private static DecoderConfig Read(JsonElement root)
    {
        var type = root.TryGetProperty("model_type", out var named) && named.ValueKind == JsonValueKind.String ? named.GetString()! : "unnamed";
        if (!Supported.Contains(type))
        {
            throw new InvalidDataException($"model_type '{type}' is not supported; supported: {string.Join(", ", Supported)}.");
        }

        foreach (var (name, neutral, expected) in Refused)
        {
            if (root.TryGetProperty(name, out var value) && !neutral(value))
            {
                throw new InvalidDataException($"{name} = {Shown(value)} is not supported for model_type '{type}'; supported: {expected}.");
            }
        }

        var hidden = Integer(root, "hidden_size");
        var heads = Integer(root, "num_attention_heads");
        var config = new DecoderConfig
        {
            ModelType = type,
            VocabSize = Integer(root, "vocab_size"),
            HiddenSize = hidden,
            IntermediateSize = Integer(root, "intermediate_size"),
            Layers = Integer(root, "num_hidden_layers"),
            Heads = heads,
            KeyValueHeads = OptionalInteger(root, "num_key_value_heads") ?? heads,
            HeadSize = OptionalInteger(root, "head_dim") ?? Divide(hidden, heads),
            ContextLength = OptionalInteger(root, "max_position_embeddings") ?? 2048,
            NormEpsilon = Number(root, "rms_norm_eps") ?? 1e-6,
            RopeTheta = RopeTheta(root),
            TiedEmbeddings = Flag(root, "tie_word_embeddings"),
            BeginToken = OptionalInteger(root, "bos_token_id"),
            EndTokens = Tokens(root, "eos_token_id"),
        };
        config.Validate();
        return config;
    }

    /// <summary>transformers 5 moved it into rope_parameters.</summary>
    private static double RopeTheta(JsonElement root)
    {
        if (!root.TryGetProperty("rope_parameters", out var parameters) || parameters.ValueKind == JsonValueKind.Null)
        {
            return Number(root, "rope_theta") ?? 10_000;
        }

        return IsPlainRope(parameters)
            ? Number(parameters, "rope_theta") ?? 10_000
            : throw new InvalidDataException($"rope_parameters = {Shown(parameters)} is not supported; supported: type \"default\".");
    }

    private static int Divide(int hidden, int heads) =>
        heads > 0 && hidden % heads == 0
            ? hidden / heads
            : throw new InvalidDataException($"hidden_size ({hidden}) must be a multiple of num_attention_heads ({heads}) where head_dim isn't given.");

    private static int Integer(JsonElement root, string name) =>
        OptionalInteger(root, name) ?? throw new InvalidDataException($"{name} is missing; expected an integer.");

    private static int? OptionalInteger(JsonElement root, string name) =>
        !root.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number
        : throw new InvalidDataException($"{name} = {Shown(value)}; expected an integer.");

    private static double? Number(JsonElement root, string name) =>
        !root.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) ? number
        : throw new InvalidDataException($"{name} = {Shown(value)}; expected a number.");

    private static bool Flag(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && (value.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? value.GetBoolean()
            : throw new InvalidDataException($"{name} = {Shown(value)}; expected true or false."));

    private static ImmutableArray<int> Tokens(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array
            ? [.. value.EnumerateArray().Select(v => v.ValueKind == JsonValueKind.Number && v.TryGetInt32(out var token) ? token : throw new InvalidDataException($"{name} holds {Shown(v)}; expected integers."))]
            : OptionalInteger(root, name) is { } single ? [single] : [];

    private static bool Is(JsonElement value, string text) => value.ValueKind == JsonValueKind.String && value.GetString() == text;

    private static bool IsFalse(JsonElement value) => value.ValueKind is JsonValueKind.False or JsonValueKind.Null;

    private static bool IsNumber(JsonElement value, double number) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var found) && found == number;

    private static bool IsZero(JsonElement value) => value.ValueKind == JsonValueKind.Null || IsNumber(value, 0);

    private static bool IsPlainRope(JsonElement value) =>
        value.ValueKind == JsonValueKind.Null
        || (value.ValueKind == JsonValueKind.Object
            && (value.TryGetProperty("rope_type", out var type) || value.TryGetProperty("type", out type)) && Is(type, "default")
            && (!value.TryGetProperty("partial_rotary_factor", out var part) || IsNumber(part, 1)));

    private static bool AreFullAttention(JsonElement value) =>
        value.ValueKind == JsonValueKind.Null || (value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(v => Is(v, "full_attention")));

    private static string Shown(JsonElement value)
    {
        var text = value.GetRawText();
        return text.Length <= 80 ? text : $"{text[..80]}…";
    }
}

using System.Text.Json;

namespace FedChain.Learning.Models;

/// <summary>Writes config.json for a decoder made here; what a checkpoint brought is copied, not written again.</summary>
internal static class DecoderConfigWriter
{
    public static byte[] Write(DecoderConfig config)
    {
        var family = DecoderFamily.All.First(f => f.ModelType == config.ModelType);
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            json.WriteStartArray("architectures");
            json.WriteStringValue(family.Architecture);
            json.WriteEndArray();
            json.WriteBoolean("attention_bias", config.QueryKeyValueBias);
            WriteTokens(json, config);
            json.WriteNumber("head_dim", config.HeadSize);
            json.WriteString("hidden_act", "silu");
            json.WriteNumber("hidden_size", config.HiddenSize);
            json.WriteNumber("intermediate_size", config.IntermediateSize);
            if (!config.FullAttentionLayers.IsEmpty)
            {
                json.WriteStartArray("layer_types");
                for (var layer = 0; layer < config.Layers; layer++)
                {
                    json.WriteStringValue(config.WindowOf(layer) is null ? "full_attention" : "sliding_attention");
                }

                json.WriteEndArray();
            }

            json.WriteNumber("max_position_embeddings", config.ContextLength);
            if (config.SlidingWindow is not null && family.Window == WindowRule.OnRequest)
            {
                json.WriteNumber("max_window_layers", 0);
            }

            if (config.FeedForwardBias)
            {
                json.WriteBoolean("mlp_bias", true);
            }

            json.WriteString("model_type", config.ModelType);
            json.WriteNumber("num_attention_heads", config.Heads);
            json.WriteNumber("num_hidden_layers", config.Layers);
            json.WriteNumber("num_key_value_heads", config.KeyValueHeads);
            json.WriteNumber("rms_norm_eps", config.NormEpsilon);
            WriteScaling(json, config.RopeScaling);
            json.WriteNumber("rope_theta", config.RopeTheta);
            WriteWindow(json, config, family);
            json.WriteBoolean("tie_word_embeddings", config.TiedEmbeddings);
            if (config.SlidingWindow is not null && family.Window == WindowRule.OnRequest)
            {
                json.WriteBoolean("use_sliding_window", true);
            }

            json.WriteNumber("vocab_size", config.VocabSize);
            json.WriteEndObject();
        }

        return bytes.ToArray();
    }

    private static void WriteTokens(Utf8JsonWriter json, DecoderConfig config)
    {
        if (config.BeginToken is { } begin)
        {
            json.WriteNumber("bos_token_id", begin);
        }

        if (config.EndTokens is [var end])
        {
            json.WriteNumber("eos_token_id", end);
        }
        else if (config.EndTokens.Length > 1)
        {
            json.WriteStartArray("eos_token_id");
            config.EndTokens.ToList().ForEach(json.WriteNumberValue);
            json.WriteEndArray();
        }
    }

    private static void WriteScaling(Utf8JsonWriter json, RopeScaling? scaling)
    {
        if (scaling is null)
        {
            return;
        }

        json.WriteStartObject("rope_scaling");
        switch (scaling)
        {
            case RopeScaling.Linear linear:
                json.WriteNumber("factor", linear.Factor);
                json.WriteString("rope_type", "linear");
                break;
            case RopeScaling.Llama3 llama3:
                json.WriteNumber("factor", llama3.Factor);
                json.WriteNumber("high_freq_factor", llama3.HighFrequencyFactor);
                json.WriteNumber("low_freq_factor", llama3.LowFrequencyFactor);
                json.WriteNumber("original_max_position_embeddings", llama3.OriginalContext);
                json.WriteString("rope_type", "llama3");
                break;
        }

        json.WriteEndObject();
    }

    /// <summary>A family that slides by default has to be told not to.</summary>
    private static void WriteWindow(Utf8JsonWriter json, DecoderConfig config, DecoderFamily family)
    {
        if (config.SlidingWindow is { } window)
        {
            json.WriteNumber("sliding_window", window);
        }
        else if (family.Window == WindowRule.Always)
        {
            json.WriteNull("sliding_window");
        }
    }
}

using System.Text;
using System.Text.Json.Nodes;
using FedChain.Learning.Models;

namespace FedChain.Tests.Learning.Models;

public sealed class DecoderConfigTests
{
    [Fact]
    public void What_is_written_reads_back_the_same()
    {
        var plain = TinyModel.Config;
        foreach (var config in new[]
        {
            plain,
            plain with { EndTokens = [2, 5] },
            plain with { EndTokens = [], BeginToken = null, TiedEmbeddings = false, HeadSize = 8 },
            plain with { QueryKeyValueBias = true, OutputBias = true, FeedForwardBias = true, RopeScaling = new RopeScaling.Linear(4) },
            plain with { RopeScaling = new RopeScaling.Llama3(8, 1, 4, 32) },
            plain with { ModelType = "mistral" },
            plain with { ModelType = "mistral", SlidingWindow = 16 },
            plain with { ModelType = "qwen2", QueryKeyValueBias = true, SlidingWindow = 16, FullAttentionLayers = [1] },
            plain with { ModelType = "qwen3", QueryKeyNorm = true, SlidingWindow = 16 },
            plain with { ModelType = "phi3", FusedProjections = true },
        })
        {
            var read = DecoderConfig.Parse(config.ToJson());

            Assert.Equal(config.EndTokens.AsEnumerable(), read.EndTokens);
            Assert.Equal(config.FullAttentionLayers.AsEnumerable(), read.FullAttentionLayers);
            Assert.Equal(config, read with { EndTokens = config.EndTokens, FullAttentionLayers = config.FullAttentionLayers });
        }
    }

    [Theory]
    [InlineData("model_type", "\"mamba\"", "model_type 'mamba' is not supported; supported: llama, mistral, qwen2, qwen3, phi3")]
    [InlineData("architectures", "[\"LlamaForSequenceClassification\"]", "architectures = [\"LlamaForSequenceClassification\"] is not supported")]
    [InlineData("hidden_act", "\"gelu\"", "hidden_act = \"gelu\" is not supported")]
    [InlineData("rope_scaling", "{\"rope_type\":\"llama3\",\"factor\":8}", "rope_scaling = {\"rope_type\":\"llama3\",\"factor\":8} lacks low_freq_factor")]
    [InlineData("rope_scaling", "{\"rope_type\":\"llama3\",\"factor\":8,\"low_freq_factor\":4,\"high_freq_factor\":1,\"original_max_position_embeddings\":64}", "low_freq_factor (4) must be positive and below")]
    [InlineData("rope_scaling", "{\"type\":\"linear\",\"factor\":0.5}", "factor must be at least 1")]
    [InlineData("rope_scaling", "{\"type\":\"linear\"}", "lacks factor")]
    [InlineData("rope_scaling", "{\"type\":\"linear\",\"factor\":2,\"attention_factor\":1.2}", "rope_scaling = ")]
    [InlineData("rope_scaling", "{\"type\":\"longrope\",\"short_factor\":[1]}", "supported types: default, linear, dynamic, llama3")]
    [InlineData("rope_scaling", "2", "rope_scaling = 2; expected an object or null")]
    [InlineData("rope_interleaved", "true", "rope_interleaved = true")]
    [InlineData("partial_rotary_factor", "0.5", "partial_rotary_factor = 0.5")]
    [InlineData("use_qk_norm_of_some_kind", "true", "use_qk_norm_of_some_kind = true is no setting known here")]
    [InlineData("no_rope_layers", "[1,0]", "no_rope_layers = [1,0] is no setting known here")]
    [InlineData("use_sliding_window", "true", "use_sliding_window = true")]
    [InlineData("layer_types", "[\"full_attention\"]", "for each of the 2 layers")]
    [InlineData("layer_types", "[\"full_attention\",\"sliding_attention\"]", "no sliding_window applies")]
    [InlineData("rope_parameters", "{\"rope_type\":\"yarn\",\"rope_theta\":10000}", "rope_parameters = ")]
    [InlineData("sliding_window", "4096", "sliding_window = 4096")]
    [InlineData("attention_dropout", "0.1", "attention_dropout = 0.1")]
    [InlineData("quantization_config", "{}", "quantization_config = {}")]
    [InlineData("num_key_value_heads", "3", "num_attention_heads (4) must be a multiple of num_key_value_heads (3)")]
    [InlineData("num_hidden_layers", "0", "num_hidden_layers must be from 1 to")]
    [InlineData("vocab_size", "1.5", "vocab_size = 1.5; expected an integer")]
    [InlineData("vocab_size", "null", "vocab_size is missing")]
    [InlineData("head_dim", "3", "head_dim must be even")]
    [InlineData("rms_norm_eps", "-1", "rms_norm_eps must be positive")]
    [InlineData("rope_theta", "\"high\"", "rope_theta = \"high\"; expected a number")]
    [InlineData("eos_token_id", "32", "must be below vocab_size (32)")]
    [InlineData("tie_word_embeddings", "1", "tie_word_embeddings = 1; expected true or false")]
    public void A_setting_that_is_not_computed_is_refused_by_name(string name, string value, string message)
    {
        var json = JsonNode.Parse(TinyModel.Config.ToJson())!.AsObject();
        json[name] = JsonNode.Parse(value);

        var refused = Assert.Throws<InvalidDataException>(() => DecoderConfig.Parse(Encoding.UTF8.GetBytes(json.ToJsonString())));

        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("rope_scaling", "null")]
    [InlineData("rope_scaling", "{\"rope_type\":\"default\"}")]
    [InlineData("rope_parameters", "{\"rope_type\":\"default\",\"rope_theta\":10000}")]
    [InlineData("attention_dropout", "0.0")]
    [InlineData("pretraining_tp", "1")]
    [InlineData("rope_scaling", "{\"rope_type\":\"dynamic\",\"factor\":4}")]
    [InlineData("rope_interleaved", "false")]
    [InlineData("unheard_of_scaling", "null")]
    [InlineData("layer_types", "[\"full_attention\",\"full_attention\"]")]
    [InlineData("architectures", "null")]
    [InlineData("something_new", "\"that is no setting of ours\"")]
    public void A_setting_that_changes_nothing_is_accepted(string name, string value)
    {
        var json = JsonNode.Parse(TinyModel.Config.ToJson())!.AsObject();
        json[name] = JsonNode.Parse(value);

        Assert.Equal(32, DecoderConfig.Parse(Encoding.UTF8.GetBytes(json.ToJsonString())).VocabSize);
    }

    [Theory]
    [InlineData("mistral", "{}", 4096, "")]
    [InlineData("mistral", "{\"sliding_window\":null}", null, "")]
    [InlineData("mistral", "{\"sliding_window\":8}", 8, "")]
    [InlineData("phi3", "{}", null, "")]
    [InlineData("phi3", "{\"sliding_window\":8}", 8, "")]
    [InlineData("qwen2", "{\"sliding_window\":8,\"use_sliding_window\":false}", null, "")]
    [InlineData("qwen2", "{\"sliding_window\":8,\"use_sliding_window\":true,\"max_window_layers\":1}", 8, "0")]
    [InlineData("qwen2", "{\"sliding_window\":8,\"use_sliding_window\":true}", null, "")] // only layers from the 28th on
    [InlineData("qwen3", "{\"sliding_window\":8,\"use_sliding_window\":true,\"layer_types\":[\"sliding_attention\",\"full_attention\"]}", 8, "1")]
    public void A_window_is_read_as_the_family_means_it(string type, string settings, int? window, string fullLayers)
    {
        var read = Parse(type, settings);

        Assert.Equal(window, read.SlidingWindow);
        Assert.Equal(fullLayers, string.Join(",", read.FullAttentionLayers));
    }

    [Fact]
    public void What_a_file_leaves_out_is_what_the_family_takes()
    {
        var llama = Parse("llama", "{\"attention_bias\":true,\"mlp_bias\":true,\"head_dim\":null,\"num_key_value_heads\":null,\"rope_theta\":null}");
        Assert.Equal((true, true, true, false, false, 4, 4, 10_000), (llama.QueryKeyValueBias, llama.OutputBias, llama.FeedForwardBias, llama.QueryKeyNorm, llama.FusedProjections, llama.HeadSize, llama.KeyValueHeads, llama.RopeTheta));
        var qwen2 = Parse("qwen2", "{}");
        Assert.Equal((true, false, false, false), (qwen2.QueryKeyValueBias, qwen2.OutputBias, qwen2.FeedForwardBias, qwen2.QueryKeyNorm));
        var qwen3 = Parse("qwen3", "{\"head_dim\":null}");
        Assert.Equal((false, true, 128), (qwen3.QueryKeyValueBias, qwen3.QueryKeyNorm, qwen3.HeadSize));
        var phi3 = Parse("phi3", "{\"rms_norm_eps\":null,\"max_position_embeddings\":null}");
        Assert.Equal((true, 1e-5, 4096), (phi3.FusedProjections, phi3.NormEpsilon, phi3.ContextLength));
        Assert.Contains("attention_bias = true", Assert.Throws<InvalidDataException>(() => Parse("mistral", "{\"attention_bias\":true}")).Message, StringComparison.Ordinal);
        Assert.Contains("mlp_bias = true", Assert.Throws<InvalidDataException>(() => Parse("qwen3", "{\"mlp_bias\":true}")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{\"model_type\":\"llama\"")]
    [InlineData("{\"model_type\":\"llama\",\"model_type\":\"llama\"}")]
    public void Malformed_text_is_refused(string text) =>
        Assert.Throws<InvalidDataException>(() => DecoderConfig.Parse(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void A_folder_without_configuration_is_refused_with_what_is_expected()
    {
        var refused = Assert.Throws<InvalidDataException>(() => DecoderConfig.Read(Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString())));

        Assert.Contains("has no config.json. Expected the Hugging Face layout", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>The tiny model's file as one of that family, with these settings in place of its own.</summary>
    private static DecoderConfig Parse(string type, string settings)
    {
        var json = JsonNode.Parse(TinyModel.Config.ToJson())!.AsObject();
        json["model_type"] = type;
        json.Remove("architectures");
        foreach (var (name, value) in JsonNode.Parse(settings)!.AsObject())
        {
            json[name] = value?.DeepClone();
        }

        return DecoderConfig.Parse(Encoding.UTF8.GetBytes(json.ToJsonString()));
    }
}

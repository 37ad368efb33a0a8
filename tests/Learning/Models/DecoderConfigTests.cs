using System.Text;
using System.Text.Json.Nodes;
using FedChain.Learning.Models;

namespace FedChain.Tests.Learning.Models;

public sealed class DecoderConfigTests
{
    [Fact]
    public void What_is_written_reads_back_the_same()
    {
        foreach (var config in new[] { TinyModel.Config, TinyModel.Config with { EndTokens = [2, 5] }, TinyModel.Config with { EndTokens = [], BeginToken = null, TiedEmbeddings = false, HeadSize = 8 } })
        {
            var read = DecoderConfig.Parse(config.ToJson());

            Assert.Equal(config.EndTokens.AsEnumerable(), read.EndTokens);
            Assert.Equal(config, read with { EndTokens = config.EndTokens });
        }
    }

    [Theory]
    [InlineData("model_type", "\"mamba\"", "model_type 'mamba' is not supported; supported: llama")]
    [InlineData("hidden_act", "\"gelu\"", "hidden_act = \"gelu\" is not supported")]
    [InlineData("rope_scaling", "{\"rope_type\":\"llama3\",\"factor\":8}", "rope_scaling = ")]
    [InlineData("rope_parameters", "{\"rope_type\":\"yarn\",\"rope_theta\":10000}", "rope_parameters = ")]
    [InlineData("sliding_window", "4096", "sliding_window = 4096")]
    [InlineData("attention_bias", "true", "attention_bias = true")]
    [InlineData("mlp_bias", "true", "mlp_bias = true")]
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
    [InlineData("something_new", "\"that is no setting of ours\"")]
    public void A_setting_that_changes_nothing_is_accepted(string name, string value)
    {
        var json = JsonNode.Parse(TinyModel.Config.ToJson())!.AsObject();
        json[name] = JsonNode.Parse(value);

        Assert.Equal(32, DecoderConfig.Parse(Encoding.UTF8.GetBytes(json.ToJsonString())).VocabSize);
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
}

using FedChain.Protocol.Files;

namespace FedChain.Protocol.Tests.Files;

public sealed class AdapterLayoutTests
{
    private const string Q = "base_model.model.model.layers.0.self_attn.q_proj.";

    [Fact]
    public void Tensors_are_named_as_PEFT_names_them_and_sorted()
    {
        Assert.Equal(
            [
                $"{Q}lora_A.weight 2x3 @0", $"{Q}lora_B.weight 4x2 @6",
                "base_model.model.model.layers.0.self_attn.v_proj.lora_A.weight 2x3 @14", "base_model.model.model.layers.0.self_attn.v_proj.lora_B.weight 2x2 @20",
            ],
            Adapters.Small.Tensors.Select(t => $"{t.Name} {t.Rows}x{t.Columns} @{t.Offset}"));
        Assert.Equal(24, Adapters.Small.Count);
        Assert.Equal(12, Adapters.Small.CountOf(Factors.A));
        Assert.Equal(12, Adapters.Small.CountOf(Factors.B));
        Assert.All(Adapters.Small.Of(Factors.B), t => Assert.Equal(Factors.B, t.Factor));
        Assert.Equal(2, Adapters.Small.Rank);
    }

    [Fact]
    public void Layer_ten_sorts_before_layer_two_as_text_does()
    {
        var layout = AdapterLayout.Create(new AdapterConfig(1, 1, ["q"]), [("l.2.q", 1, 1), ("l.10.q", 1, 1)]);
        Assert.StartsWith("base_model.model.l.10.", layout.Tensors[0].Name, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("lora_A.weight", 2, 3, "lacks its other factor")]
    [InlineData("lora_C.weight", 2, 3, "not PEFT's name")]
    [InlineData("lora_A.weight", 0, 3, "two dimensions")]
    [InlineData("lora_A.weight", 1 << 20, 1 << 20, "at most 536870912 elements")]
    public void What_is_no_LoRA_adapter_is_refused_by_name(string suffix, long rows, long columns, string message)
    {
        var header = SafetensorsHeader.Create([(Q + suffix, TensorType.Float32, [rows, columns])]);
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => AdapterLayout.FromHeader(header)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Factors_of_different_rank_and_empty_adapters_are_refused()
    {
        var header = SafetensorsHeader.Create([(Q + "lora_A.weight", TensorType.Float32, [2, 3]), (Q + "lora_B.weight", TensorType.Float32, [4, 3])]);
        Assert.Contains("should have rank 2", Assert.Throws<InvalidDataException>(() => AdapterLayout.FromHeader(header)).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidDataException>(() => AdapterLayout.FromHeader(SafetensorsHeader.Create([])));
    }

    [Fact]
    public void A_target_that_the_model_lacks_is_named() =>
        Assert.Contains("'k_proj'", Assert.Throws<ArgumentException>(() =>
            AdapterLayout.Create(new AdapterConfig(1, 1, ["k_proj", "q_proj"]), [("l.q_proj", 1, 1)])).Message, StringComparison.Ordinal);

    [Fact]
    public void The_configuration_is_canonical_JSON_and_its_digest_is_fixed()
    {
        var config = new AdapterConfig(8, 16, ["v_proj", "q_proj"]);
        const string Json = """{"alpha":16,"bias":"none","fractionBits":20,"rank":8,"rslora":false,"targets":["q_proj","v_proj"],"v":1}""";
        var bytes = System.Text.Encoding.UTF8.GetBytes(Json);
        Assert.Equal(bytes, CanonicalJson.Serialize(config.ToJson()));
        Assert.Equal(new Hash256(System.Security.Cryptography.SHA256.HashData(bytes)), config.Digest);
        Assert.Equal(config, AdapterConfig.Parse(CanonicalJson.Parse(bytes, 1000)));
        Assert.Equal(2, config.Scale);
        Assert.Equal(4, new AdapterConfig(16, 16, ["q"], rsLora: true).Scale);
    }

    [Theory]
    [InlineData("\"rank\":8", "\"rank\":0", "'rank' should be an integer from 1 to 1024; got 0")]
    [InlineData("\"bias\":\"none\"", "\"bias\":\"all\"", "'bias' should be \"none\"; got \"all\"")]
    [InlineData("\"q_proj\",\"v_proj\"", "\"v_proj\",\"q_proj\"", "'targets' should be sorted")]
    [InlineData("\"q_proj\",\"v_proj\"", "\"v_proj\",\"v_proj\"", "distinct")]
    [InlineData("\"v\":1", "\"v\":1,\"w\":1", "unknown field 'w'")]
    [InlineData("\"alpha\":16,", "", "lacks the field 'alpha'")]
    [InlineData("\"fractionBits\":20", "\"fractionBits\":\"20\"", "'fractionBits' should be an integer from 8 to 22; got \"20\"")]
    public void A_wrong_configuration_is_refused_by_field(string from, string to, string message)
    {
        var text = System.Text.Encoding.UTF8.GetString(CanonicalJson.Serialize(new AdapterConfig(8, 16, ["v_proj", "q_proj"]).ToJson())).Replace(from, to, StringComparison.Ordinal);
        var json = CanonicalJson.ParseAnyForm(System.Text.Encoding.UTF8.GetBytes(text), 1000);
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => AdapterConfig.Parse(json)).Message, StringComparison.Ordinal);
    }
}

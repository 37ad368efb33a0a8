using FedChain.Learning.Models;
using FedChain.Protocol.Files;
using TorchSharp;
using static TorchSharp.torch;

namespace FedChain.Tests.Learning.Models;

public sealed class ModelFolderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fedchain-model-").FullName;
    private readonly DisposeScope _scope = NewDisposeScope();

    [Theory]
    [InlineData(true, TensorType.Float32)]
    [InlineData(false, TensorType.Float32)]
    [InlineData(true, TensorType.BFloat16)]
    public void What_is_saved_loads_with_the_same_weights(bool tied, TensorType type)
    {
        using var saved = Random(TinyModel.Config with { TiedEmbeddings = tied });
        ModelFolder.Save(saved, _folder, type);
        using var loaded = ModelFolder.Load(_folder, CPU);

        Assert.Equal(saved.Parameters.Keys, loaded.Parameters.Keys);
        Assert.Equal(!tied, loaded.Parameters.ContainsKey("lm_head.weight"));
        foreach (var (name, weight) in saved.Parameters)
        {
            var stored = type == TensorType.BFloat16 ? weight.to(bfloat16).to(float32) : weight;
            Assert.Equal(Golden.Values(stored), Golden.Values(loaded.Parameters[name]));
        }
    }

    [Fact]
    public void Half_precision_weights_load_and_a_tied_models_second_copy_is_left_aside()
    {
        using var model = Random(TinyModel.Config);
        var tensors = model.Parameters.ToDictionary(p => p.Key, p => p.Value);
        tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"];
        tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = ones(2);
        Save(model, tensors);
        Rewrite(TensorType.BFloat16, TensorType.Float16, value => BitConverter.HalfToUInt16Bits((Half)BitConverter.UInt32BitsToSingle((uint)value << 16)));

        using var loaded = ModelFolder.Load(_folder, CPU);

        var expected = model.Parameters["model.norm.weight"].to(bfloat16).to(float16).to(float32);
        Assert.Equal(Golden.Values(expected), Golden.Values(loaded.Parameters["model.norm.weight"]));
    }

    [Theory]
    [InlineData("{\"eos_token_id\":[7,2],\"temperature\":0.6}", "2 7")]
    [InlineData("{\"eos_token_id\":5}", "2 5")]
    [InlineData("{}", "2")]
    public void A_text_also_ends_with_what_the_generation_config_names(string generation, string tokens)
    {
        File.WriteAllBytes(Path.Combine(_folder, DecoderConfig.FileName), (TinyModel.Config with { EndTokens = [2] }).ToJson());
        File.WriteAllText(Path.Combine(_folder, "generation_config.json"), generation);

        Assert.Equal(tokens, string.Join(' ', DecoderConfig.Read(_folder).EndTokens));
    }

    [Theory]
    [InlineData("{\"eos_token_id\":[1000000]}", "below vocab_size")]
    [InlineData("{\"eos_token_id\":\"</s>\"}", "expected an integer")]
    [InlineData("{", "Not well-formed JSON")]
    public void A_bad_generation_config_is_refused_by_its_name(string generation, string message)
    {
        File.WriteAllBytes(Path.Combine(_folder, DecoderConfig.FileName), TinyModel.Config.ToJson());
        File.WriteAllText(Path.Combine(_folder, "generation_config.json"), generation);

        var refused = Assert.Throws<InvalidDataException>(() => DecoderConfig.Read(_folder)).Message;

        Assert.Contains("generation_config.json: ", refused, StringComparison.Ordinal);
        Assert.Contains(message, refused, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_unexpected_and_misshapen_tensors_are_named()
    {
        using var model = Random(TinyModel.Config);

        Assert.Contains("lacks 1 tensor(s) that the configuration asks for: model.norm.weight", Refused(t => t.Remove("model.norm.weight")), StringComparison.Ordinal);
        Assert.Contains("has 1 tensor(s) that the configuration doesn't know: model.extra", Refused(t => t.Add("model.extra", ones(1))), StringComparison.Ordinal);
        Assert.Contains("'model.norm.weight' has shape [8, 2]; config.json makes it [16]", Refused(t => t["model.norm.weight"] = ones(8, 2)), StringComparison.Ordinal);

        string Refused(Action<Dictionary<string, Tensor>> change)
        {
            var tensors = model.Parameters.ToDictionary(p => p.Key, p => p.Value);
            change(tensors);
            Save(model, tensors);
            return Assert.Throws<InvalidDataException>(() => ModelFolder.Load(_folder, CPU)).Message;
        }
    }

    [Fact]
    public void A_folder_without_weights_and_a_cut_file_are_refused()
    {
        using var model = Random(TinyModel.Config);
        ModelFolder.Save(model, _folder, TensorType.Float32);
        var weights = Path.Combine(_folder, WeightFiles.SingleFile);
        File.WriteAllBytes(weights, File.ReadAllBytes(weights)[..^1]);
        Assert.Contains(weights, Assert.Throws<InvalidDataException>(() => ModelFolder.Load(_folder, CPU)).Message, StringComparison.Ordinal);

        File.Delete(weights);
        Assert.Contains("has neither model.safetensors nor", Assert.Throws<InvalidDataException>(() => ModelFolder.Load(_folder, CPU)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"weight_map\":{\"a\":\"../outside.safetensors\"}}", "must name files in the same folder")]
    [InlineData("{\"weight_map\":{}}", "must name files in the same folder")]
    [InlineData("{\"weight_map\":{\"a\":\"absent.safetensors\"}}", "absent.safetensors is missing")]
    [InlineData("{\"weight_map\":[1]}", "not a well-formed index")]
    [InlineData("{}", "has no weight_map")]
    public void A_bad_index_is_refused(string index, string message)
    {
        File.WriteAllBytes(Path.Combine(_folder, DecoderConfig.FileName), TinyModel.Config.ToJson());
        File.WriteAllText(Path.Combine(_folder, WeightFiles.IndexFile), index);

        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => ModelFolder.Load(_folder, CPU)).Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _scope.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    internal static Decoder Random(DecoderConfig config)
    {
        var decoder = new Decoder(config, CPU);
        using var _ = no_grad();
        foreach (var parameter in decoder.Parameters.Values)
        {
            parameter.uniform_(-0.3, 0.3);
        }

        return decoder;
    }

    private void Save(Decoder model, Dictionary<string, Tensor> tensors)
    {
        ModelFolder.Save(model, _folder, TensorType.Float32);
        WeightFiles.Write(Path.Combine(_folder, WeightFiles.SingleFile), tensors, TensorType.BFloat16);
    }

    /// <summary>Stores the same tensors as another type of the same size.</summary>
    private void Rewrite(TensorType from, TensorType to, Func<ushort, ushort> convert)
    {
        var file = Path.Combine(_folder, WeightFiles.SingleFile);
        var bytes = File.ReadAllBytes(file);
        var old = SafetensorsHeader.Parse(bytes);
        Assert.All(old.Tensors, t => Assert.Equal(from, t.Type));
        var header = SafetensorsHeader.Create(old.Tensors.Select(t => (t.Name, to, t.Shape)));
        var values = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ushort>(bytes.AsSpan((int)old.DataOffset)).ToArray().Select(convert).ToArray();
        File.WriteAllBytes(file, [.. header.ToBytes(), .. System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan())]);
    }
}

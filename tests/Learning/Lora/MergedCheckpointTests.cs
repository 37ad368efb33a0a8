using FedChain.Learning.Lora;
using FedChain.Learning.Models;
using FedChain.Protocol.Files;
using static TorchSharp.torch;

namespace FedChain.Tests.Learning.Lora;

public sealed class MergedCheckpointTests : IDisposable
{
    private readonly string _parent = Directory.CreateTempSubdirectory("fedchain-merge-").FullName;

    private string Base => Path.Combine(_parent, "base");

    private string Merged => Path.Combine(_parent, "merged");

    public void Dispose() => Directory.Delete(_parent, recursive: true);

    [Theory]
    [InlineData(TensorType.Float32, 1e-6)]
    [InlineData(TensorType.BFloat16, 4e-3)]
    public void The_merged_model_alone_is_the_base_with_its_adapter(TensorType type, double tolerance)
    {
        var adapter = Prepare(type);

        MergedCheckpoint.Write(Base, adapter, Merged, TestContext.Current.CancellationToken);

        using var scope = NewDisposeScope();
        using var decoder = ModelFolder.Load(Base, CPU);
        using var plain = ModelFolder.Load(Base, CPU);
        using var merged = ModelFolder.Load(Merged, CPU);
        using var lora = new LoraAdapter(decoder, adapter.Config);
        lora.Import(adapter.Values);
        foreach (var linear in decoder.Linears)
        {
            Golden.Near(Golden.Values(linear.FormWeight()), merged.Parameters[$"{linear.Name}.weight"], tolerance, linear.Name);
            Assert.Equal(
                !adapter.Config.Targets.Contains(linear.Kind),
                Golden.Values(plain.Parameters[$"{linear.Name}.weight"]).AsSpan().SequenceEqual(Golden.Values(merged.Parameters[$"{linear.Name}.weight"])));
        }

        foreach (var file in new[] { DecoderConfig.FileName, "tokenizer.model", "LICENSE" })
        {
            Assert.Equal(File.ReadAllBytes(Path.Combine(Base, file)), File.ReadAllBytes(Path.Combine(Merged, file)));
        }

        Assert.False(File.Exists(Path.Combine(Merged, "optimizer.bin")));
        Assert.Equal(
            WeightFiles.ReadHeader(Path.Combine(Base, WeightFiles.SingleFile)).ToBytes(), WeightFiles.ReadHeader(Path.Combine(Merged, WeightFiles.SingleFile)).ToBytes());
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Golden.Adapters), "merged", MemberType = typeof(Golden))]
    [Trait("Category", "Vectors")]
    public void Merged_files_hold_the_weights_that_Peft_merges(string folder)
    {
        var configuration = System.Text.Json.JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, PeftFolder.ConfigFile))).RootElement;
        MergedCheckpoint.Write(
            Path.GetFullPath(configuration.GetProperty("base_model_name_or_path").GetString()!, folder), PeftFolder.Read(folder), Merged, TestContext.Current.CancellationToken);

        using var scope = NewDisposeScope();
        using var merged = Golden.Load(Merged);
        var golden = new Golden(folder);
        foreach (var entry in golden.Header.Tensors.Where(t => t.Name.StartsWith("merged.", StringComparison.Ordinal)))
        {
            Golden.Near(golden.Floats(entry.Name), merged.Parameters[entry.Name["merged.".Length..]], 1e-6, entry.Name);
        }
    }

    [Fact]
    public void An_adapter_for_another_base_is_refused_and_nothing_is_written()
    {
        var adapter = Prepare(TensorType.Float32);
        var wider = AdapterLayout.Create(adapter.Config, Enumerable.Range(0, 2).SelectMany(i => new[] { ($"model.layers.{i}.self_attn.q_proj", 16, 16), ($"model.layers.{i}.mlp.down_proj", 25, 16) }));
        var foreign = new AdapterConfig(4, 8, ["c_attn"]);

        Assert.Contains("Is it for another one?", Refused(new PeftFolder(adapter.Config, wider, new float[wider.Count])), StringComparison.Ordinal);
        Assert.Contains("targets 'c_attn', and the model's linear layers are q_proj, k_proj,", Refused(adapter with { Config = foreign }), StringComparison.Ordinal);
        Assert.False(Directory.Exists(Merged));

        string Refused(PeftFolder given) => Assert.Throws<InvalidDataException>(() => MergedCheckpoint.Write(Base, given, Merged, TestContext.Current.CancellationToken)).Message;
    }

    [Theory]
    [InlineData("model.layers.1.self_attn.q_proj.weight")] // adapted
    [InlineData("model.layers.1.self_attn.k_proj.weight")] // as it was
    public void A_base_weight_that_is_no_number_is_named_and_nothing_is_written(string name)
    {
        var adapter = Prepare(TensorType.Float32);
        var file = Path.Combine(Base, "model.safetensors");
        var bytes = File.ReadAllBytes(file);
        var header = SafetensorsHeader.Parse(bytes);
        BitConverter.TryWriteBytes(bytes.AsSpan((int)(header.DataOffset + header[name].Offset)), float.NaN);
        File.WriteAllBytes(file, bytes);

        var refused = Assert.Throws<InvalidDataException>(() => MergedCheckpoint.Write(Base, adapter, Merged, TestContext.Current.CancellationToken));

        Assert.Contains($"'{name}' holds NaN", refused.Message, StringComparison.Ordinal);
        Assert.Equal([Base], Directory.EnumerateFileSystemEntries(_parent));
    }

    [Fact]
    public void Stopped_half_way_it_leaves_nothing()
    {
        var adapter = Prepare(TensorType.Float32);

        Assert.Throws<OperationCanceledException>(() => MergedCheckpoint.Write(Base, adapter, Merged, new CancellationToken(true)));
        Assert.Equal([Base], Directory.EnumerateFileSystemEntries(_parent));
    }

    private PeftFolder Prepare(TensorType type)
    {
        using var model = TinyModel.Create();
        model.Save(Base, type);
        File.WriteAllText(Path.Combine(Base, "tokenizer.model"), "pieces");
        File.WriteAllText(Path.Combine(Base, "LICENSE"), "free");
        File.WriteAllText(Path.Combine(Base, "optimizer.bin"), "large");
        var config = new AdapterConfig(4, 8, ["q_proj", "down_proj"], rsLora: true);
        var layout = model.LayoutFor(config);
        return new PeftFolder(config, layout, [.. Enumerable.Range(0, layout.Count).Select(i => 0.3f * MathF.Sin(i))]);
    }
}

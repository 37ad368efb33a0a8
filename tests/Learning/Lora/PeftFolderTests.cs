using System.Text.Json.Nodes;
using FedChain.Learning.Lora;
using FedChain.Protocol.Files;

namespace FedChain.Tests.Learning.Lora;

public sealed class PeftFolderTests : IDisposable
{
    private readonly string _parent = Directory.CreateTempSubdirectory("fedchain-peft-").FullName;

    public void Dispose() => Directory.Delete(_parent, recursive: true);

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Golden.Adapters), "logits", MemberType = typeof(Golden))]
    [Trait("Category", "Vectors")]
    public void What_Peft_wrote_is_written_again(string folder)
    {
        var config = Settings(folder);
        var target = Path.Combine(_parent, "again");

        PeftFolder.Read(folder).Write(target, (string?)config["base_model_name_or_path"]);

        Assert.Equal(config.ToJsonString(), Settings(target).ToJsonString());
        Assert.Equal(File.ReadAllBytes(Path.Combine(folder, PeftFolder.WeightsFile)), File.ReadAllBytes(Path.Combine(target, PeftFolder.WeightsFile)));
    }

    [Fact]
    public void What_is_written_reads_back_the_same()
    {
        var config = new AdapterConfig(3, 9, ["q_proj", "down_proj"], rsLora: true);
        var layout = AdapterLayout.Create(config, [("model.layers.0.self_attn.q_proj", 5, 7), ("model.layers.0.mlp.down_proj", 40_000, 5)]);
        var written = new PeftFolder(config, layout, [.. Enumerable.Range(0, layout.Count).Select(i => 1f / (i + 1))]);
        var target = Directory.CreateDirectory(Path.Combine(_parent, "empty")).FullName;

        written.Write(target, null);

        var read = PeftFolder.Read(target);
        Assert.Equal((config, layout), (read.Config, read.Layout));
        Assert.Equal(written.Values, read.Values);
        Assert.Equal([target], Directory.EnumerateFileSystemEntries(_parent));
    }

    [Fact]
    public void Targets_may_be_paths_of_layers()
    {
        var config = new AdapterConfig(2, 4, ["q_proj", "down_proj"]);
        var layout = AdapterLayout.Create(config, [("model.layers.0.self_attn.q_proj", 5, 7), ("model.layers.1.self_attn.q_proj", 5, 7), ("model.layers.0.mlp.down_proj", 6, 5)]);
        var target = Path.Combine(_parent, "paths");
        new PeftFolder(config, layout, new float[layout.Count]).Write(target, null);
        var file = Path.Combine(target, PeftFolder.ConfigFile);
        var settings = JsonNode.Parse(File.ReadAllBytes(file))!.AsObject();
        settings["target_modules"] = new JsonArray("model.layers.0.self_attn.q_proj", "mlp.down_proj", "model.layers.1.self_attn.q_proj");
        File.WriteAllText(file, settings.ToJsonString());

        Assert.Equal(config, PeftFolder.Read(target).Config);
    }

    [Fact]
    public void A_folder_that_holds_something_is_left_alone()
    {
        var mine = Path.Combine(_parent, "full", "mine.txt");
        Directory.CreateDirectory(Path.GetDirectoryName(mine)!);
        File.WriteAllText(mine, "mine");

        Assert.Contains("is not an empty folder", Assert.Throws<IOException>(() => Small().Write(Path.GetDirectoryName(mine)!, null)).Message, StringComparison.Ordinal);
        Assert.Contains("is not an empty folder", Assert.Throws<IOException>(() => Small().Write(mine, null)).Message, StringComparison.Ordinal);
        Assert.Equal([mine], Directory.EnumerateFiles(_parent, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public void Values_that_do_not_fit_the_layout_are_not_written()
    {
        var small = Small();

        Assert.Throws<InvalidOperationException>(() => (small with { Values = small.Values[1..] }).Write(Path.Combine(_parent, "new"), null));
        Assert.Throws<InvalidOperationException>(() => (small with { Config = new AdapterConfig(3, 4, ["q_proj"]) }).Write(Path.Combine(_parent, "new"), null));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_parent));
    }

    /// <summary>PEFT lists the targets in any order; dropout and how the factors began say nothing about what was trained.</summary>
    private static JsonObject Settings(string folder)
    {
        var settings = JsonNode.Parse(File.ReadAllBytes(Path.Combine(folder, PeftFolder.ConfigFile)))!.AsObject();
        settings["target_modules"] = new JsonArray([.. settings["target_modules"]!.AsArray().Select(t => (string)t!).Order(StringComparer.Ordinal)]);
        settings.Remove("lora_dropout");
        settings.Remove("init_lora_weights");
        return settings;
    }

    private static PeftFolder Small()
    {
        var config = new AdapterConfig(2, 4, ["q_proj"]);
        var layout = AdapterLayout.Create(config, [("model.layers.0.self_attn.q_proj", 5, 7)]);
        return new PeftFolder(config, layout, new float[layout.Count]);
    }
}

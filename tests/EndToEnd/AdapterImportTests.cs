using System.Text.Json;
using FedChain.Learning;
using FedChain.Learning.Data;
using FedChain.Learning.Lora;
using FedChain.Learning.Tokenization;
using FedChain.Node.Adapters;
using FedChain.Node.Homes;
using FedChain.Node.Models;
using FedChain.Node.Peer;
using FedChain.Node.Training;
using FedChain.Protocol;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Numerics;

namespace FedChain.EndToEnd.Tests;

/// <summary>An adapter that was trained elsewhere comes into a home without a federation, is used, kept, and merged into its base.</summary>
public sealed class AdapterImportTests : IDisposable
{
    private static readonly AdapterConfig Config = new(2, 4, ["q_proj", "down_proj"], rsLora: true);

    private readonly TemporaryFolder _folder = new();

    private string Home => _folder["home"];

    private string Given => _folder["from-ward-3"];

    private string Records => _folder["records.jsonl"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task It_is_used_kept_and_merged_with_the_same_loss()
    {
        await InitAsync();
        var expected = Train();
        var none = await LossAsync("--adapter", "none");
        Assert.True(expected < none - 0.5, $"{none} -> {expected}: the adapter does nothing");

        var imported = JsonDocument.Parse((await Fedchain.RunAsync("adapter", "import", "--home", Home, "--json", Given)).RequireDone()).RootElement;
        Assert.Equal("from-ward-3", imported.GetProperty("name").GetString());
        Assert.False(imported.GetProperty("saysItsBase").GetBoolean());
        Assert.InRange(imported.GetProperty("rounding").GetDouble(), 1e-9, Math.ScaleB(1, -21));
        Assert.Equal(expected, await LossAsync("--adapter", "imported:from-ward-3"), 1e-4);
        Assert.Equal(expected, await LossAsync("--adapter", Given), 1e-4);

        (await Fedchain.RunAsync("adapter", "keep", "imported:from-ward-3", "--home", Home)).RequireDone();
        Assert.Equal(expected, await LossAsync(), 1e-4);
        Assert.Equal("imported:from-ward-3", KeptAdapter.Read(HomeFolder.Open(Home))!.Name);

        var merged = _folder["merged"];
        var answer = JsonDocument.Parse((await Fedchain.RunAsync("adapter", "merge", "--home", Home, "--json", merged)).RequireDone()).RootElement;
        Assert.Equal((await BaseModel.Open(merged).DigestAsync(Cancellation)).ToString(), answer.GetProperty("digest").GetString());
        Assert.Equal("imported:from-ward-3 (kept)", answer.GetProperty("adapter").GetString());
        HomeFolder.Open(Home).Save(HomeFolder.Open(Home).Settings with { Model = merged });
        Assert.Equal(expected, await LossAsync("--adapter", "none"), 1e-4);
        (await Fedchain.RunAsync("evaluate", "--home", Home)).RequireRefusal("is for the base model with the digest"); // it would be added twice

        (await Fedchain.RunAsync("adapter", "merge", "--model", BaseModel.Own, "--adapter", Given, _folder["again"])).RequireDone();
        Assert.Equal(Directory.GetFiles(merged).Select(Path.GetFileName).Order(), Directory.GetFiles(_folder["again"]).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task Another_import_does_not_take_the_place_of_the_kept_one()
    {
        await InitAsync();
        Write(values => values);
        (await Fedchain.RunAsync("adapter", "import", "--home", Home, "--name", "x", Given)).RequireDone();
        (await Fedchain.RunAsync("adapter", "keep", "imported:x", "--home", Home)).RequireDone();
        (await Fedchain.RunAsync("adapter", "import", "--home", Home, "--name", "x", Given)).RequireRefusal("has an adapter 'x' already");
        Directory.Delete(ImportedAdapter.Find(HomeFolder.Open(Home), "x").Folder, recursive: true);
        (await Fedchain.RunAsync("generate", "--home", Home, "y")).RequireRefusal("has no adapter 'x'");
        Write(values => [.. values.Select(v => v / 2)]);
        (await Fedchain.RunAsync("adapter", "import", "--home", Home, "--name", "x", Given)).RequireDone();
        (await Fedchain.RunAsync("generate", "--home", Home, "y")).RequireRefusal("The kept adapter is 0x");
        (await Fedchain.RunAsync("generate", "--home", Home, "--adapter", "imported:x", "--max-tokens", "1", "y")).RequireDone();
    }

    [Fact]
    public async Task A_personal_adapter_goes_on_from_another_on_the_own_records_and_is_kept_only_if_better()
    {
        await InitAsync();
        Train(steps: 5);
        var from = new[] { "adapter", "personalise", "--home", Home, "--adapter", Given };
        (await Fedchain.RunAsync([.. from, "--learning-rate", "1", "--steps", "5"])).RequireRefusal("Nothing was kept. Try a lower --learning-rate or fewer --steps.");
        Assert.Empty(ImportedAdapter.AllOf(HomeFolder.Open(Home)));

        var own = JsonDocument.Parse((await Fedchain.RunAsync([.. from, "--json", "--steps", "20"])).RequireDone()).RootElement;
        Assert.True(own.GetProperty("natsPerToken").GetDouble() < own.GetProperty("natsPerTokenBefore").GetDouble() - 0.2, own.ToString());
        Assert.True(await LossAsync("--adapter", "imported:personal") < await LossAsync("--adapter", Given) - 0.2);
        (await Fedchain.RunAsync([.. from, "--steps", "20", "--name", "again"])).RequireDone();
        var home = HomeFolder.Open(Home);
        Assert.Equal(ImportedAdapter.Find(home, "personal").Digest, ImportedAdapter.Find(home, "again").Digest); // the home's seed, and nothing else

        (await Fedchain.RunAsync(from)).RequireRefusal("has an adapter 'personal' already");
        (await Fedchain.RunAsync([.. from[..^1], "none", "--name", "x"])).RequireRefusal("goes on from another one");
    }

    [Fact]
    public async Task A_personal_adapter_is_the_pair_of_the_shared_one_and_the_one_that_the_peer_trained_beside_it()
    {
        await InitAsync();
        var config = new AdapterConfig(2, 4, ["q_proj", "down_proj"]);
        var model = BaseModel.Open(BaseModel.Own);
        var policy = new Policy { BaseModel = await model.DigestAsync(Cancellation), Adapter = config, Seed = default };
        using var trainer = await TorchTrainer.LoadAsync(
            model, Records, policy, new LocalTraining { Steps = 20, OwnAdapter = true }, seed: 1, new ModelPlacement(ComputeDevice.Cpu, Weights: null, Threads: 1), Cancellation);
        var folder = Directory.CreateDirectory(Path.Combine(HomeFolder.Open(Home).RoundsPath, "31337-0x", "1", "trainer")).FullName;
        var trained = await trainer.TrainAsync(
            new TrainingTask(new RoundId(1), new RoundsProgress(0, 1), Adapter.First(trainer.Layout, policy.Seed, config.FractionBits), Factors.Both, folder, [], Assert.Fail),
            new Progress<TrainingStep>(), Cancellation);
        var values = new float[trained.Adapter.Layout.Count];
        FixedPoint.Dequantize(trained.Adapter.Values, config.FractionBits, values);
        new PeftFolder(config, trained.Adapter.Layout, values).Write(Given, baseModelNameOrPath: null);

        string[] personalise = ["adapter", "personalise", "--home", Home, "--adapter", Given, "--own-adapter", "true", "--personal-share", "0.5", "--steps", "10", "--json"];
        var own = JsonDocument.Parse((await Fedchain.RunAsync(personalise)).RequireDone()).RootElement;
        Assert.Equal(trained.OwnLoss!.Value.Nats, own.GetProperty("natsPerTokenBefore").GetDouble(), 1e-3); // what the peer measured
        Assert.True(own.GetProperty("natsPerToken").GetDouble() < trained.OwnLoss.Value.Nats);
        Assert.Equal(4, PeftFolder.Read(ImportedAdapter.Find(HomeFolder.Open(Home), "personal").Folder).Config.Rank);
        Assert.True(await LossAsync("--adapter", "imported:personal") < await LossAsync("--adapter", Given));

        // Without --steps it is the share's: as many as the 20 in the round.
        string[] derived = [.. personalise.Except(["--steps", "10"]), "--name", "other"];
        Assert.Equal(20, JsonDocument.Parse((await Fedchain.RunAsync(derived)).RequireDone()).RootElement.GetProperty("steps").GetInt32());
        Array.ForEach(Directory.GetFiles(folder, "optimiser-*"), File.Delete);
        (await Fedchain.RunAsync([.. personalise.Except(["--steps", "10"]), "--name", "third"])).RequireRefusal("remembers 0 with such an adapter. Say how many with --steps.");
        Array.ForEach(Directory.GetFiles(folder, "own-*"), File.Delete);
        (await Fedchain.RunAsync([.. personalise, "--name", "fourth"])).RequireRefusal("has trained no adapter of its own");
    }

    [Fact]
    public async Task What_cannot_be_held_or_does_not_fit_is_refused_by_name_and_leaves_nothing()
    {
        await InitAsync();
        var layout = Write(values => values);
        var tensor = layout.Tensors[3];

        Write(With(tensor.Offset + 5, float.NaN));
        await RefusedAsync($"tensor '{tensor.Name}' holds NaN or infinity");
        Write(With(tensor.Offset + 5, -8));
        await RefusedAsync($"Value 5 of '{tensor.Name}' is -8; adapters hold values within ±7.999999 (fixed point with 20 fraction bits).");
        Write(With(tensor.Offset + 5, -(float)Math.ScaleB(FixedPoint.MaxValue, -20)));
        (await Fedchain.RunAsync("adapter", "import", "--home", Home, "--name", "at-the-edge", Given)).RequireDone();

        new AdapterOrigin(new Hash256([.. Enumerable.Repeat((byte)7, 32)]), Config.Digest).Write(Given);
        await RefusedAsync("is for the base model with the digest 0x0707");
        (await Fedchain.RunAsync("adapter", "merge", "--model", BaseModel.Own, "--adapter", Given, _folder["merged"])).RequireRefusal("is for the base model with the digest 0x0707");
        (await Fedchain.RunAsync("generate", "--home", Home, "--adapter", Given, "x")).RequireRefusal("is for the base model with the digest 0x0707");
        File.Delete(Path.Combine(Given, AdapterOrigin.FileName));

        var config = Path.Combine(Given, PeftFolder.ConfigFile);
        var text = await File.ReadAllTextAsync(config, Cancellation);
        await File.WriteAllTextAsync(config, text.Replace("\"r\": 2", "\"r\": 3", StringComparison.Ordinal), Cancellation);
        await RefusedAsync("says rank 3");
        await File.WriteAllTextAsync(config, text.Replace("down_proj", "up_proj", StringComparison.Ordinal), Cancellation);
        await RefusedAsync("The adapter doesn't fit the base model, for instance in 'base_model.model.model.layers.0.mlp.");
        await File.WriteAllTextAsync(config, text.Replace("\"use_dora\": false", "\"use_dora\": true", StringComparison.Ordinal), Cancellation);
        await RefusedAsync("use_dora = true is not supported");
        await File.WriteAllTextAsync(config, text, Cancellation);

        (await Fedchain.RunAsync("adapter", "import", "--home", Home, "--name", "../x", Given)).RequireRefusal("An adapter's name has");
        (await Fedchain.RunAsync("adapter", "import", "--home", Home, _folder["nowhere"])).RequireRefusal("is no PEFT adapter");
        (await Fedchain.RunAsync("adapter", "merge", "--adapter", Given, _folder["merged"])).RequireRefusal("Which base model?");
        (await Fedchain.RunAsync("adapter", "merge", "--home", Home, "--adapter", "none", _folder["merged"])).RequireRefusal("nothing to merge");
        (await Fedchain.RunAsync("adapter", "merge", "--model", BaseModel.Own, "--adapter", "round:1", _folder["merged"])).RequireRefusal("Whose adapter?");
        (await Fedchain.RunAsync("adapter", "merge", "--model", BaseModel.Own, "--adapter", Given, Home)).RequireRefusal("not an empty folder");
        Assert.False(Directory.Exists(_folder["merged"]));
        Assert.Equal(["at-the-edge"], ImportedAdapter.AllOf(HomeFolder.Open(Home)).Select(a => a.Name));
        Assert.Single(Directory.GetFileSystemEntries(Path.Combine(HomeFolder.Open(Home).AdaptersPath, "imported")));

        static Func<float[], float[]> With(int index, float value) => values =>
        {
            values[index] = value;
            return values;
        };
    }

    private async Task InitAsync()
    {
        await File.WriteAllLinesAsync(
            Records, Enumerable.Range(0, 80).Select(i => JsonSerializer.Serialize(new { id = $"{i}", prompt = $"Which ward has bed {i}?", response = $"Bed {i} is in ward {i / 10}." })), Cancellation);
        (await Fedchain.RunAsync("secret", ["init", "--home", Home, "--name", "x", "--data", Records])).RequireDone();
    }

    private async Task RefusedAsync(string sentence) => (await Fedchain.RunAsync("adapter", "import", "--home", Home, Given)).RequireRefusal(sentence);

    private async Task<double> LossAsync(params string[] options) =>
        JsonDocument.Parse((await Fedchain.RunAsync(["evaluate", "--home", Home, "--json", .. options])).RequireDone()).RootElement.GetProperty("natsPerToken").GetDouble();

    /// <summary>Trains an adapter on the records and writes it as PEFT would.</summary>
    /// <returns>Its loss on the test records.</returns>
    private double Train(int steps = 40)
    {
        using var model = CausalLanguageModel.Load(BaseModel.Own, ComputeDevice.Cpu);
        var data = PreparedData.From(InstitutionData.Load(Records), TokenizerFolder.Load(BaseModel.Own), model.Config.ContextLength);
        model.AttachAdapter(Config, default(Hash256));
        model.TrainAdapter(data.Train, new() { Steps = steps, LearningRate = 1e-2 }, cancellationToken: Cancellation);
        new PeftFolder(Config, model.AdapterLayout!, model.AdapterValues()).Write(Given, baseModelNameOrPath: null);
        return model.Evaluate(data.Test, cancellationToken: Cancellation).NatsPerToken;
    }

    /// <summary>Writes an adapter of given values in the place of an earlier one.</summary>
    private AdapterLayout Write(Func<float[], float[]> values)
    {
        if (Directory.Exists(Given))
        {
            Directory.Delete(Given, recursive: true);
        }

        using var model = CausalLanguageModel.Load(BaseModel.Own, ComputeDevice.Cpu);
        var layout = model.LayoutFor(Config);
        new PeftFolder(Config, layout, values([.. Enumerable.Range(0, layout.Count).Select(i => 0.01f * MathF.Sin(i))])).Write(Given, baseModelNameOrPath: null);
        return layout;
    }
}

using System.Text.Json;
using FedChain.Learning.Data;
using FedChain.Node.Homes;
using FedChain.Node.Peer;
using FedChain.Node.Training;

namespace FedChain.EndToEnd.Tests;

/// <summary>What the command line says of device, weights, training and sampling.</summary>
public sealed class EngineOptionsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Home => _folder["home"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_home_keeps_what_init_was_told_and_the_usual_for_the_rest()
    {
        await InitAsync("--weights", "int8", "--threads", "1", "--device", "cpu", "--steps", "12", "--batch-size", "2", "--accumulation-steps", "4", "--dropout", "0.1", "--gradient-checkpointing");

        var settings = HomeFolder.Open(Home).Settings;
        Assert.Equal(("cpu", "int8", 1), (settings.Device, settings.Weights, settings.Threads));
        Assert.Equal(new LocalTraining { Steps = 12, BatchSize = 2, AccumulationSteps = 4, Dropout = 0.1, GradientCheckpointing = true }, settings.Training);

        var other = await Fedchain.RunAsync("secret", ["init", "--home", _folder["other"], "--name", "x", "--model", _folder["model"]]);
        Assert.True(other.ExitCode == 0, other.ToString());
        Assert.Equal(LocalTraining.ForCheckpoints, HomeFolder.Open(_folder["other"]).Settings.Training);
    }

    [Theory]
    [InlineData("--weights", "f16", "weights must be auto, f32, bf16 or int8; found 'f16'.")]
    [InlineData("--device", "tpu", "device must be auto, cpu or cuda; found 'tpu'.")]
    [InlineData("--threads", "-1", "threads must be at least 0; found -1.")]
    [InlineData("--warm-up-steps", "31", "warmUpSteps must be from 0 to the steps, 30; found 31.")]
    [InlineData("--dropout", "1", "dropout must be from 0 to below 1; found 1.")]
    public async Task A_value_that_cannot_be_is_named_and_no_home_is_made(string option, string value, string expected)
    {
        (await Fedchain.RunAsync("secret", ["init", "--home", Home, "--name", "x", option, value])).RequireRefusal(expected);
        Assert.False(Directory.Exists(Home));
    }

    [Fact]
    public async Task Weights_of_fewer_bits_are_used_and_cost_little()
    {
        await InitAsync("--data", WriteRecords());
        var full = await LossAsync("--weights", "f32");
        var (half, quarter) = (await LossAsync("--weights", "bf16", "--batch-size", "3"), await LossAsync("--weights", "int8"));

        Assert.Equal(3, new[] { full, half, quarter }.Distinct().Count());
        Assert.Equal(full, half, 0.05);
        Assert.Equal(full, quarter, 0.1);
        (await Fedchain.RunAsync("evaluate", "--home", Home, "--adapter", "none", "--weights", "4bit")).RequireRefusal("found '4bit'");

        async Task<double> LossAsync(params string[] options) =>
            JsonDocument.Parse((await Fedchain.RunAsync(["evaluate", "--home", Home, "--adapter", "none", "--json", .. options])).RequireDone()).RootElement.GetProperty("natsPerToken").GetDouble();
    }

    [Fact]
    public async Task Answers_are_counted_where_the_records_give_one_and_compared_with_guessing()
    {
        var file = _folder["questions.jsonl"];
        await File.WriteAllLinesAsync(file, Enumerable.Range(0, 200).Select(i => JsonSerializer.Serialize(new
        {
            id = $"{i}",
            prompt = $"Is {i} even?",
            response = i % 10 == 9 ? "nobody knows" : i % 2 == 0 ? $"yes. Half of {i} is {i / 2}." : "no",
        })), TestContext.Current.CancellationToken);
        await InitAsync("--data", file);
        var expected = InstitutionData.Load(file).Test;
        var (yes, no) = (expected.Count(r => r.Response.StartsWith("yes", StringComparison.Ordinal)), expected.Count(r => r.Response == "no"));
        Assert.True(yes > 0 && no > 0 && yes + no < expected.Count); // a record of another kind is not asked

        string[] evaluate = ["evaluate", "--home", Home, "--adapter", "none", "--answers", "yes", "no"];
        var labels = JsonDocument.Parse((await Fedchain.RunAsync([.. evaluate, "--json"])).RequireDone()).RootElement.GetProperty("labels");
        Assert.Equal((yes + no, Math.Max(yes, no)), (labels.GetProperty("questions").GetInt32(), labels.GetProperty("mostFrequent").GetInt32()));
        Assert.InRange(labels.GetProperty("correct").GetInt32(), 0, yes + no);
        Assert.Contains($"of {yes + no} questions {labels.GetProperty("correct").GetInt32()} (", (await Fedchain.RunAsync(evaluate)).RequireDone(), StringComparison.Ordinal);

        (await Fedchain.RunAsync([.. evaluate[..^2], "A)", "B)"])).RequireRefusal("has a response that begins with 'A)' or 'B)'");
        (await Fedchain.RunAsync([.. evaluate[..^1], "yes"])).RequireRefusal("--answers: Expected at least two different answers, none empty; got 'yes', 'yes'.");
    }

    [Fact]
    public async Task A_seed_repeats_a_drawn_answer_and_without_a_temperature_none_is_needed()
    {
        await InitAsync();
        var drawn = await TextAsync("--temperature", "1.5", "--seed", "3");
        Assert.Equal(drawn, await TextAsync("--temperature", "1.5", "--seed", "3"));
        Assert.NotEqual(drawn, await TextAsync("--temperature", "1.5", "--seed", "4"));
        var greedy = await TextAsync();
        Assert.Equal(greedy, await TextAsync("--temperature", "1.5", "--top-k", "1"));
        Assert.Equal(greedy, await TextAsync("--temperature", "1.5", "--top-p", "1e-9"));
        Assert.NotEqual(greedy, drawn);
        (await Fedchain.RunAsync("generate", "--home", Home, "--adapter", "none", "--temperature", "-1", "x")).RequireRefusal("Temperature must be from 0 to 100; it is -1.\n");
        (await Fedchain.RunAsync("generate", "--home", Home, "--adapter", "none", "--top-p", "0", "x")).RequireRefusal("TopP must be above 0 and at most 1; it is 0.");

        async Task<string> TextAsync(params string[] options) =>
            (await Fedchain.RunAsync(["generate", "--home", Home, "--adapter", "none", "--max-tokens", "24", .. options, "What is it?"])).RequireDone();
    }

    [Fact]
    public async Task A_peer_trains_as_its_command_line_says_and_its_home_else()
    {
        await using var federation = await TestFederation.FoundAsync(members: 2, rounds: 1, steps: 4);
        var kept = federation.HomeOf(1);
        kept.Save(kept.Settings with { Training = kept.Settings.Training with { Steps = 3, WarmUpSteps = 1, Dropout = 0.1 } });
        var peers = new[]
        {
            RunAsync(0, "--weights", "bf16", "--steps", "2", "--accumulation-steps", "2", "--gradient-checkpointing", "--max-gradient-norm", "0"),
            RunAsync(1),
        };

        var events = await Task.WhenAll(peers);

        Assert.Equal([2, 3], events.Select(e => e.OfType<PeerEvent.TrainingStarted>().Single().Steps));
        Assert.All(events, e => Assert.Contains(e, x => x is PeerEvent.RoundEnded { Finalised: true }));
        Assert.Equal(4, federation.HomeOf(0).Settings.Training.Steps); // for that run alone

        async Task<List<PeerEvent>> RunAsync(int member, params string[] options) =>
            [.. (await Fedchain.RunAsync(federation.Passphrase, ["node", "--home", federation.Members[member].Home, "--json", "--until-round", "1", .. options])).RequireDone()
                .Split('\n').Select(PeerEvent.FromJson).OfType<PeerEvent>()];
    }

    private async Task InitAsync(params string[] options) => (await Fedchain.RunAsync("secret", ["init", "--home", Home, "--name", "x", .. options])).RequireDone();

    private string WriteRecords()
    {
        var file = _folder["records.jsonl"];
        File.WriteAllLines(file, Enumerable.Range(0, 60).Select(i => JsonSerializer.Serialize(new { id = $"{i}", prompt = $"Where is room {i}?", response = $"Room {i} is on floor {i / 10}." })));
        return file;
    }
}

using System.Security.Cryptography;
using System.Text.Json;
using FedChain.Learning;
using FedChain.Learning.Data;
using FedChain.Learning.Pretraining;
using FedChain.Learning.Tokenization;

namespace FedChain.Tests.Learning.Pretraining;

public sealed class PretrainerTests : IDisposable
{
    private static readonly PretrainingOptions Tiny = new()
    {
        VocabularySize = 400,
        HiddenSize = 16,
        IntermediateSize = 32,
        Layers = 1,
        Heads = 2,
        KeyValueHeads = 1,
        ContextLength = 32,
        Steps = 12,
        BatchSize = 4,
        Threads = 1,
    };

    private readonly string _folder = Directory.CreateTempSubdirectory("fedchain-pretrain-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task The_same_seed_gives_the_same_files()
    {
        var threads = Compute.Threads;
        try
        {
            var text = PretrainingText.Generated(3, 200);
            var first = await Pretrainer.RunAsync(text, Tiny, Path.Combine(_folder, "a", "model"), cancellationToken: TestContext.Current.CancellationToken);
            var second = await Pretrainer.RunAsync(text, Tiny, Path.Combine(_folder, "b", "model"), cancellationToken: TestContext.Current.CancellationToken);
            var other = await Pretrainer.RunAsync(text, Tiny with { Seed = 2 }, Path.Combine(_folder, "c", "model"), cancellationToken: TestContext.Current.CancellationToken);
            Assert.Equal(Digests(first.Folder), Digests(second.Folder));
            Assert.NotEqual(Digests(first.Folder)["model.safetensors"], Digests(other.Folder)["model.safetensors"]);
            Assert.True(first.ValLoss < first.FirstLoss, $"{first.FirstLoss} -> {first.ValLoss}");
        }
        finally
        {
            Compute.Threads = threads;
        }
    }

    [Fact]
    public async Task The_result_is_a_folder_in_the_hugging_face_layout_that_says_how_it_was_made()
    {
        var stages = new List<PretrainingStage>();
        var result = await Pretrainer.RunAsync(
            PretrainingText.Generated(3, 200), Tiny, Path.Combine(_folder, "model"), new Immediate(stages), TestContext.Current.CancellationToken);

        Assert.Equal(
            ["README.md", "config.json", "generation_config.json", "model.safetensors", "tokenizer.model"],
            Directory.EnumerateFileSystemEntries(result.Folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        using var model = CausalLanguageModel.Load(result.Folder, ComputeDevice.Cpu);
        var tokenizer = SentencePieceTokenizer.LoadFrom(result.Folder);
        Assert.Equal(tokenizer.VocabularySize, model.Config.VocabSize);
        Assert.Equal(tokenizer.BosId, model.Config.BeginToken);
        Assert.Equal([tokenizer.EosId!.Value], model.Config.EndTokens);
        Assert.Equal(result.Weights, model.ParameterCount);
        using var generation = JsonDocument.Parse(File.ReadAllText(Path.Combine(result.Folder, "generation_config.json")));
        Assert.Equal(tokenizer.EosId, generation.RootElement.GetProperty("eos_token_id").GetInt32());
        var readme = File.ReadAllText(Path.Combine(result.Folder, "README.md"));
        Assert.Contains("model pretrain --text-seed 3 --records 200 --vocabulary 400 --hidden 16", readme, StringComparison.Ordinal);
        Assert.Equal([PretrainingStage.Vocabulary, PretrainingStage.Encoding, PretrainingStage.Training, PretrainingStage.Evaluation], stages.Distinct());
    }

    [Fact]
    public async Task A_folder_with_something_in_it_is_left_alone()
    {
        File.WriteAllText(Path.Combine(_folder, "mine.txt"), "mine");
        await Assert.ThrowsAsync<IOException>(() => Pretrainer.RunAsync(PretrainingText.Generated(3, 100), Tiny, _folder, cancellationToken: TestContext.Current.CancellationToken));
        Assert.Equal(["mine.txt"], Directory.EnumerateFileSystemEntries(_folder).Select(Path.GetFileName));
    }

    [Fact]
    public async Task A_cancelled_run_leaves_nothing()
    {
        using var source = new CancellationTokenSource();
        var afterOneStep = new Callback(progress =>
        {
            if (progress.Stage == PretrainingStage.Training)
            {
                source.Cancel();
            }
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Pretrainer.RunAsync(PretrainingText.Generated(3, 200), Tiny, Path.Combine(_folder, "model"), afterOneStep, source.Token));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder));
    }

    [Fact]
    public async Task Options_that_contradict_each_other_are_refused()
    {
        var text = PretrainingText.Generated(3, 100);
        await Refused(Tiny with { HiddenSize = 17 }, "HiddenSize");
        await Refused(Tiny with { KeyValueHeads = 3 }, "num_key_value_heads");
        await Refused(Tiny with { VocabularySize = 100 }, "at least");
        await Refused(Tiny with { Steps = 0 }, "Steps");

        async Task Refused(PretrainingOptions options, string what)
        {
            var error = await Assert.ThrowsAnyAsync<ArgumentException>(
                () => Pretrainer.RunAsync(text, options, Path.Combine(_folder, "model"), cancellationToken: TestContext.Current.CancellationToken));
            Assert.Contains(what, error.Message, StringComparison.Ordinal);
            Assert.Empty(Directory.EnumerateFileSystemEntries(_folder));
        }
    }

    [Fact]
    public void Records_are_packed_into_full_sequences_of_which_every_token_counts()
    {
        var tokenizer = new SentencePieceTokenizer(BpeTrainer.Train(["abc de f"], 270));
        DataRecord[] records = [new("1", null, "abc", "de f", Split.Train), new("2", null, "f", "abc", Split.Train)];
        var packed = PackedText.Encode(records, tokenizer, 8);
        var stream = packed.SelectMany(example => example.Tokens).ToArray();
        var whole = new ExampleBuilder(tokenizer, 100);
        Assert.Equal(records.SelectMany(r => whole.Build(r.Prompt, r.Response).Example.Tokens), stream);
        Assert.All(packed.SkipLast(1), example => Assert.Equal(8, example.Tokens.Length));
        Assert.All(packed, example => Assert.Equal(1, example.PromptLength));
    }

    [Fact]
    public void A_folder_of_record_files_can_be_trained_on()
    {
        File.WriteAllText(Path.Combine(_folder, "a.jsonl"), """
            {"prompt": "p", "response": "r", "split": "train"}
            {"prompt": "q", "response": "r", "split": "val"}
            {"prompt": "s", "response": "r", "split": "test"}
            """);
        var text = PretrainingText.FromFolder(_folder);
        Assert.Equal((1, 1), (text.Train.Count, text.Val.Count));
        Assert.Throws<InvalidDataException>(() => PretrainingText.FromFolder(Directory.CreateDirectory(Path.Combine(_folder, "empty")).FullName));
    }

    private static Dictionary<string, string> Digests(string folder) => Directory.EnumerateFiles(folder)
        .ToDictionary(path => Path.GetFileName(path), path => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))));

    private sealed class Immediate(List<PretrainingStage> stages) : IProgress<PretrainingProgress>
    {
        public void Report(PretrainingProgress value) => stages.Add(value.Stage);
    }

    private sealed class Callback(Action<PretrainingProgress> report) : IProgress<PretrainingProgress>
    {
        public void Report(PretrainingProgress value) => report(value);
    }
}

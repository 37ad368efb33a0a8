using FedChain.Learning;
using FedChain.Learning.Data;
using FedChain.Learning.Data.Generated;
using FedChain.Learning.Tokenization;
using FedChain.Learning.Training;
using FedChain.Protocol;
using FedChain.Protocol.Files;

namespace FedChain.Tests.Learning.Pretraining;

/// <summary>The committed models/base, and that it suits the generated corpora.</summary>
public sealed class BaseModelTests
{
    private static readonly string Folder = Path.Combine(Shared.RepositoryRoot, "models", "base");

    [Fact]
    public void It_is_small_and_complete()
    {
        Assert.True(new DirectoryInfo(Folder).EnumerateFiles().Sum(file => file.Length) < 2_000_000);
        using var model = CausalLanguageModel.Load(Folder, ComputeDevice.Cpu);
        var tokenizer = SentencePieceTokenizer.LoadFrom(Folder);
        Assert.Equal(model.Config.VocabSize, tokenizer.VocabularySize);
        Assert.InRange(model.ParameterCount, 100_000, 1_000_000);
        Assert.Contains("model pretrain --text-seed 1 --records", File.ReadAllText(Path.Combine(Folder, "README.md")), StringComparison.Ordinal);
    }

    [Fact]
    public void Its_vocabulary_is_the_one_that_the_command_learns()
    {
        var text = FedChain.Learning.Pretraining.PretrainingText.Generated(1);
        var vocabulary = BpeTrainer.Train(text.Train.SelectMany(record => new[] { record.Prompt, record.Response }), 1024);
        Assert.Equal(File.ReadAllBytes(Path.Combine(Folder, "tokenizer.model")), vocabulary.ToBytes());
    }

    [Fact]
    public void No_generated_record_is_cut_and_all_text_comes_back()
    {
        var tokenizer = SentencePieceTokenizer.LoadFrom(Folder);
        var builder = new ExampleBuilder(tokenizer, 256);
        foreach (var record in SpecialtyCorpora.Generate(1, 8).SelectMany(corpus => corpus.Records))
        {
            Assert.False(builder.Build(record.Prompt, record.Response).IsCut, record.Id);
            Assert.Equal(record.Response, tokenizer.Decode(tokenizer.Encode(record.Response)));
        }
    }

    [Fact]
    public void An_adapter_learns_a_specialty_in_a_few_steps()
    {
        var corpus = SpecialtyCorpora.Generate(1, 4).Single(c => c.Name == "dermatology").Records.ToLookup(record => record.Split);
        var builder = new ExampleBuilder(SentencePieceTokenizer.LoadFrom(Folder), 256);
        using var model = CausalLanguageModel.Load(Folder, ComputeDevice.Cpu);
        model.AttachAdapter(new AdapterConfig(8, 16, ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]), Hash256.Zero);
        var test = builder.BuildAll(corpus[Split.Test]).Examples;
        var before = model.Evaluate(test, cancellationToken: TestContext.Current.CancellationToken).NatsPerToken;
        model.TrainAdapter(
            builder.BuildAll(corpus[Split.Train]).Examples, new TrainingOptions { Steps = 20, BatchSize = 4, LearningRate = 0.01, WarmUpSteps = 2 },
            cancellationToken: TestContext.Current.CancellationToken);
        var after = model.Evaluate(test, cancellationToken: TestContext.Current.CancellationToken).NatsPerToken;
        Assert.True(after < before / 2, $"{before} -> {after} nats per token");
    }
}

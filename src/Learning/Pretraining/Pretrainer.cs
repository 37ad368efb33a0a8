using FedChain.Learning.Models;
using FedChain.Learning.Tokenization;
using FedChain.Learning.Training;
using FedChain.Protocol.Files;

namespace FedChain.Learning.Pretraining;

/// <summary>Makes a base model from nothing but text: a vocabulary, then a small Llama trained on it, in the Hugging Face layout.</summary>
public static class Pretrainer
{
    /// <summary>
    /// Trains and writes <c>config.json</c>, <c>generation_config.json</c>, <c>model.safetensors</c> (bfloat16), <c>tokenizer.model</c> and <c>README.md</c>.
    /// The folder appears whole, at the end.
    /// </summary>
    /// <exception cref="ArgumentException">Options out of range, or too little text.</exception>
    /// <exception cref="IOException">The folder exists and isn't empty, or can't be written.</exception>
    public static Task<PretrainingResult> RunAsync(
        PretrainingText text, PretrainingOptions options, string outputFolder, IProgress<PretrainingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(options);
        if (Directory.Exists(outputFolder) && Directory.EnumerateFileSystemEntries(outputFolder).Any())
        {
            throw new IOException($"{outputFolder} exists and isn't empty; give another folder, or remove it first.");
        }

        if (text.Train.Count == 0)
        {
            throw new ArgumentException("Expected records to train on; the text has none.", nameof(text));
        }

        return Task.Run(() => Run(text, options, Path.TrimEndingDirectorySeparator(Path.GetFullPath(outputFolder)), progress, cancellationToken), cancellationToken);
    }

    private static PretrainingResult Run(
        PretrainingText text, PretrainingOptions options, string outputFolder, IProgress<PretrainingProgress>? progress, CancellationToken cancellationToken)
    {
        if (options.Threads is { } threads)
        {
            Compute.Threads = threads;
        }

        progress?.Report(new(PretrainingStage.Vocabulary));
        var vocabulary = BpeTrainer.Train(text.Train.SelectMany(record => new[] { record.Prompt, record.Response }), options.VocabularySize);
        var tokenizer = new SentencePieceTokenizer(vocabulary);

        progress?.Report(new(PretrainingStage.Encoding));
        var train = PackedText.Encode(text.Train, tokenizer, options.ContextLength);
        var val = PackedText.Encode(text.Val, tokenizer, options.ContextLength);
        cancellationToken.ThrowIfCancellationRequested();

        using var model = CausalLanguageModel.Create(ConfigFor(options, tokenizer), options.Seed, ComputeDevice.Cpu);
        var trained = model.TrainAllWeights(
            train,
            new TrainingOptions
            {
                Steps = options.Steps,
                BatchSize = options.BatchSize,
                LearningRate = options.LearningRate,
                WarmUpSteps = options.Steps / 20,
                WeightDecay = 0.1,
                Beta2 = 0.95,
                Seed = options.Seed,
            },
            progress is null ? null : new TrainingRelay(progress), cancellationToken);

        var partial = $"{outputFolder}.{Guid.NewGuid():N}";
        try
        {
            model.Save(partial, TensorType.BFloat16);
            File.WriteAllBytes(Path.Combine(partial, SentencePieceTokenizer.FileName), vocabulary.ToBytes());
            progress?.Report(new(PretrainingStage.Evaluation));
            using var saved = CausalLanguageModel.Load(partial, ComputeDevice.Cpu);
            double? loss = val.Count == 0 ? null : saved.Evaluate(val, options.BatchSize, cancellationToken).NatsPerToken;
            var result = new PretrainingResult(
                outputFolder, model.ParameterCount, train.Sum(e => (long)e.Tokens.Length), trained.FirstLoss, loss, trained.Elapsed);
            WriteDescriptions(partial, text, options, tokenizer, result);
            cancellationToken.ThrowIfCancellationRequested();
            Directory.CreateDirectory(Path.GetDirectoryName(outputFolder)!);
            if (Directory.Exists(outputFolder))
            {
                Directory.Delete(outputFolder); // empty, or this throws
            }

            Directory.Move(partial, outputFolder);
            return result;
        }
        catch
        {
            if (Directory.Exists(partial))
            {
                Directory.Delete(partial, recursive: true);
            }

            throw;
        }
    }

    private static DecoderConfig ConfigFor(PretrainingOptions options, SentencePieceTokenizer tokenizer)
    {
        if (options.Heads < 1 || options.HiddenSize % options.Heads != 0)
        {
            throw new ArgumentException($"HiddenSize must be a multiple of Heads; they are {options.HiddenSize} and {options.Heads}.", nameof(options));
        }

        var config = new DecoderConfig
        {
            VocabSize = tokenizer.VocabularySize,
            HiddenSize = options.HiddenSize,
            IntermediateSize = options.IntermediateSize,
            Layers = options.Layers,
            Heads = options.Heads,
            KeyValueHeads = options.KeyValueHeads,
            HeadSize = options.HiddenSize / options.Heads,
            ContextLength = options.ContextLength,
            NormEpsilon = 1e-5,
            TiedEmbeddings = true,
            BeginToken = tokenizer.BosId,
            EndTokens = [tokenizer.EosId!.Value],
        };
        try
        {
            config.Validate();
            return config;
        }
        catch (InvalidDataException e)
        {
            throw new ArgumentException(e.Message, nameof(options), e);
        }
    }

    private static void WriteDescriptions(string folder, PretrainingText text, PretrainingOptions options, SentencePieceTokenizer tokenizer, PretrainingResult result)
    {
        File.WriteAllText(Path.Combine(folder, "generation_config.json"), $$"""
            {
              "bos_token_id": {{tokenizer.BosId}},
              "eos_token_id": {{tokenizer.EosId}}
            }

            """.ReplaceLineEndings("\n"));
        var measured = result.ValLoss is { } loss ? $"Its loss on validation records is {loss:F4} nats per token." : "";
        File.WriteAllText(Path.Combine(folder, "README.md"), $"""
            # {Path.GetFileName(result.Folder)}

            A base model with {result.Weights:N0} weights, pre-trained by FedChain for federated fine-tuning. It is small enough to try things out and knows
            nothing beyond its text. Not for medical use.

            - **Text**: {text.Description}
            - **Vocabulary**: SentencePiece BPE of {tokenizer.VocabularySize} pieces with byte fallback, learned from the same text.
            - **Model**: Llama layout, {options.Layers} layers, width {options.HiddenSize}, {options.Heads} heads ({options.KeyValueHeads} for keys and values), context {options.ContextLength}, tied embeddings, bfloat16.
            - **Training**: AdamW, {options.Steps} steps of {options.BatchSize} x {options.ContextLength} tokens, peak learning rate {options.LearningRate}. {measured}
            - **Licence**: Apache-2.0, as the program; for text from elsewhere, its own licence applies too.

            Made by `fedchain model pretrain {text.Arguments} {options.Arguments} --output FOLDER`, which gives the same bytes again on the same kind of processor.

            """.ReplaceLineEndings("\n"));
    }

    private sealed class TrainingRelay(IProgress<PretrainingProgress> progress) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) =>
            progress.Report(new(PretrainingStage.Training, value.Step, value.Steps, value.Loss, value.TokensPerSecond));
    }
}

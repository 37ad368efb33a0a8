using System.CommandLine;
using FedChain.Learning.Pretraining;
using Spectre.Console;

namespace FedChain.Node.Cli;

internal static class ModelCommand
{
    public static Command Create() => new("model", "Makes base models.") { Pretrain() };

    private static Command Pretrain()
    {
        var normal = new PretrainingOptions();
        var output = new Option<DirectoryInfo>("--output") { Description = "A new or empty folder for the model.", HelpName = "DIR", Required = true };
        var data = new Option<DirectoryInfo?>("--data") { Description = "A folder of *.jsonl or *.jsonl.gz; the program's own generated text if not given.", HelpName = "DIR" };
        var textSeed = new Option<ulong>("--text-seed") { Description = "Seed of the generated text.", DefaultValueFactory = _ => 1 };
        var records = new Option<int>("--records") { Description = "Records of generated text.", DefaultValueFactory = _ => PretrainingText.DefaultRecords };
        var vocabulary = Number("--vocabulary", "Pieces of the SentencePiece vocabulary.", normal.VocabularySize);
        var hidden = Number("--hidden", "Width of the residual stream.", normal.HiddenSize);
        var intermediate = Number("--intermediate", "Width inside the feed-forward part.", normal.IntermediateSize);
        var layers = Number("--layers", "Transformer layers.", normal.Layers);
        var heads = Number("--heads", "Query heads.", normal.Heads);
        var kvHeads = Number("--kv-heads", "Key and value heads.", normal.KeyValueHeads);
        var context = Number("--context", "The longest sequence in tokens.", normal.ContextLength);
        var steps = Number("--steps", "Optimiser steps.", normal.Steps);
        var batch = Number("--batch", "Sequences per step.", normal.BatchSize);
        var rate = new Option<double>("--lr") { Description = "Peak learning rate.", DefaultValueFactory = _ => normal.LearningRate };
        var seed = new Option<ulong>("--seed") { Description = "Fixes the first weights and the order of the data.", DefaultValueFactory = _ => 1 };
        var threads = Number("--threads", "CPU threads; 1 gives the same bytes every time, 0 takes all.", 1);
        var command = new Command("pretrain", """
            Makes a small base model from nothing but text: a vocabulary, then a Llama trained on it, in Hugging Face layout.

            Examples:
              fedchain model pretrain --output models/base
              fedchain model pretrain --data corpus/ --steps 2000 --threads 0 --output models/own
            """)
        { output, data, textSeed, records, vocabulary, hidden, intermediate, layers, heads, kvHeads, context, steps, batch, rate, seed, threads };
        command.SetAction(async (result, cancellationToken) =>
        {
            var text = result.GetValue(data) is { } folder
                ? PretrainingText.FromFolder(folder.FullName)
                : PretrainingText.Generated(result.GetValue(textSeed), result.GetValue(records));
            var options = new PretrainingOptions
            {
                VocabularySize = result.GetValue(vocabulary),
                HiddenSize = result.GetValue(hidden),
                IntermediateSize = result.GetValue(intermediate),
                Layers = result.GetValue(layers),
                Heads = result.GetValue(heads),
                KeyValueHeads = result.GetValue(kvHeads),
                ContextLength = result.GetValue(context),
                Steps = result.GetValue(steps),
                BatchSize = result.GetValue(batch),
                LearningRate = result.GetValue(rate),
                Seed = result.GetValue(seed),
                Threads = result.GetValue(threads) is > 0 and var n ? n : null,
            };
            var made = await Pretrainer.RunAsync(text, options, result.GetRequiredValue(output).FullName, new Display(), cancellationToken);
            Console.WriteLine($"{made.Folder}: {made.Weights:N0} weights, {made.TrainTokens:N0} tokens of text, loss {made.FirstLoss:F3} -> {made.ValLoss:F3} nats per token (validation), trained in {made.Elapsed:m\\:ss}");
        });
        return command;
    }

    private static Option<int> Number(string name, string description, int normal) => new(name) { Description = description, DefaultValueFactory = _ => normal };

    /// <summary>A line per stage and per twentieth of the training.</summary>
    private sealed class Display : IProgress<PretrainingProgress>
    {
        private int _shown = -1;

        public void Report(PretrainingProgress value)
        {
            if (value.Stage != PretrainingStage.Training)
            {
                AnsiConsole.WriteLine($"{value.Stage} ...");
            }
            else if (20 * value.Step / value.Steps is var part && part != _shown)
            {
                _shown = part;
                AnsiConsole.WriteLine($"step {value.Step}/{value.Steps}  loss {value.Loss:F3}  {value.TokensPerSecond:N0} tokens/s");
            }
        }
    }
}

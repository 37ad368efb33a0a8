using System.Diagnostics;
using FedChain.Learning.Examples;
using FedChain.Learning.Models;
using static TorchSharp.torch;

namespace FedChain.Learning.Training;

/// <summary>The training loop: batch, loss, gradients, clipping, update.</summary>
internal static class Trainer
{
    /// <summary>Trains the given parameters of a decoder in place; everything else is frozen.</summary>
    /// <exception cref="ArgumentException">Options out of range, or examples that the model can't take.</exception>
    /// <exception cref="TrainingDivergedException">A loss or gradient is no number.</exception>
    /// <exception cref="OperationCanceledException">Asked for between steps; the steps done stay.</exception>
    public static TrainingResult Train(
        Decoder decoder, IReadOnlyList<Tensor> parameters, IReadOnlyList<TokenizedExample> examples, TrainingOptions options,
        IProgress<TrainingProgress>? progress, CancellationToken cancellationToken)
    {
        TrainingOptions.Validate(options);
        var usable = ExampleChecks.Usable(examples, decoder.Config);
        using var optimiser = new AdamW(parameters, options);
        using var batches = BatchOrder.Shuffled(usable, options.BatchSize, options.Seed).GetEnumerator();
        var started = Stopwatch.GetTimestamp();
        long tokens = 0, responseTokens = 0;
        double first = double.NaN, loss = double.NaN;
        try
        {
            SetGradients(parameters, true);
            for (var step = 1; step <= options.Steps; step++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                using var scope = NewDisposeScope();
                batches.MoveNext();
                var batch = TokenBatch.FromExamples([.. batches.Current.Select(i => usable[i])], decoder.Device);

                var summed = decoder.Loss(batch);
                loss = summed.item<float>() / (double)batch.TargetCount;
                if (!double.IsFinite(loss))
                {
                    throw Diverged(optimiser, step);
                }

                var gradient = AdamW.Flatten(autograd.grad([summed], [.. parameters])).OverInPlace(batch.TargetCount);
                var norm = gradient.norm().item<float>();
                if (!float.IsFinite(norm))
                {
                    throw new TrainingDivergedException(step, step - 1, "The gradient");
                }

                if (options.MaxGradientNorm is { } most && norm > most)
                {
                    gradient.TimesInPlace(most / norm);
                }

                var learningRate = options.LearningRateAt(step);
                optimiser.Step(gradient, learningRate);

                first = step == 1 ? loss : first;
                tokens += batch.TokenCount;
                responseTokens += batch.TargetCount;
                progress?.Report(new(step, options.Steps, loss, learningRate, tokens / Stopwatch.GetElapsedTime(started).TotalSeconds));
            }
        }
        finally
        {
            SetGradients(parameters, false);
        }

        return new(options.Steps, first, loss, tokens, responseTokens, Stopwatch.GetElapsedTime(started));
    }

    /// <summary>The weights that gave this loss came from the update before: it goes too.</summary>
    private static TrainingDivergedException Diverged(AdamW optimiser, int step)
    {
        if (step > 1)
        {
            optimiser.UndoStep();
        }

        return new(step, Math.Max(0, step - 2), "The loss");
    }

    private static void SetGradients(IReadOnlyList<Tensor> parameters, bool required)
    {
        foreach (var parameter in parameters)
        {
            parameter.requires_grad_(required);
        }
    }
}

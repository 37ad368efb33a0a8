using FedChain.Protocol.Files;

namespace FedChain.Learning.Training;

/// <summary>How the learning rate goes after the warm-up.</summary>
public enum LearningRateSchedule
{
    /// <summary>It stays.</summary>
    Constant,

    /// <summary>It falls along half a cosine to <see cref="TrainingOptions.FinalLearningRateShare"/> of its peak at the last step.</summary>
    Cosine,
}

/// <summary>How a model is trained. AdamW; the loss is the mean over the response tokens of a step's batches.</summary>
public sealed record TrainingOptions
{
    /// <summary>Optimiser steps, at least 1; the data is gone through as often as that takes.</summary>
    public required int Steps { get; init; }

    /// <summary>Sequences per batch, at least 1.</summary>
    public int BatchSize { get; init; } = 8;

    /// <summary>Batches per step whose gradients are added up, at least 1: as a batch so many times larger, in the memory of one.</summary>
    public int AccumulationSteps { get; init; } = 1;

    /// <summary>Keeps only each layer's input for the way back and computes the rest again: less memory for about a third more time. For adapters.</summary>
    public bool GradientCheckpointing { get; init; }

    /// <summary>Share of the inputs of an adapter's A that is left out at random, from 0 to below 1. For adapters.</summary>
    public double Dropout { get; init; }

    /// <summary>
    /// FedProx's μ, at least 0: the loss gets μ/2 times the squared distance to the weights that the training began with (Li et al., arXiv 1812.06127).
    /// The losses reported are without it.
    /// </summary>
    public double Proximal { get; init; }

    /// <summary>The peak, positive.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Steps over which the learning rate rises linearly to its peak, from 0 to all steps.</summary>
    public int WarmUpSteps { get; init; }

    /// <summary>What follows the warm-up.</summary>
    public LearningRateSchedule Schedule { get; init; } = LearningRateSchedule.Cosine;

    /// <summary>Where the cosine ends, as a share of the peak, from 0 to 1.</summary>
    public double FinalLearningRateShare { get; init; } = 0.1;

    /// <summary>
    /// Steps of a longer training, at least 0, that came before this part of it. Only the learning rate follows from it: a federation's rounds go along
    /// one curve together, rather than each along its own.
    /// </summary>
    public int StepsBefore { get; init; }

    /// <summary>Steps of the longer training that this is a part of; null if this is all of it.</summary>
    public int? StepsInAll { get; init; }

    /// <summary>AdamW's decoupled weight decay, at least 0. Vectors (norm weights, biases) aren't decayed.</summary>
    public double WeightDecay { get; init; } = 0.01;

    /// <summary>Decay rate of the gradients' mean, from 0 to below 1.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay rate of the squared gradients' mean, from 0 to below 1.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Keeps AdamW's division from zero; positive.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Gradients longer than this (L2 norm over all) are scaled down to it; null leaves them.</summary>
    public double? MaxGradientNorm { get; init; } = 1;

    /// <summary>Which factors of the adapter learn; the other is frozen. Without meaning where all weights are trained.</summary>
    public Factors Factors { get; init; } = Factors.Both;

    /// <summary>Fixes the order of the data. With one thread (<see cref="Compute.Threads"/>) the same seed gives the same bits.</summary>
    public ulong Seed { get; init; }

    private int LastStep => StepsInAll ?? StepsBefore + Steps;

    /// <summary>The learning rate of a step, counted from 1.</summary>
    public double LearningRateAt(int step)
    {
        step += StepsBefore;
        if (step <= WarmUpSteps)
        {
            return LearningRate * step / WarmUpSteps;
        }

        var done = LastStep - WarmUpSteps <= 1 ? 1 : (step - WarmUpSteps - 1.0) / (LastStep - WarmUpSteps - 1);
        return Schedule == LearningRateSchedule.Constant
            ? LearningRate
            : LearningRate * (FinalLearningRateShare + ((1 - FinalLearningRateShare) * (1 + Math.Cos(Math.PI * done)) / 2));
    }

    /// <summary>Checks the values against their ranges.</summary>
    /// <exception cref="ArgumentException">One is outside; the message says which.</exception>
    public static void Validate(TrainingOptions options)
    {
        foreach (var (holds, name, value, range) in new (bool Holds, string Name, double Value, string Range)[]
        {
            (options.Steps >= 1, nameof(Steps), options.Steps, "at least 1"),
            (options.BatchSize >= 1, nameof(BatchSize), options.BatchSize, "at least 1"),
            (options.AccumulationSteps >= 1, nameof(AccumulationSteps), options.AccumulationSteps, "at least 1"),
            (options.Dropout is >= 0 and < 1, nameof(Dropout), options.Dropout, "from 0 to below 1"),
            (options.Proximal >= 0 && double.IsFinite(options.Proximal), nameof(Proximal), options.Proximal, "at least 0"),
            (options.LearningRate > 0 && double.IsFinite(options.LearningRate), nameof(LearningRate), options.LearningRate, "positive"),
            (options.StepsBefore >= 0, nameof(StepsBefore), options.StepsBefore, "at least 0"),
            (options.LastStep >= options.StepsBefore + options.Steps, nameof(StepsInAll), options.LastStep, "at least the steps before and these"),
            (options.WarmUpSteps >= 0 && options.WarmUpSteps <= options.LastStep, nameof(WarmUpSteps), options.WarmUpSteps, "from 0 to all steps"),
            (options.FinalLearningRateShare is >= 0 and <= 1, nameof(FinalLearningRateShare), options.FinalLearningRateShare, "from 0 to 1"),
            (options.WeightDecay >= 0 && double.IsFinite(options.WeightDecay), nameof(WeightDecay), options.WeightDecay, "at least 0"),
            (options.Beta1 is >= 0 and < 1, nameof(Beta1), options.Beta1, "from 0 to below 1"),
            (options.Beta2 is >= 0 and < 1, nameof(Beta2), options.Beta2, "from 0 to below 1"),
            (options.Epsilon > 0, nameof(Epsilon), options.Epsilon, "positive"),
            (options.MaxGradientNorm is null or > 0, nameof(MaxGradientNorm), options.MaxGradientNorm ?? 0, "positive, or none"),
            (options.Factors is Factors.A or Factors.B or Factors.Both, nameof(Factors), (int)options.Factors, "A, B or both"),
        })
        {
            if (!holds)
            {
                throw new ArgumentException($"{name} must be {range}; it is {value}.", nameof(options));
            }
        }
    }
}

/// <summary>Where a training is.</summary>
/// <param name="Step">Steps done, from 1.</param>
/// <param name="Steps">Steps in all.</param>
/// <param name="Loss">The step's mean loss in nats per response token, before its update.</param>
/// <param name="LearningRate">The step's learning rate.</param>
/// <param name="TokensPerSecond">Tokens (prompts and responses, no padding) per second since the training began or went on.</param>
/// <param name="Remaining">The time left, if it goes on as it went.</param>
public sealed record TrainingProgress(int Step, int Steps, double Loss, double LearningRate, double TokensPerSecond, TimeSpan Remaining);

/// <summary>What a training did.</summary>
/// <param name="Steps">Steps done.</param>
/// <param name="FirstLoss">The first step's mean loss in nats per response token.</param>
/// <param name="LastLoss">The last step's.</param>
/// <param name="Tokens">Tokens gone through, prompts and responses, no padding.</param>
/// <param name="ResponseTokens">Tokens that counted in the loss.</param>
/// <param name="Elapsed">How long it took, since it last went on.</param>
public sealed record TrainingResult(int Steps, double FirstLoss, double LastLoss, long Tokens, long ResponseTokens, TimeSpan Elapsed);

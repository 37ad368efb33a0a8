using FedChain.Learning.Training;
using FedChain.Node.Peer;
using FedChain.Protocol.Files;

namespace FedChain.Node.Training;

/// <summary>How an institution trains in a round: its own choice, within the policy's bounds.</summary>
public sealed record LocalTraining
{
    /// <summary>Where a round begins for a checkpoint of usual size; the defaults below suit the tiny model that comes with the program.</summary>
    public static LocalTraining ForCheckpoints { get; } = new() { LearningRate = 2e-4, WarmUpSteps = 3 };

    /// <summary>Optimiser steps in a round, at least 1; the policy's bound if that is lower.</summary>
    public int Steps { get; init; } = 30;

    /// <summary>Records per batch, at least 1; evaluation takes as many at a time.</summary>
    public int BatchSize { get; init; } = 8;

    /// <summary>Batches per step whose gradients are added up, at least 1: a larger step in the memory of one batch.</summary>
    public int AccumulationSteps { get; init; } = 1;

    /// <summary>
    /// Peak learning rate of AdamW, positive. It falls along half a cosine to a tenth: over the rounds that the first policy after a genesis allows, so
    /// that everybody's falls together, and the <see cref="PersonalShare"/> after them. Rounds that a later vote adds stay where it ended.
    /// </summary>
    public double LearningRate { get; init; } = 1e-2;

    /// <summary>
    /// Share of an institution's steps, from 0 to below 1, that come after the federation's rounds and make a personal adapter of the shared one: the learning
    /// rate goes on falling over them. R rounds of S steps leave R S p / (1 - p) of them.
    /// </summary>
    public double PersonalShare { get; init; }

    /// <summary>
    /// Whether an adapter of the institution's own, of the same rank, is trained beside the shared one by the same steps. It is never sent. The institution's
    /// own records gain, and the shared adapter learns less.
    /// </summary>
    public bool OwnAdapter { get; init; }

    /// <summary>Steps over which the learning rate rises to its peak, from 0 to <see cref="Steps"/>.</summary>
    public int WarmUpSteps { get; init; }

    /// <summary>Share of the inputs of the adapter's A that is left out at random, from 0 to below 1.</summary>
    public double Dropout { get; init; }

    /// <summary>Longer gradients are scaled down to this L2 norm; 0 leaves them.</summary>
    public double MaxGradientNorm { get; init; } = 1;

    /// <summary>Steps after which a training notes where it is, at least 1: a kill costs at most so many.</summary>
    public int CheckpointSteps { get; init; } = 10;

    /// <summary>Keeps only each layer's input for the way back and computes the rest again: less memory for about a third more time.</summary>
    public bool GradientCheckpointing { get; init; }

    /// <summary>At most so many validation records, chosen by the hash of their ids, measure what a round brought.</summary>
    public int MaxValidationRecords { get; init; } = 32;

    /// <exception cref="UserErrorException">A value out of range, by its name in <c>home.json</c>.</exception>
    internal void Check()
    {
        foreach (var (holds, name, value, range) in new (bool Holds, string Name, double Value, string Range)[]
        {
            (Steps >= 1, "steps", Steps, "at least 1"),
            (BatchSize >= 1, "batchSize", BatchSize, "at least 1"),
            (AccumulationSteps >= 1, "accumulationSteps", AccumulationSteps, "at least 1"),
            (LearningRate > 0 && double.IsFinite(LearningRate), "learningRate", LearningRate, "positive"),
            (PersonalShare is >= 0 and < 1, "personalShare", PersonalShare, "from 0 to below 1"),
            (CheckpointSteps >= 1, "checkpointSteps", CheckpointSteps, "at least 1"),
            (WarmUpSteps >= 0 && WarmUpSteps <= Steps, "warmUpSteps", WarmUpSteps, $"from 0 to the steps, {Steps}"),
            (Dropout is >= 0 and < 1, "dropout", Dropout, "from 0 to below 1"),
            (MaxGradientNorm >= 0 && double.IsFinite(MaxGradientNorm), "maxGradientNorm", MaxGradientNorm, "positive, or 0 for no bound"),
            (MaxValidationRecords >= 1, "maxValidationRecords", MaxValidationRecords, "at least 1"),
        })
        {
            if (!holds)
            {
                throw new UserErrorException(FormattableString.Invariant($"{name} must be {range}; found {value}."));
            }
        }
    }

    /// <summary>The engine's options for one round of one institution.</summary>
    /// <param name="factors">What is trained.</param>
    /// <param name="seed">The institution's own.</param>
    /// <param name="round">The round's number.</param>
    /// <param name="progress">How far the federation's rounds are.</param>
    /// <param name="mostSteps">The policy's bound.</param>
    internal TrainingOptions For(Factors factors, ulong seed, ulong round, RoundsProgress progress, int mostSteps = int.MaxValue)
    {
        var steps = Math.Min(Steps, mostSteps);
        var rounds = Math.Clamp(progress.Rounds, 1, int.MaxValue / steps);
        return Options(steps, factors, unchecked((seed * 0x9E3779B97F4A7C15) + round)) with
        {
            StepsBefore = steps * Math.Min(progress.Finalised, rounds - 1),
            StepsInAll = Whole(steps * rounds / (1 - PersonalShare)),
        };
    }

    /// <summary>The engine's options for the personal steps after a federation's rounds.</summary>
    /// <param name="seed">The institution's own.</param>
    internal TrainingOptions ForPersonal(ulong seed)
    {
        var all = PersonalShare > 0 ? Whole(Steps / PersonalShare) : Steps;
        return Options(Steps, Factors.Both, seed * 0x9E3779B97F4A7C15) with { StepsBefore = all - Steps, StepsInAll = all };
    }

    private static int Whole(double steps) => (int)Math.Min(int.MaxValue, Math.Round(steps));

    private TrainingOptions Options(int steps, Factors factors, ulong seed) => new()
    {
        Steps = steps,
        BatchSize = BatchSize,
        AccumulationSteps = AccumulationSteps,
        LearningRate = LearningRate,
        WarmUpSteps = Math.Min(WarmUpSteps, steps),
        Dropout = Dropout,
        MaxGradientNorm = MaxGradientNorm > 0 ? MaxGradientNorm : null,
        GradientCheckpointing = GradientCheckpointing,
        Factors = factors,
        Seed = seed,
    };
}

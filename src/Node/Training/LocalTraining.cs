namespace FedChain.Node.Training;

/// <summary>How an institution trains in a round: its own choice, within the policy's bounds.</summary>
public sealed record LocalTraining
{
    /// <summary>Optimiser steps in a round, at least 1; the policy's bound if that is lower.</summary>
    public int Steps { get; init; } = 30;

    /// <summary>Records per step, at least 1.</summary>
    public int BatchSize { get; init; } = 8;

    /// <summary>Peak learning rate of AdamW, positive; falls along half a cosine to a tenth within the round.</summary>
    public double LearningRate { get; init; } = 1e-2;

    /// <summary>At most so many validation records, chosen by the hash of their ids, measure what a round brought.</summary>
    public int MaxValidationRecords { get; init; } = 32;
}

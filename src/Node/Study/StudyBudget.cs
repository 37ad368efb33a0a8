namespace FedChain.Node.Study;

/// <summary>What every method of a study may spend, and what it is measured on.</summary>
public sealed record StudyBudget
{
    /// <summary>Rounds of a federated method.</summary>
    public int Rounds { get; init; } = 15;

    /// <summary>Optimiser steps of each institution in all.</summary>
    public int Steps { get; init; } = 150;

    /// <summary>Records in a step of one institution.</summary>
    public int BatchSize { get; init; } = 8;

    /// <summary>The longest sequence, in tokens; the model's context if null.</summary>
    public int? Context { get; init; }

    /// <summary>At most so many test records of an institution, chosen by the hash of their ids.</summary>
    public int TestRecords { get; init; } = 64;

    /// <summary>At most so many validation records, looked at after every round.</summary>
    public int ValidationRecords { get; init; } = 24;

    /// <summary>How many of the <see cref="Steps"/> a member makes for itself.</summary>
    public int PersonalStepsOf(StudyMethod method) => (int)Math.Round(method.PersonalShare * Steps);
}

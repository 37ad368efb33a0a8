namespace FedChain.Learning.Pretraining;

/// <summary>The size of a base model and how it is trained. The defaults give models/base: 0.9 million weights.</summary>
public sealed record PretrainingOptions
{
    /// <summary>Pieces of the vocabulary, from about 350 (three, 256 bytes and the characters).</summary>
    public int VocabularySize { get; init; } = 1024;

    /// <summary>Width of the residual stream; a multiple of <see cref="Heads"/>.</summary>
    public int HiddenSize { get; init; } = 128;

    /// <summary>Width inside the feed-forward part.</summary>
    public int IntermediateSize { get; init; } = 352;

    /// <summary>Transformer layers.</summary>
    public int Layers { get; init; } = 4;

    /// <summary>Query heads.</summary>
    public int Heads { get; init; } = 4;

    /// <summary>Key and value heads; divides <see cref="Heads"/>.</summary>
    public int KeyValueHeads { get; init; } = 2;

    /// <summary>The longest sequence in tokens; training sequences are this long.</summary>
    public int ContextLength { get; init; } = 256;

    /// <summary>Optimiser steps.</summary>
    public int Steps { get; init; } = 600;

    /// <summary>Sequences per step.</summary>
    public int BatchSize { get; init; } = 8;

    /// <summary>The peak; warm-up over a twentieth of the steps, then half a cosine to a tenth.</summary>
    public double LearningRate { get; init; } = 3e-3;

    /// <summary>Fixes the first weights and the order of the data.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Threads of the CPU, at least 1. With 1 the same command gives the same bytes on the same kind of processor; null takes all and promises less.</summary>
    public int? Threads { get; init; } = 1;

    /// <summary>The command's arguments that give these options again, for the README.</summary>
    public string Arguments
    {
        get
        {
            var normal = new PretrainingOptions();
            return string.Join(' ', new (string Name, object? Value, object? Normal)[]
            {
                ("vocabulary", VocabularySize, normal.VocabularySize), ("hidden", HiddenSize, normal.HiddenSize),
                ("intermediate", IntermediateSize, normal.IntermediateSize), ("layers", Layers, normal.Layers), ("heads", Heads, normal.Heads),
                ("kv-heads", KeyValueHeads, normal.KeyValueHeads), ("context", ContextLength, normal.ContextLength), ("steps", Steps, null),
                ("batch", BatchSize, normal.BatchSize), ("lr", LearningRate, normal.LearningRate), ("seed", Seed, null), ("threads", Threads ?? 0, 1),
            }.Where(option => !Equals(option.Value, option.Normal)).Select(option => $"--{option.Name} {option.Value}"));
        }
    }
}

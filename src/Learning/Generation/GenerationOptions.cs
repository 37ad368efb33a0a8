namespace FedChain.Learning.Generation;

/// <summary>How a text is continued. Greedy: always the most probable token, the lowest id among equals.</summary>
public sealed record GenerationOptions
{
    /// <summary>The most new tokens, at least 1. Generation also ends where the model's context is full.</summary>
    public int MaxTokens { get; init; } = 256;

    /// <summary>Whether any of the model's end tokens ends the text. The end token is not part of the result.</summary>
    public bool StopAtEnd { get; init; } = true;
}

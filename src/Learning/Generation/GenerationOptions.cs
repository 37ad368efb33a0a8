namespace FedChain.Learning.Generation;

/// <summary>How a text is continued. Without a temperature greedily: always the most probable token, the lowest id among equals.</summary>
public sealed record GenerationOptions
{
    /// <summary>The most new tokens, at least 1. Generation also ends where the model's context is full.</summary>
    public int MaxTokens { get; init; } = 256;

    /// <summary>Whether any of the model's end tokens ends the text. The end token is not part of the result.</summary>
    public bool StopAtEnd { get; init; } = true;

    /// <summary>Further tokens that end the text, likewise.</summary>
    public IReadOnlyCollection<int> EndTokens { get; init; } = [];

    /// <summary>Probabilities are taken from the logits divided by it; from 0 (greedy) to 100.</summary>
    public double Temperature { get; init; }

    /// <summary>Draws among so many of the most probable tokens; 0 for all. Only with a temperature.</summary>
    public int TopK { get; init; }

    /// <summary>Draws among the most probable tokens (of <see cref="TopK"/>) that together have this probability, above 0 to 1 (all); at least the first. Only with a temperature.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Fixes the draws: with it, model and prompt the text is the same again on the same machine.</summary>
    public ulong Seed { get; init; }

    /// <exception cref="ArgumentException">A value out of range; the message says which.</exception>
    public static void Validate(GenerationOptions options)
    {
        foreach (var (holds, name, value, range) in new (bool Holds, string Name, double Value, string Range)[]
        {
            (options.MaxTokens >= 1, nameof(MaxTokens), options.MaxTokens, "at least 1"),
            (options.Temperature is >= 0 and <= 100, nameof(Temperature), options.Temperature, "from 0 to 100"),
            (options.TopK >= 0, nameof(TopK), options.TopK, "at least 1, or 0 for all"),
            (options.TopP is > 0 and <= 1, nameof(TopP), options.TopP, "above 0 and at most 1"),
        })
        {
            if (!holds)
            {
                throw new ArgumentException(FormattableString.Invariant($"{name} must be {range}; it is {value}."), nameof(options));
            }
        }
    }
}

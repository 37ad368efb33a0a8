using FedChain.Learning.Models;

namespace FedChain.Learning.Examples;

internal static class ExampleChecks
{
    /// <summary>The examples in which something is predicted.</summary>
    /// <exception cref="ArgumentException">One is longer than the context or holds an id outside the vocabulary, or none is left.</exception>
    public static List<TokenizedExample> Usable(IReadOnlyList<TokenizedExample> examples, DecoderConfig config)
    {
        for (var i = 0; i < examples.Count; i++)
        {
            if (examples[i].Tokens.Length > config.ContextLength)
            {
                throw new ArgumentException($"Example {i} has {examples[i].Tokens.Length} tokens; the model's context is {config.ContextLength}. Cut it first.", nameof(examples));
            }

            if (examples[i].Tokens.AsSpan().IndexOfAnyExceptInRange(0, config.VocabSize - 1) is >= 0 and var at)
            {
                throw new ArgumentException($"Example {i} holds token {examples[i].Tokens[at]}; the model knows 0 to {config.VocabSize - 1}. Is it the model's tokenizer?", nameof(examples));
            }
        }

        var usable = examples.Where(e => e.PredictedTokens > 0).ToList();
        return usable.Count > 0 ? usable : throw new ArgumentException($"None of the {examples.Count} examples has a response token to predict.", nameof(examples));
    }
}

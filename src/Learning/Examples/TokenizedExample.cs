namespace FedChain.Learning.Examples;

/// <summary>One record as the model sees it: prompt and response tokens in one sequence.</summary>
/// <param name="Tokens">Token ids, prompt first; never padded, at most the model's context long.</param>
/// <param name="PromptLength">How many leading tokens are prompt (with the beginning-of-sequence token); only those from here on count in a loss.</param>
/// <param name="ResponseBytes">UTF-8 bytes of the response text that the response tokens stand for; the divisor of bits per byte. Zero where it isn't asked for.</param>
public sealed record TokenizedExample(int[] Tokens, int PromptLength, int ResponseBytes)
{
    /// <summary>Tokens that a causal model predicts and that belong to the response: the first token of a sequence is never predicted.</summary>
    public int PredictedTokens => Math.Max(0, Tokens.Length - Math.Max(PromptLength, 1));
}

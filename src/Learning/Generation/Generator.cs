using FedChain.Learning.Models;
using static TorchSharp.torch;

namespace FedChain.Learning.Generation;

/// <summary>Continues a text token by token; each token's keys and values are computed once and kept.</summary>
internal static class Generator
{
    /// <exception cref="ArgumentException">The prompt is empty, longer than the context, or holds ids outside the vocabulary.</exception>
    public static IEnumerable<int> Run(Decoder decoder, int[] prompt, GenerationOptions options, CancellationToken cancellationToken)
    {
        GenerationOptions.Validate(options);
        var config = decoder.Config;
        if (prompt.Length == 0 || prompt.Length > config.ContextLength || prompt.Any(t => t < 0 || t >= config.VocabSize))
        {
            throw new ArgumentException($"A prompt needs 1 to {config.ContextLength} tokens with ids below {config.VocabSize}.", nameof(prompt));
        }

        return Continue(decoder, prompt, Math.Min(options.MaxTokens, config.ContextLength - prompt.Length + 1), options, cancellationToken);
    }

    private static IEnumerable<int> Continue(Decoder decoder, int[] prompt, int most, GenerationOptions options, CancellationToken cancellationToken)
    {
        var sampler = options.Temperature > 0 ? new Sampler(options) : null;
        using var cache = new KeyValueCache(decoder, 1, prompt.Length + most - 1);
        var tokens = prompt;
        for (var i = 0; i < most; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var next = Next(decoder, tokens, cache, sampler);
            if (options.StopAtEnd && decoder.Config.EndTokens.Contains(next))
            {
                yield break;
            }

            yield return next;
            tokens = [next];
        }
    }

    private static int Next(Decoder decoder, int[] tokens, KeyValueCache cache, Sampler? sampler)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var hidden = decoder.Forward(tensor([.. tokens.Select(t => (long)t)], [1, tokens.Length], device: decoder.Device), cache: cache);
        var logits = decoder.Logits(hidden.select(1, tokens.Length - 1)).to(float32);
        return sampler?.Draw(TensorData.Values(logits)) ?? (int)logits.argmax().item<long>();
    }
}

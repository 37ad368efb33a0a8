using FedChain.Learning.Models;
using static TorchSharp.torch;

namespace FedChain.Learning.Generation;

/// <summary>
/// Continues texts token by token; each token's keys and values are computed once and kept. A text that begins as the one before, as a conversation's
/// next turn does, is computed from where the two part.
/// </summary>
internal sealed class Generator(Decoder decoder) : IDisposable
{
    private const int Room = 256; // tokens by which the cache grows at least

    private readonly List<int> _held = []; // what the cache holds
    private KeyValueCache? _cache;

    /// <exception cref="ArgumentException">The prompt is empty, longer than the context, or holds ids outside the vocabulary; or an option is out of range.</exception>
    public IEnumerable<int> Continue(int[] prompt, GenerationOptions options, CancellationToken cancellationToken)
    {
        GenerationOptions.Validate(options);
        var config = decoder.Config;
        if (prompt.Length == 0 || prompt.Length > config.ContextLength)
        {
            throw new ArgumentException($"A prompt needs 1 to {config.ContextLength} tokens, the model's context; this one has {prompt.Length}.", nameof(prompt));
        }

        if (prompt.AsSpan().IndexOfAnyExceptInRange(0, config.VocabSize - 1) is >= 0 and var at)
        {
            throw new ArgumentException($"The prompt holds token {prompt[at]}; the model knows 0 to {config.VocabSize - 1}. Is it the model's tokenizer?", nameof(prompt));
        }

        return Run(prompt, Math.Min(options.MaxTokens, config.ContextLength - prompt.Length + 1), options, cancellationToken);
    }

    public void Dispose() => _cache?.Dispose();

    private IEnumerable<int> Run(int[] prompt, int most, GenerationOptions options, CancellationToken cancellationToken)
    {
        var sampler = options.Temperature > 0 ? new Sampler(options) : null;
        var tokens = Prepare(prompt, most);
        for (var i = 0; i < most; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var next = Next(tokens, sampler);
            if ((options.StopAtEnd && decoder.Config.EndTokens.Contains(next)) || options.EndTokens.Contains(next))
            {
                yield break;
            }

            yield return next;
            tokens = [next];
        }
    }

    /// <summary>Makes room, and returns what of the prompt isn't held yet: at least its last token, whose successor is asked for.</summary>
    private int[] Prepare(int[] prompt, int most)
    {
        var shared = 0;
        while (shared < Math.Min(_held.Count, prompt.Length - 1) && _held[shared] == prompt[shared])
        {
            shared++;
        }

        var needed = prompt.Length + most - 1;
        if (_cache is null)
        {
            _cache = new KeyValueCache(decoder, 1, needed);
        }
        else if (_cache.Capacity < needed)
        {
            _cache.Grow(Math.Min(decoder.Config.ContextLength, Math.Max(needed, _cache.Capacity + Room)));
        }

        _held.RemoveRange(shared, _held.Count - shared);
        _cache.Cut(shared);
        return prompt[shared..];
    }

    private int Next(int[] tokens, Sampler? sampler)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var hidden = decoder.Forward(tensor([.. tokens.Select(t => (long)t)], [1, tokens.Length], device: decoder.Device), cache: _cache);
        _held.AddRange(tokens);
        var logits = decoder.Logits(hidden.select(1, tokens.Length - 1)).to(float32);
        return sampler?.Draw(TensorData.Values(logits)) ?? (int)logits.argmax().item<long>();
    }
}

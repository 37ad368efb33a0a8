using FedChain.Learning.Examples;
using static TorchSharp.torch;

namespace FedChain.Learning.Training;

/// <summary>
/// Sequences of a batch, padded on the right, and the places whose next token counts. Only those places go through the output matrix, which on
/// small models with short answers is a large part of the work.
/// </summary>
internal sealed class TokenBatch : IDisposable
{
    private TokenBatch(Tensor tokens, Tensor places, Tensor targets, int tokenCount) =>
        (Tokens, Places, Targets, TokenCount) = (tokens, places, targets, tokenCount);

    /// <summary>(B, T), int64; zeros behind a sequence's end.</summary>
    public Tensor Tokens { get; }

    /// <summary>(N), int64: rows of the hidden states, seen as (B T, C), that predict a counted token.</summary>
    public Tensor Places { get; }

    /// <summary>(N), int64: the tokens that those places should predict.</summary>
    public Tensor Targets { get; }

    /// <summary>Tokens without the padding.</summary>
    public int TokenCount { get; }

    /// <summary>N.</summary>
    public int TargetCount => (int)Targets.shape[0];

    /// <summary>Counts the response's tokens: all but the prompt's.</summary>
    public static TokenBatch FromExamples(IReadOnlyList<TokenizedExample> examples, Device device) =>
        Create([.. examples.Select(e => e.Tokens)], (row, position) => position >= examples[row].PromptLength, device);

    /// <param name="sequences">Token ids, of any lengths.</param>
    /// <param name="counts">Whether the token in this row, at this position, counts. Never asked for position 0, which nothing predicts.</param>
    /// <param name="device">Where the tensors go.</param>
    public static TokenBatch Create(IReadOnlyList<int[]> sequences, Func<int, int, bool> counts, Device device)
    {
        var length = sequences.Max(s => s.Length);
        var tokens = new long[sequences.Count * length];
        List<long> places = [], targets = [];
        for (var row = 0; row < sequences.Count; row++)
        {
            for (var position = 0; position < sequences[row].Length; position++)
            {
                var at = (row * length) + position;
                tokens[at] = sequences[row][position];
                if (position > 0 && counts(row, position))
                {
                    places.Add(at - 1);
                    targets.Add(tokens[at]);
                }
            }
        }

        return new(
            tensor(tokens, [sequences.Count, length], device: device), tensor(places.ToArray(), device: device), tensor(targets.ToArray(), device: device),
            sequences.Sum(s => s.Length));
    }

    public void Dispose()
    {
        Tokens.Dispose();
        Places.Dispose();
        Targets.Dispose();
    }
}

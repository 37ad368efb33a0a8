using System.Text;
using FedChain.Learning.Examples;
using FedChain.Learning.Tokenization;

namespace FedChain.Learning.Data;

/// <summary>
/// Turns records into token sequences: <c>BOS prompt LF response EOS</c>. Prompt and response are encoded for themselves, so each begins as a text does
/// (with the space that SentencePiece puts there), and where one ends and the other begins doesn't depend on the tokenizer's merges.
/// A longer sequence than the context is cut: the response keeps at least its first half-context and then whatever room the prompt leaves;
/// the prompt loses its beginning (BOS and LF stay). A cut response has no EOS: the text doesn't end there.
/// </summary>
public sealed class ExampleBuilder
{
    private readonly ITokenizer _tokenizer;
    private readonly int _context;

    /// <param name="tokenizer">The model's own.</param>
    /// <param name="context">Most tokens of a sequence, at least 8; the model's <c>max_position_embeddings</c> or less.</param>
    public ExampleBuilder(ITokenizer tokenizer, int context)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentOutOfRangeException.ThrowIfLessThan(context, 8);
        _tokenizer = tokenizer;
        _context = context;
    }

    /// <summary>What generation starts from: <c>BOS prompt LF</c>, whole.</summary>
    /// <exception cref="ArgumentException">It leaves no room in the context for an answer.</exception>
    public int[] BuildPrompt(string prompt)
    {
        var tokens = Prompt(_tokenizer.Encode(prompt), int.MaxValue).Tokens;
        return tokens.Length < _context ? tokens
            : throw new ArgumentException($"The prompt has {tokens.Length} tokens, and the model's context is {_context}. Shorten it.", nameof(prompt));
    }

    /// <summary>The sequence, and whether anything had to be cut.</summary>
    public (TokenizedExample Example, bool IsCut) Build(string prompt, string response) => Build(prompt, response, _tokenizer.EosId);

    /// <summary>The sequence of a prompt and of how a response may begin: it has no EOS, since the text would go on.</summary>
    public TokenizedExample BuildBeginning(string prompt, string beginning) => Build(prompt, beginning, eos: null).Example;

    /// <summary>All sequences, in the records' order, and how many had to be cut.</summary>
    public (IReadOnlyList<TokenizedExample> Examples, int CutRecords) BuildAll(IEnumerable<DataRecord> records)
    {
        ArgumentNullException.ThrowIfNull(records);
        var built = records.Select(record => Build(record.Prompt, record.Response)).ToList();
        return ([.. built.Select(b => b.Example)], built.Count(b => b.IsCut));
    }

    private int PromptFrame => (_tokenizer.BosId is null ? 0 : 1) + (_tokenizer.NewlineId is null ? 0 : 1);

    private (TokenizedExample Example, bool IsCut) Build(string prompt, string response, int? eos)
    {
        var responseIds = _tokenizer.Encode(response);
        var responseLength = responseIds.Length + (eos is null ? 0 : 1);
        var promptIds = _tokenizer.Encode(prompt);
        var promptLength = PromptFrame + promptIds.Length;

        var kept = Math.Min(responseLength, Math.Max(_context / 2, _context - promptLength));
        var (promptTokens, promptIsCut) = Prompt(promptIds, _context - kept);
        if (kept < responseLength)
        {
            responseIds = responseIds[..kept];
            return (new TokenizedExample([.. promptTokens, .. responseIds], promptTokens.Length, _tokenizer.DecodeBytes(responseIds).Length), true);
        }

        int[] tokens = eos is { } end ? [.. promptTokens, .. responseIds, end] : [.. promptTokens, .. responseIds];
        return (new TokenizedExample(tokens, promptTokens.Length, Encoding.UTF8.GetByteCount(response)), promptIsCut);
    }

    private (int[] Tokens, bool IsCut) Prompt(int[] ids, int room)
    {
        var kept = Math.Min(ids.Length, Math.Max(0, room - PromptFrame));
        var tokens = new List<int>(kept + 2);
        if (_tokenizer.BosId is { } bos)
        {
            tokens.Add(bos);
        }

        tokens.AddRange(ids.AsSpan(ids.Length - kept));
        if (_tokenizer.NewlineId is { } newline)
        {
            tokens.Add(newline);
        }

        return ([.. tokens], kept < ids.Length);
    }
}

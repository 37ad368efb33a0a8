using FedChain.Learning.Data;
using FedChain.Learning.Examples;
using FedChain.Learning.Tokenization;

namespace FedChain.Learning.Pretraining;

/// <summary>
/// Records as one stream of tokens, <c>BOS prompt LF response EOS</c> each, cut into sequences of the context's length of which every token counts.
/// So all positions are trained, also by short records, and nothing is padding.
/// </summary>
internal static class PackedText
{
    public static IReadOnlyList<TokenizedExample> Encode(IReadOnlyList<DataRecord> records, ITokenizer tokenizer, int context)
    {
        var whole = new ExampleBuilder(tokenizer, int.MaxValue);
        var stream = records.SelectMany(record => whole.Build(record.Prompt, record.Response).Example.Tokens);
        return [.. stream.Chunk(context).Where(tokens => tokens.Length > 1).Select(tokens => new TokenizedExample(tokens, PromptLength: 1, ResponseBytes: 0))];
    }
}

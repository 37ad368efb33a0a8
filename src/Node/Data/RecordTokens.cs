using FedChain.Learning.Data;
using FedChain.Learning.Tokenization;

namespace FedChain.Node.Data;

/// <summary>Counts a record's tokens as training would, once whole and once cut to the context.</summary>
public sealed class RecordTokens(ITokenizer tokenizer, int context)
{
    private const int Boundless = int.MaxValue / 2;

    private readonly ExampleBuilder _whole = new(tokenizer, Boundless);
    private readonly ExampleBuilder _cut = new(tokenizer, context);

    /// <param name="records">At least one.</param>
    public TokenLengths Measure(IEnumerable<DataRecord> records)
    {
        List<int> prompts = [], responses = [], lost = [];
        foreach (var record in records)
        {
            var whole = _whole.Build(record.Prompt, record.Response).Example;
            prompts.Add(whole.PromptLength);
            responses.Add(whole.Tokens.Length - whole.PromptLength);
            var (cut, isCut) = _cut.Build(record.Prompt, record.Response);
            if (isCut)
            {
                lost.Add(whole.Tokens.Length - cut.Tokens.Length);
            }
        }

        var all = prompts.Sum(n => (long)n) + responses.Sum(n => (long)n);
        return new TokenLengths(
            context, new TextLengths(LengthSummary.Of(prompts), LengthSummary.Of(responses)), lost.Count, lost.Count == 0 ? null : LengthSummary.Of(lost),
            (double)lost.Sum(n => (long)n) / all);
    }
}

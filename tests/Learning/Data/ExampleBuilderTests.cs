using CsCheck;
using FedChain.Learning.Data;
using FedChain.Learning.Tokenization;
using FedChain.Tests.Learning.Tokenization;

namespace FedChain.Tests.Learning.Data;

public sealed class ExampleBuilderTests
{
    private static readonly SentencePieceTokenizer Tokenizer = SentencePieceTokenizerTests.Tokenizer();

    [Fact]
    public void A_record_is_bos_prompt_line_feed_response_eos()
    {
        var (example, isCut) = new ExampleBuilder(Tokenizer, 64).Build("b b", "cé");
        Assert.Equal(["<s>", "▁", "b", "▁", "b", "<0x0A>", "▁", "c", "<0xC3>", "<0xA9>", "</s>"], Names(example.Tokens));
        Assert.Equal(6, example.PromptLength);
        Assert.Equal(3, example.ResponseBytes);
        Assert.False(isCut);
    }

    [Fact]
    public void A_long_prompt_loses_its_beginning()
    {
        var (example, isCut) = new ExampleBuilder(Tokenizer, 12).Build("c b c b c b c b", "c");
        Assert.Equal(["<s>", "c", "▁", "b", "▁", "c", "▁", "b", "<0x0A>", "▁", "c", "</s>"], Names(example.Tokens));
        Assert.True(isCut);
    }

    [Fact]
    public void The_response_keeps_at_least_its_first_half_context()
    {
        var (example, isCut) = new ExampleBuilder(Tokenizer, 10).Build("b b b b b b", "b c b c b c b c");
        Assert.Equal(["<s>", "b", "▁", "b", "<0x0A>", "▁", "b", "▁", "c", "▁"], Names(example.Tokens));
        Assert.Equal(5, example.PromptLength);
        Assert.Equal(4, example.ResponseBytes); // "b c "
        Assert.True(isCut);
    }

    [Fact]
    public void A_long_response_takes_the_room_that_a_short_prompt_leaves()
    {
        var (example, isCut) = new ExampleBuilder(Tokenizer, 10).Build("b", "b c b c b c b c");
        Assert.Equal(4, example.PromptLength);
        Assert.Equal(10, example.Tokens.Length);
        Assert.NotEqual(Tokenizer.EosId, example.Tokens[^1]);
        Assert.True(isCut);
    }

    [Fact]
    public void Every_record_fits_and_is_cut_only_if_it_must_be() =>
        Gen.Select(Gen.String[Gen.Char["abc é"], 0, 40], Gen.String[Gen.Char["abc é"], 1, 40], Gen.Int[8, 40]).Sample((prompt, response, context) =>
        {
            var whole = new ExampleBuilder(Tokenizer, 1000).Build(prompt, response).Example;
            var (example, isCut) = new ExampleBuilder(Tokenizer, context).Build(prompt, response);
            Assert.Equal(whole.Tokens.Length > context, isCut);
            Assert.Equal(Math.Min(whole.Tokens.Length, context), example.Tokens.Length);
            var kept = example.Tokens.Length - example.PromptLength;
            Assert.True(kept >= Math.Min(context / 2, whole.Tokens.Length - whole.PromptLength));
            Assert.Equal(whole.Tokens[whole.PromptLength..(whole.PromptLength + kept)], example.Tokens[example.PromptLength..]);
            Assert.Equal(whole.Tokens[(whole.PromptLength - example.PromptLength + 1)..whole.PromptLength], example.Tokens[1..example.PromptLength]);
            Assert.Equal(Tokenizer.BosId, example.Tokens[0]);
            Assert.InRange(example.ResponseBytes, 0, whole.ResponseBytes);
        });

    [Fact]
    public void Prepared_data_counts_the_cut_records()
    {
        DataRecord Record(string id, string response, Split split) => new(id, null, "b", response, split);
        var data = new InstitutionData("x",
            [Record("1", "c", Split.Train), Record("2", "b b b b b b b b", Split.Train)], [Record("3", "c", Split.Val)], [Record("4", "c c c c c c c c", Split.Test)]);
        var prepared = PreparedData.From(data, Tokenizer, 10);
        Assert.Equal(2, prepared.CutRecords);
        Assert.Equal((2, 1, 1, 4), (prepared.Train.Count, prepared.Val.Count, prepared.Test.Count, prepared.Records));
    }

    [Fact]
    public void A_prompt_for_generation_is_whole_or_refused()
    {
        Assert.Equal(["<s>", "▁", "b", "<0x0A>"], Names(new ExampleBuilder(Tokenizer, 10).BuildPrompt("b")));
        Assert.Equal(["<s>", "▁", "b", "▁", "b", "▁", "b", "<0x0A>"], Names(new ExampleBuilder(Tokenizer, 9).BuildPrompt("b b b")));
        Assert.Contains("has 8 tokens, and the model's context is 8. Shorten it", Assert.Throws<ArgumentException>(() => new ExampleBuilder(Tokenizer, 8).BuildPrompt("b b b")).Message, StringComparison.Ordinal);
    }

    private static string[] Names(int[] tokens) => [.. tokens.Select(id => Tokenizer.Pieces[id].Text)];
}

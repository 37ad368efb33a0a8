using CsCheck;
using FedChain.Learning.Data;
using FedChain.Learning.Tokenization;
using FedChain.Node.Data;
using FedChain.Node.Models;

namespace FedChain.Node.Tests.Data;

public sealed class DataCheckTests : IDisposable
{
    private static readonly string[] Splits = ["train", "val", "test"];

    private readonly string _file = Path.Combine(Path.GetTempPath(), $"fedchain-{Guid.NewGuid():N}.jsonl");

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void Good_records_are_counted_and_nothing_is_found()
    {
        var report = Check(
            """{"prompt":"ab","response":"abcd","split":"train","document":"d1"}""",
            """{"prompt":"abc","response":"abcde","split":"train","document":"d1"}""",
            """{"prompt":"abcd","response":"abcdef","split":"val","document":"d2"}""",
            "",
            """{"prompt":"abcde","response":"abcdefg","split":"test","document":"d3"}""");
        Assert.True(report.Ok);
        Assert.Empty(report.Problems);
        Assert.Equal((4, 2, 1, 1, 3, "file"), (report.Records, report.Train, report.Validation, report.Test, report.Documents, report.SplitBy));
        Assert.Equal(new LengthSummary(2, 3, 5, 5), report.Characters!.Prompt);
        Assert.Equal(new LengthSummary(4, 5, 7, 7), report.Characters.Response);
    }

    [Fact]
    public void Every_bad_line_is_named_not_only_the_first()
    {
        var report = Check("""{"prompt":"a","response":"b","split":"train"}""", "no json", """{"prompt":"a"}""", """{"prompt":"a","response":" "}""", """{"prompt":"c","response":"d"}""");
        Assert.False(report.Ok);
        Assert.Equal([2, 3, 4, 5], report.Problems.Where(p => p.Line > 0).Select(p => p.Line));
        Assert.All(report.Problems.Where(p => p.Line > 0), p => Assert.Contains($"line {p.Line}", p.Text, StringComparison.Ordinal));
        Assert.Equal(1, report.Records);
    }

    [Fact]
    public void What_would_let_a_test_see_what_was_trained_on_is_a_problem()
    {
        var report = Check(
            """{"prompt":"a","response":"b","split":"train","document":"d1"}""",
            """{"prompt":"a","response":"b","split":"test","document":"d2"}""",
            """{"prompt":"c","response":"d","split":"val","document":"d1"}""",
            """{"prompt":"e","response":"f","split":"train","document":"d3"}""");
        Assert.Equal([2, 3], report.Problems.Select(p => p.Line));
        Assert.All(report.Problems, p => Assert.True(p.IsError));
        Assert.Contains("line 1", report.Problems[0].Text, StringComparison.Ordinal);
        Assert.Contains("'d1' is in train on line 1 and in val", report.Problems[1].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Duplicates_within_a_split_shared_ids_and_empty_prompts_are_remarks()
    {
        var report = Check(
            """{"id":1,"prompt":"a","response":"b","split":"train"}""",
            """{"id":2,"prompt":"a","response":"b","split":"train"}""",
            """{"id":1,"prompt":"","response":"c","split":"val"}""",
            """{"id":4,"prompt":"d","response":"e","split":"test"}""");
        Assert.True(report.Ok);
        Assert.Equal([2, 3, 3], report.Problems.Select(p => p.Line));
    }

    [Fact]
    public void Too_little_is_said_before_training_says_it()
    {
        Assert.Contains("records to test on", Assert.Single(Check("""{"prompt":"a","response":"b","split":"train"}""").Problems).Text, StringComparison.Ordinal);
        var one = Check("""{"id":"x","prompt":"a","response":"b","split":"train"}""", """{"prompt":"c","response":"d","split":"test"}""");
        Assert.Contains("at least two documents", Assert.Single(one.Problems).Text, StringComparison.Ordinal);
        Assert.Throws<InvalidDataException>(() => InstitutionData.Load(_file));
        Assert.False(Check().Ok);
    }

    [Fact]
    public void What_the_check_passes_training_loads_with_the_same_counts() =>
        Gen.Int[0, 2].Array[0, 12].Sample(
            rows =>
            {
                var report = Check([.. rows.Select((r, i) => $$"""{"prompt":"p{{i}}","response":"r","document":"d{{i}}","split":"{{Splits[r]}}"}""")]);
                var loads = Record.Exception(() => InstitutionData.Load(_file)) is null;
                Assert.Equal(loads, report.Ok);
            },
            iter: 50, threads: 1);

    [Fact]
    public void The_cut_is_the_one_that_training_makes()
    {
        var tokenizer = SentencePieceTokenizer.LoadFrom(BaseModel.Own);
        const int Context = 24;
        string Long(int words) => string.Join(' ', Enumerable.Repeat("fever", words));
        var report = Check(
            new RecordTokens(tokenizer, Context),
            $$"""{"prompt":"fever","response":"fever","split":"train"}""", $$"""{"prompt":"{{Long(40)}}","response":"{{Long(30)}}","split":"val"}""", $$"""{"prompt":"{{Long(2)}}","response":"{{Long(50)}}","split":"test"}""");
        var data = PreparedData.From(InstitutionData.Load(_file), tokenizer, Context);
        var tokens = report.Tokenized!;
        Assert.Equal(data.CutRecords, tokens.CutRecords);
        Assert.Equal(2, tokens.CutRecords);
        var whole = PreparedData.From(InstitutionData.Load(_file), tokenizer, 100_000);
        var lost = whole.Val[0].Tokens.Length + whole.Test[0].Tokens.Length - (data.Val[0].Tokens.Length + data.Test[0].Tokens.Length);
        Assert.Equal(lost / (double)(whole.Train[0].Tokens.Length + whole.Val[0].Tokens.Length + whole.Test[0].Tokens.Length), tokens.LostShare, precision: 12);
        Assert.Equal(Context, data.Val[0].Tokens.Length);
    }

    [Fact]
    public void Percentiles_are_lengths_that_occur() => Gen.Int[0, 1000].Array[1, 60].Sample(lengths =>
    {
        var summary = LengthSummary.Of(lengths);
        Assert.Equal((lengths.Min(), lengths.Max()), (summary.Minimum, summary.Maximum));
        Assert.True(lengths.Count(l => l <= summary.Percentile95) >= 0.95 * lengths.Length);
        Assert.True(lengths.Count(l => l < summary.Percentile95) < 0.95 * lengths.Length);
        Assert.True(lengths.Count(l => l <= summary.Median) >= 0.5 * lengths.Length);
        Assert.Contains(summary.Median, lengths);
    });

    private DataReport Check(params string[] lines) => Check(tokens: null, lines);

    private DataReport Check(RecordTokens? tokens, params string[] lines)
    {
        File.WriteAllLines(_file, lines);
        return DataCheck.Of(RecordFile.Scan(_file), tokens);
    }
}

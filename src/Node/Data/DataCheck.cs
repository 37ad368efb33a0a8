using System.Collections.Immutable;
using FedChain.Learning.Data;

namespace FedChain.Node.Data;

/// <summary>Something about a record file that a person should know.</summary>
/// <param name="Line">From 1; 0 where it is about the file.</param>
/// <param name="IsError">Whether it has to be mended before training; else it is a remark.</param>
public sealed record DataProblem(int Line, bool IsError, string Text);

/// <summary>A list of lengths in a few numbers. The 95th percentile is the smallest length that at least 95 in 100 don't exceed.</summary>
public sealed record LengthSummary(int Minimum, int Median, int Percentile95, int Maximum)
{
    /// <param name="lengths">At least one.</param>
    public static LengthSummary Of(IEnumerable<int> lengths)
    {
        var sorted = lengths.Order().ToArray();
        return new LengthSummary(sorted[0], sorted[Rank(50)], sorted[Rank(95)], sorted[^1]);

        int Rank(int percent) => Math.Max(0, (((sorted.Length * percent) + 99) / 100) - 1);
    }
}

/// <summary>Lengths of prompts and responses, in one unit.</summary>
public sealed record TextLengths(LengthSummary Prompt, LengthSummary Response);

/// <param name="Context">The model's, in tokens.</param>
/// <param name="Tokens">With the marks that stand before, between and after.</param>
/// <param name="CutRecords">Records longer than the context.</param>
/// <param name="LostTokens">How many tokens of those are cut off, each.</param>
/// <param name="LostShare">Of all tokens, from 0 to 1.</param>
public sealed record TokenLengths(int Context, TextLengths Tokens, int CutRecords, LengthSummary? LostTokens, double LostShare);

/// <param name="Records">How many lines are records.</param>
/// <param name="SplitBy">file: each record says; hash: of the document, else the id, else the prompt.</param>
/// <param name="ValidationIsLent">There are no validation records, so a tenth of the training documents serves as such.</param>
/// <param name="Tokenized">Null if no model was named.</param>
public sealed record DataReport(
    int Records, string SplitBy, int Train, int Validation, int Test, bool ValidationIsLent, int Documents,
    TextLengths? Characters, TokenLengths? Tokenized, ImmutableArray<DataProblem> Problems)
{
    public bool Ok => !Problems.Any(p => p.IsError);
}

/// <summary>Looks at an institution's records before they are trained on: what is there, what would be cut, what would make a measurement lie.</summary>
public static class DataCheck
{
    /// <summary>Checks all lines of a file, as <see cref="RecordFile.Scan"/> gives them.</summary>
    /// <param name="lines">The file.</param>
    /// <param name="tokenize">Counts tokens with the model that will be trained; null without one.</param>
    public static DataReport Of(IEnumerable<RecordLine> lines, RecordTokens? tokenize)
    {
        var problems = new List<DataProblem>();
        var records = new List<(int Line, DataRecord Record)>();
        var hasSplit = false;
        foreach (var line in lines)
        {
            if (line.Record is { } record)
            {
                records.Add((line.Line, record));
                hasSplit |= line.HasSplit;
            }
            else
            {
                problems.Add(new DataProblem(line.Line, IsError: true, line.Problem!.Message));
            }
        }

        var counts = records.CountBy(r => r.Record.Split).ToDictionary();
        var (train, val, test) = (counts.GetValueOrDefault(Split.Train), counts.GetValueOrDefault(Split.Val), counts.GetValueOrDefault(Split.Test));
        var documents = records.Where(r => r.Record.Split == Split.Train).Select(r => r.Record.Document ?? r.Record.Id).Distinct().Count();
        Amounts(problems, train, val, test, documents);
        Duplicates(problems, records);
        Overlaps(problems, records);
        problems.AddRange(records.Where(r => string.IsNullOrWhiteSpace(r.Record.Prompt)).Select(r => new DataProblem(r.Line, IsError: false, "the prompt is empty; the model learns to write the response out of nothing")));
        return new DataReport(
            records.Count, hasSplit ? "file" : "hash", train, val, test, val == 0 && train > 0, records.Select(r => r.Record.Document ?? r.Record.Id).Distinct().Count(),
            records.Count == 0 ? null : new TextLengths(LengthSummary.Of(records.Select(r => r.Record.Prompt.Length)), LengthSummary.Of(records.Select(r => r.Record.Response.Length))),
            records.Count == 0 ? null : tokenize?.Measure(records.Select(r => r.Record)), [.. problems.OrderBy(p => p.Line).ThenByDescending(p => p.IsError)]);
    }

    /// <summary>What <see cref="InstitutionData"/> asks for.</summary>
    private static void Amounts(List<DataProblem> problems, int train, int val, int test, int documents)
    {
        if (train == 0 || test == 0)
        {
            problems.Add(new DataProblem(0, IsError: true,
                $"expected records to train on and records to test on; there are {train} train, {val} val and {test} test. Mark them with \"split\", or add documents: without a \"split\", a hash puts about every tenth document into test"));
        }
        else if (val == 0 && documents < 2)
        {
            problems.Add(new DataProblem(0, IsError: true, "expected at least two documents to train on, one of which serves for validation; there is one"));
        }
        else if (val == 0)
        {
            problems.Add(new DataProblem(0, IsError: false, "there are no validation records, so a tenth of the training documents serves as such"));
        }
    }

    /// <summary>The same prompt and response: a remark within a split; between splits, what is tested on was trained on.</summary>
    private static void Duplicates(List<DataProblem> problems, List<(int Line, DataRecord Record)> records)
    {
        var firsts = new Dictionary<(string, string), (int Line, Split Split)>();
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (line, record) in records)
        {
            if (!firsts.TryAdd((record.Prompt, record.Response), (line, record.Split)))
            {
                var first = firsts[(record.Prompt, record.Response)];
                problems.Add(first.Split == record.Split
                    ? new DataProblem(line, IsError: false, $"the same prompt and response as on line {first.Line}")
                    : new DataProblem(line, IsError: true, $"the same prompt and response as on line {first.Line}, but that is in {Name(first.Split)} and this in {Name(record.Split)}: what is measured would have been seen. Remove one"));
            }
            else if (!ids.TryAdd(record.Id, line))
            {
                problems.Add(new DataProblem(line, IsError: false, $"the id '{record.Id}' is also that of line {ids[record.Id]}"));
            }
        }
    }

    /// <summary>One document in several splits, which only a file that gives the splits can have.</summary>
    private static void Overlaps(List<DataProblem> problems, List<(int Line, DataRecord Record)> records)
    {
        foreach (var document in records.Where(r => r.Record.Document is not null).GroupBy(r => r.Record.Document!, StringComparer.Ordinal))
        {
            var first = document.First();
            var other = document.FirstOrDefault(r => r.Record.Split != first.Record.Split);
            if (other.Record is not null)
            {
                problems.Add(new DataProblem(other.Line, IsError: true,
                    $"the document '{document.Key}' is in {Name(first.Record.Split)} on line {first.Line} and in {Name(other.Record.Split)} here: what is measured would have been seen in part. Put each document into one split"));
            }
        }
    }

    private static string Name(Split split) => split switch
    {
        Split.Train => "train",
        Split.Val => "val",
        _ => "test",
    };
}

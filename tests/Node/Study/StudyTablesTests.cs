using FedChain.Node.Study;
using Microsoft.VisualBasic.FileIO;

namespace FedChain.Node.Tests.Study;

public sealed class StudyTablesTests
{
    [Fact]
    public void What_failed_is_told_for_the_method_the_run_and_the_seeds()
    {
        var text = StudyTables.Markdown(Report("fedit") with
        {
            Seeds = 3,
            NoResults = [new("krum", "no round made an aggregate")],
            Troubles = [new("krum, seed 1", "krum", 1, "no round made an aggregate", 0, 2, null), new("fedit, seed 2", "fedit", 2, null, 4, 1, "b: The gradient is no number.")],
            Attacks = [new("fedit", "1 x Scale", double.NaN, 0.5, "diverged")],
            Tuning = [new("fedit", 0.5, double.NaN, false)],
        });

        Assert.Contains("\n| fedit (1 of 3 seeds) | 0.100 |", text, StringComparison.Ordinal);
        Assert.Contains("\n| krum | no result |", text, StringComparison.Ordinal);
        Assert.Contains("\n| krum, seed 1 | none | 0 | 2 | no round made an aggregate |", text, StringComparison.Ordinal);
        Assert.Contains("\n| fedit, seed 2 | yes | 4 | 1 | b: The gradient is no number. |", text, StringComparison.Ordinal);
        Assert.Contains("\n| fedit | 1 x Scale | - | 0.500 | - |", text, StringComparison.Ordinal);
        Assert.Contains("\n| fedit | 0.5 | failed |  |", text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_mean_over_those_left_out_is_of_those_that_have_figures_and_says_so()
    {
        var text = StudyTables.Markdown(Report("fedit") with { Unseen = [new("fedit", "a", 0.2, 0.4), new("fedit", "b", double.NaN, 0.4), new("none", "a", double.NaN, double.NaN)] });
        Assert.Contains("\n| fedit | b | - | 0.400 | - |\n", text, StringComparison.Ordinal);
        Assert.Contains("\n| fedit | **mean of 1** | 0.200 | 0.400 | 50% |\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("| none | **mean", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_is_said_of_failures_where_there_are_none() =>
        Assert.DoesNotContain("What failed", StudyTables.Markdown(Report("fedit")), StringComparison.Ordinal);

    [Theory]
    [InlineData("personal, shared part", "a", "b")]
    [InlineData("fedit:rate=1", "St. Mary's, \"old\" wing", "two\nlines")]
    public void Any_name_is_a_field_of_its_own_in_gains_csv(string method, string first, string second)
    {
        using var parser = new TextFieldParser(new StringReader(Report(method, first, second).Csv())) { Delimiters = [","], HasFieldsEnclosedInQuotes = true, TrimWhiteSpace = false };
        Assert.Equal(["method", "model", "test", "gain_bits_per_byte"], parser.ReadFields()!);
        Assert.Equal([method, "global", first, "0.1000"], parser.ReadFields()!);
        Assert.Equal([method, "global", second, "0.1000"], parser.ReadFields()!);
        Assert.True(parser.EndOfData);
    }

    [Fact]
    public void A_bar_or_a_line_in_a_name_ends_no_cell()
    {
        var text = StudyTables.Markdown(Report("fedit", "a|b", "two\nlines"));
        Assert.Contains("\n| method | a\\|b | two lines |\n", text, StringComparison.Ordinal);
        Assert.Contains("| 0.100 (a\\|b) |", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_is_in_trouble_if_it_failed_lost_a_contribution_or_made_no_aggregate()
    {
        var run = new StudyRun(new StudyMethod.Federated("fedit", 0.1), 2);
        Assert.Null(RunTrouble.Of(run, Result([], [])));
        Assert.Equal(
            new("fedit, seed 2", "fedit", 2, null, 2, 1, "a: diverged"),
            RunTrouble.Of(run, Result(["a: diverged"], ["b: refused", "1 valid updates are fewer than the 3 that the rule needs: no aggregate."])));
        Assert.Equal("diverged", RunTrouble.Of(run, Result([]) with { Failure = "diverged" })!.Reason);
        Assert.StartsWith(
            "no round made an aggregate", RunTrouble.Of(run, Result(["0 valid updates are fewer than the 1 that the rule needs: no aggregate."]))!.Reason, StringComparison.Ordinal);
    }

    /// <summary>A round for each list of what was lost in it.</summary>
    private static RunResult Result(params string[][] lost) => new()
    {
        Fingerprint = "f",
        Name = "fedit",
        LearningRate = 0.1,
        Seed = 2,
        Seconds = 0,
        Participants = ["a", "b"],
        Rounds = [.. lost.Select((l, i) => new RoundResult(i + 1, new Dictionary<string, double>(), l))],
        Validation = new Dictionary<string, double>(),
        Tests = [],
    };

    /// <summary>Two institutions and one method, of one seed, whose global model gains 0.1 on either test.</summary>
    private static StudyReport Report(string method, string first = "a", string second = "b") => new()
    {
        Model = "model",
        ModelDigest = "m",
        DataDigest = "d",
        Budget = new(),
        Seeds = 1,
        Adapter = "rank 8",
        Institutions = [new(first, 8, 1, 1, 2), new(second, 8, 1, 1, 2)],
        Methods =
        [
            new()
            {
                Name = method,
                LearningRate = 0.1,
                Seeds = 1,
                Own = new(0.1, 0),
                Weakest = new(0.1, 0),
                WeakestInstitution = first,
                Unevenness = 0,
                Gains = new Dictionary<string, double> { [first] = 0.1, [second] = 0.1 },
                Matrix = new Dictionary<string, IReadOnlyDictionary<string, double>> { ["global"] = new Dictionary<string, double> { [first] = 0.1, [second] = 0.1 } },
            },
        ],
        Reference = method,
        Comparisons = new Dictionary<string, Comparison>(),
        Curves = [],
        Tuning = [],
    };
}

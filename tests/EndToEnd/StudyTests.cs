using System.Text.Json;
using FedChain.Learning.Data.Generated;

namespace FedChain.EndToEnd.Tests;

public sealed class StudyTests
{
    private static readonly string[] Small =
    [
        "--seeds", "1", "--rounds", "2", "--steps", "4", "--batch", "2", "--context", "64", "--test-records", "4", "--validation-records", "2", "--rank", "2",
    ];

    private static string Model => Path.Combine(AppContext.BaseDirectory, "models", "base");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_study_compares_methods_and_what_was_done_is_not_done_again()
    {
        using var folder = new TemporaryFolder();
        SpecialtyCorpora.WriteTo(folder["data"], seed: 1, institutions: 3);
        string[] study = ["study", "--data", folder["data"], "--model", Model, "--output", folder["study"], .. Small];

        var first = await Fedchain.RunAsync([.. study, "--methods", "alone", "fedit", "fedit:remember=1", "personal", "fedex:share=0.5", "--workers", "2"]);
        Assert.True(first.ExitCode == 0, first.ToString());
        Assert.Contains("[6/6]", first.Output, StringComparison.Ordinal);
        var report = Read();
        Assert.Equal(
            ["alone", "fedit", "fedit:remember=1", "personal, shared part", "personal", "fedex:share=0.5, shared part", "fedex:share=0.5"],
            report.GetProperty("methods").EnumerateArray().Select(m => m.GetProperty("name").GetString()));
        foreach (var method in report.GetProperty("methods").EnumerateArray())
        {
            Assert.Equal(3, method.GetProperty("gains").EnumerateObject().Count());
            Assert.NotEqual(0, method.GetProperty("own").GetProperty("mean").GetDouble());
        }

        // What a method says of itself makes a difference: memory, an own adapter beside the shared one, own steps after the shared ones.
        string OwnOf(string name) => report.GetProperty("methods").EnumerateArray().Single(m => m.GetProperty("name").GetString() == name).GetProperty("own").GetRawText();
        Assert.NotEqual(OwnOf("fedit"), OwnOf("fedit:remember=1"));
        Assert.NotEqual(OwnOf("personal, shared part"), OwnOf("personal"));
        Assert.NotEqual(OwnOf("fedex:share=0.5, shared part"), OwnOf("fedex:share=0.5"));

        foreach (var picture in new[] { "losses.png", "weakest.png", "gains-alone.png" })
        {
            Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G'], (await File.ReadAllBytesAsync(Path.Combine(folder["study"], picture), Cancellation))[..4]);
        }

        // More methods, one worker less: only what is new is done, and no figure changes.
        var second = await Fedchain.RunAsync([.. study, "--methods", "alone", "fedit", "fedit:remember=1", "personal", "fedex:share=0.5", "alone:rank=4", "fedit:rank=4", "--workers", "1"]);
        Assert.True(second.ExitCode == 0, second.ToString());
        Assert.Contains("[1/2] alone:rank=4", second.Output, StringComparison.Ordinal);
        Assert.Contains("[2/2] fedit:rank=4", second.Output, StringComparison.Ordinal);
        Assert.Equal(
            report.GetProperty("methods").EnumerateArray().Select(m => m.GetRawText()),
            Read().GetProperty("methods").EnumerateArray().Take(7).Select(m => m.GetRawText()));

        // Twice the rank is another training, and twice the bytes.
        var twice = Read().GetProperty("methods").EnumerateArray().TakeLast(2).ToList();
        Assert.NotEqual(OwnOf("alone"), twice[0].GetProperty("own").GetRawText());
        Assert.InRange(twice[1].GetProperty("bytesPerMember").GetDouble() / report.GetProperty("methods")[1].GetProperty("bytesPerMember").GetDouble(), 1.8, 2.2);

        // A study anew gives the same figures: nothing depends on when a run is done.
        var third = await Fedchain.RunAsync(["study", "--data", folder["data"], "--model", Model, "--output", folder["again"], .. Small, "--methods", "fedit", "--workers", "1"]);
        Assert.True(third.ExitCode == 0, third.ToString());
        Assert.Equal(
            report.GetProperty("methods")[1].GetRawText(), JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(folder["again"], "study.json"), Cancellation)).RootElement.GetProperty("methods")[0].GetRawText());

        JsonElement Read() => JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder["study"], "study.json"))).RootElement;
    }

    [Fact]
    public async Task Attacks_and_institutions_left_out_have_lines_of_their_own()
    {
        using var folder = new TemporaryFolder();
        SpecialtyCorpora.WriteTo(folder["data"], seed: 1, institutions: 3);
        var done = await Fedchain.RunAsync(
            ["study", "--data", folder["data"], "--model", Model, "--output", folder["study"], .. Small, "--methods", "fedit", "centralised", "--unseen", "--attackers", "1", "--workers", "2"]);

        Assert.True(done.ExitCode == 0, done.ToString());
        var report = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(folder["study"], "study.json"), Cancellation)).RootElement;
        Assert.Equal(
            [.. from method in new[] { "fedit", "centralised" } from institution in new[] { "cardiology", "dermatology", "nephrology" } select (method, institution)],
            report.GetProperty("unseen").EnumerateArray().Select(u => (u.GetProperty("method").GetString()!, u.GetProperty("institution").GetString()!)));
        var attacks = report.GetProperty("attacks").EnumerateArray().ToDictionary(a => a.GetProperty("attack").GetString()!, a => a.GetProperty("gain").GetDouble());
        Assert.Equal(["1 x SignFlip", "1 x Scale", "1 x Noise", "1 x LabelFlip", "1 x Copy"], attacks.Keys);
        Assert.True(attacks["1 x Scale"] < report.GetProperty("attacks")[0].GetProperty("cleanGain").GetDouble(), "A mean has nothing against an update a hundred times too large.");
        Assert.Contains("| fedit | 1 x SignFlip |", await File.ReadAllTextAsync(Path.Combine(folder["study"], "study.md"), Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_method_that_diverges_is_listed_with_its_reason_and_without_figures()
    {
        using var folder = new TemporaryFolder();
        SpecialtyCorpora.WriteTo(folder["data"], seed: 1, institutions: 3);
        var done = await Fedchain.RunAsync(
            ["study", "--data", folder["data"], "--model", Model, "--output", folder["study"], .. Small, "--methods", "fedit", "fedit:rate=1e30", "alone:rate=1e30", "--workers", "2"]);

        Assert.True(done.ExitCode == 0, done.ToString());
        var report = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(folder["study"], "study.json"), Cancellation)).RootElement;
        Assert.Equal("fedit", Assert.Single(report.GetProperty("methods").EnumerateArray()).GetProperty("name").GetString());
        var reasons = report.GetProperty("noResults").EnumerateArray().ToDictionary(n => n.GetProperty("method").GetString()!, n => n.GetProperty("reason").GetString()!);
        Assert.Equal(["fedit:rate=1e30", "alone:rate=1e30"], reasons.Keys);
        Assert.StartsWith("no round made an aggregate; the first: cardiology: ", reasons["fedit:rate=1e30"], StringComparison.Ordinal);
        Assert.Contains("no longer a finite number", reasons["alone:rate=1e30"], StringComparison.Ordinal);
        var lost = report.GetProperty("troubles")[0];
        Assert.Equal(("fedit:rate=1e30", 1, 6, 2), (lost.GetProperty("method").GetString(), lost.GetProperty("seed").GetInt32(), lost.GetProperty("lost").GetInt32(), lost.GetProperty("emptyRounds").GetInt32()));

        foreach (var text in new[] { done.Output, await File.ReadAllTextAsync(Path.Combine(folder["study"], "study.md"), Cancellation) })
        {
            Assert.Contains("## What failed", text, StringComparison.Ordinal);
            Assert.Contains("| fedit:rate=1e30 | no result |", text, StringComparison.Ordinal);
            Assert.Contains("| fedit:rate=1e30, seed 1 | none | 6 | 2 | no round made an aggregate", text, StringComparison.Ordinal);
            Assert.Contains("| alone:rate=1e30, seed 1 | none |", text, StringComparison.Ordinal);
            Assert.DoesNotContain("NaN", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Where_nothing_came_to_a_result_the_report_says_so_with_attacks_and_left_out_ones_too()
    {
        using var folder = new TemporaryFolder();
        SpecialtyCorpora.WriteTo(folder["data"], seed: 1, institutions: 2);
        var done = await Fedchain.RunAsync(
            ["study", "--data", folder["data"], "--model", Model, "--output", folder["study"], .. Small, "--methods", "fedit:rate=1e30", "centralised:rate=1e30", "--unseen", "--attackers", "1", "--workers", "2"]);

        done.RequireRefusal("No method came to a result");
        var report = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(folder["study"], "study.json"), Cancellation)).RootElement;
        Assert.Empty(report.GetProperty("methods").EnumerateArray());
        Assert.Equal(JsonValueKind.Null, report.GetProperty("reference").ValueKind);
        Assert.Equal(11, report.GetProperty("troubles").GetArrayLength()); // two methods, four times one left out, five attacks
        var text = await File.ReadAllTextAsync(Path.Combine(folder["study"], "study.md"), Cancellation);
        Assert.Contains("| centralised:rate=1e30 | cardiology | - | - | - |", text, StringComparison.Ordinal);
        Assert.Contains("| fedit:rate=1e30 | 1 x Copy | - | - | - |", text, StringComparison.Ordinal);
        Assert.DoesNotContain("NaN", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Runs_with_other_weights_in_one_folder_are_runs_of_their_own()
    {
        using var folder = new TemporaryFolder();
        SpecialtyCorpora.WriteTo(folder["data"], seed: 1, institutions: 3);
        string[] study = ["study", "--data", folder["data"], "--model", Model, "--output", folder["study"], .. Small, "--methods", "fedit", "--device", "cpu", "--workers", "1"];

        var first = (await Fedchain.RunAsync([.. study, "--weights", "f32"])).RequireDone();
        var narrow = (await Fedchain.RunAsync([.. study, "--weights", "bf16"])).RequireDone();
        var again = (await Fedchain.RunAsync([.. study, "--weights", "auto"])).RequireDone(); // on a CPU, float32
        Assert.Contains("[2/2]", narrow, StringComparison.Ordinal);
        Assert.DoesNotContain("[1/", again, StringComparison.Ordinal);
        Assert.Equal(4, Directory.GetFiles(Path.Combine(folder["study"], "runs")).Length);
        Assert.EndsWith(again, first, StringComparison.Ordinal);
        Assert.False(first.EndsWith(narrow[(narrow.IndexOf("# Study", StringComparison.Ordinal))..], StringComparison.Ordinal), "Weights in bfloat16 give other figures.");
    }

    [Theory]
    [InlineData("there are 3, and trimmed needs 5, krum needs 7.", "--methods", "fedit", "trimmed", "krum")]
    [InlineData("there are 2 with one left out by --unseen, and bucketed:momentum=500 needs 5.", "--methods", "fedit", "bucketed:momentum=500", "--unseen")]
    [InlineData("There is no method 'fedot'", "--methods", "fedot")]
    [InlineData("'share=2' changes nothing", "--methods", "personal:share=2")]
    [InlineData("alone:rank=3: alpha / rank stays 15 / 2", "--methods", "alone:rank=3", "--alpha", "15")]
    [InlineData("'rank=0' changes nothing", "--methods", "alone:rank=0")]
    [InlineData("'momentum=991' changes nothing", "--methods", "trimmed:momentum=991")]
    [InlineData("momentum (1 to 990 thousandths)", "--methods", "trimmed:momentum=991")]
    [InlineData("can't be divided among 5 rounds", "--methods", "fedit:rounds=5")]
    [InlineData("personal:share=0.7: 1 shared steps can't be divided among 2 rounds", "--methods", "alone", "personal:share=0.7")]
    [InlineData("centralised:share=0.9: 0 shared steps can't be divided among one round", "--methods", "alone", "centralised:share=0.9")]
    [InlineData("1 to 2 can be dishonest", "--attackers", "3")]
    [InlineData("fedex adds to the base model's weights", "--methods", "fedex", "--weights", "bf16")]
    [InlineData("context is 256 tokens", "--context", "512")]
    public async Task What_cannot_be_done_is_said(string expected, params string[] options)
    {
        using var folder = new TemporaryFolder();
        SpecialtyCorpora.WriteTo(folder["data"], seed: 1, institutions: 3);
        string[] small = options[0] == "--context" ? [.. Small.Where((_, i) => Small[i] != "--context" && (i == 0 || Small[i - 1] != "--context"))] : Small;
        var refused = await Fedchain.RunAsync(["study", "--data", folder["data"], "--model", Model, "--output", folder["study"], .. small, .. options]);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains(expected, refused.Errors, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["study"]), "It is said before the first run.");
    }

    [Fact]
    public async Task An_institution_with_the_shared_model_s_name_is_refused()
    {
        using var folder = new TemporaryFolder();
        SpecialtyCorpora.WriteTo(folder["data"], seed: 1, institutions: 2);
        File.Move(Path.Combine(folder["data"], "cardiology.jsonl"), Path.Combine(folder["data"], "global.jsonl"));
        var refused = await Fedchain.RunAsync(["study", "--data", folder["data"], "--model", Model, "--output", folder["study"], .. Small]);
        refused.RequireRefusal("An institution can't be called 'global'");
        Assert.False(Directory.Exists(folder["study"]));
    }

    [Fact]
    public async Task An_institution_without_a_test_split_is_named()
    {
        using var folder = new TemporaryFolder();
        SpecialtyCorpora.WriteTo(folder["data"], seed: 1, institutions: 2);
        await File.WriteAllLinesAsync(Path.Combine(folder["data"], "small.jsonl"), Enumerable.Range(0, 4).Select(i => $$"""{"id":"{{i}}","prompt":"a","response":"b","split":"train"}"""), Cancellation);
        var refused = await Fedchain.RunAsync(["study", "--data", folder["data"], "--model", Model, "--output", folder["study"], .. Small]);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("small.jsonl", refused.Errors, StringComparison.Ordinal);
        Assert.Contains("records to test on", refused.Errors, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["study"]));
    }
}

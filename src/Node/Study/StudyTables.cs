using System.Globalization;
using System.Text;

namespace FedChain.Node.Study;

/// <summary>A study's figures as Markdown.</summary>
internal static class StudyTables
{
    public static string Markdown(StudyReport report)
    {
        var text = new StringBuilder();
        Line($"# Study: {report.Institutions.Count} institutions, {report.Methods.Count} ways to train");
        Line("");
        Line($"Model {report.ModelDigest}; data {report.DataDigest}; adapter {report.Adapter}. "
            + $"{report.Budget.Steps} local steps of {report.Budget.BatchSize} records per institution, in {report.Budget.Rounds} rounds unless said otherwise. "
            + "Gains in bits per byte of the test responses against the untouched base model; ± is the standard deviation between seeds.");
        Line("");
        Headline();
        WhatFailed();
        PerInstitution();
        Tuning();
        Unseen();
        Attacks();
        return text.ToString();

        void Line(string line) => text.Append(line).Append('\n');

        void Headline()
        {
            Table(
                ["method", "own test", "others' tests", "weakest", "harmonic mean", "unevenness", "worst rise", "MB sent", report.Reference is { } reference ? $"own test less {reference}'s (95%)" : ""],
                report.Methods.Select(m => new[]
                {
                    m.Seeds == report.Seeds ? m.Name : $"{m.Name} ({m.Seeds} of {report.Seeds} seeds)", Of(m.Own), m.Others is { } others ? Of(others) : "", $"{Of(m.Weakest)} ({m.WeakestInstitution})", m.Harmonic is { } h ? Number(h) : "-", Number(m.Unevenness),
                    m.WorstRise is { } rise ? $"{(rise * 100).ToString("F1", CultureInfo.InvariantCulture)}%" : "", m.BytesPerMember == 0 ? "" : (m.BytesPerMember / 1e6).ToString("F2", CultureInfo.InvariantCulture),
                    report.Comparisons.TryGetValue(m.Name, out var c) ? $"{Signed(c.Difference)} ({Signed(c.Low)} to {Signed(c.High)})" : "",
                }).Concat(report.NoResults.Select(n => new[] { n.Method, "no result", "", "", "", "", "", "", "" })));
        }

        void WhatFailed()
        {
            if (report.Troubles.Count > 0)
            {
                Line("## What failed");
                Line("");
                Table(
                    ["run", "result", "contributions lost", "rounds without aggregate", "why, or the first of the reasons"],
                    report.Troubles.Select(t => new[]
                    {
                        t.Run, t.Reason is null ? "yes" : "none", t.Lost.ToString(CultureInfo.InvariantCulture), t.EmptyRounds.ToString(CultureInfo.InvariantCulture), t.Reason ?? t.FirstLost ?? "",
                    }));
            }
        }

        void PerInstitution()
        {
            Line("## Gain on the own test, by institution");
            Line("");
            Table(
                ["method", .. report.Institutions.Select(i => i.Name)],
                report.Methods.Select(m => new[] { m.Name }.Concat(report.Institutions.Select(i => m.Gains.TryGetValue(i.Name, out var gain) ? Number(gain) : "")).ToArray())
                    .Prepend(["*base, bits per byte*", .. report.Institutions.Select(i => Number(i.Base))])
                    .Prepend(["*training records*", .. report.Institutions.Select(i => i.TrainRecords.ToString(CultureInfo.InvariantCulture))]));
        }

        void Tuning()
        {
            if (report.Tuning.Count > 0)
            {
                Line("## Learning rates, by validation records");
                Line("");
                Table(["method", "learning rate", "bits per byte", "chosen"], report.Tuning.Select(t => new[] { t.Method, t.LearningRate.ToString("g3", CultureInfo.InvariantCulture), double.IsNaN(t.Validation) ? "failed" : Number(t.Validation), t.Chosen ? "yes" : "" }));
            }
        }

        void Unseen()
        {
            if (report.Unseen.Count > 0)
            {
                Line("## Institutions that took no part");
                Line("");
                Table(
                    ["method", "institution", "gain unseen", "gain seen", "share"],
                    report.Unseen.Select(u => new[] { u.Method, u.Institution, Number(u.Gain), Number(u.SeenGain), Percent(u.Gain / u.SeenGain) })
                        .Concat(report.Unseen.Where(u => double.IsFinite(u.Gain + u.SeenGain)).GroupBy(u => u.Method).Select(g => new[]
                        {
                            g.Key, g.Count() == report.Institutions.Count ? "**mean**" : $"**mean of {g.Count()}**", Number(g.Average(u => u.Gain)), Number(g.Average(u => u.SeenGain)), Percent(g.Average(u => u.Gain) / g.Average(u => u.SeenGain)),
                        })));
            }
        }

        void Attacks()
        {
            if (report.Attacks.Count > 0)
            {
                Line("## Dishonest members: mean gain of the honest ones");
                Line("");
                Table(
                    ["method", "attack", "gain", "without attack", "kept"],
                    report.Attacks.Select(a => new[] { a.Method, a.Attack, Number(a.Gain), Number(a.CleanGain), Percent(a.Gain / a.CleanGain) }));
            }
        }

        void Table(string[] head, IEnumerable<string[]> rows)
        {
            Line($"| {string.Join(" | ", head.Select(Cell))} |");
            Line($"| --- |{string.Concat(Enumerable.Repeat(" ---: |", head.Length - 1))}");
            foreach (var row in rows)
            {
                Line($"| {string.Join(" | ", row.Select(Cell))} |");
            }

            Line("");
        }
    }

    /// <summary>A text as a cell: no end of one in it, and no end of the row.</summary>
    private static string Cell(string text) => text.ReplaceLineEndings(" ").Replace("|", "\\|");

    private static string Number(double value) => double.IsFinite(value) ? value.ToString("F3", CultureInfo.InvariantCulture) : "-";

    private static string Signed(double value) => Math.Round(value, 3).ToString("+0.000;-0.000;0.000", CultureInfo.InvariantCulture);

    private static string Percent(double value) => double.IsFinite(value) ? (value * 100).ToString("F0", CultureInfo.InvariantCulture) + "%" : "-";

    private static string Of(Spread value) => value.Deviation == 0 ? Number(value.Mean) : $"{Number(value.Mean)} ± {Number(value.Deviation)}";
}

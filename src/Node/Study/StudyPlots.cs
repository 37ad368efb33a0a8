using ScottPlot;

namespace FedChain.Node.Study;

/// <summary>A study's pictures: losses over the rounds, gains on every test, and the weakest institution's gain.</summary>
internal static class StudyPlots
{
    private const int Width = 900;
    private const int Height = 520;
    private const int SlantedLabels = 110;

    public static void Write(StudyReport report, string folder)
    {
        Losses(report, Path.Combine(folder, "losses.png"));
        if (report.Methods.Count > 0)
        {
            Weakest(report, Path.Combine(folder, "weakest.png"));
        }

        foreach (var method in report.Methods.Where(m => m.Matrix.Count > 1))
        {
            HeatMap(report, method, Path.Combine(folder, $"gains-{RunStore.FileName(method.Name)}.png"));
        }
    }

    /// <summary>Mean validation loss after each round, with the spread over institutions as a band.</summary>
    private static void Losses(StudyReport report, string path)
    {
        var plot = new Plot();
        plot.Title("Validation loss over the rounds (band: spread of the change over institutions)");
        plot.XLabel("local steps done");
        plot.YLabel("bits per byte, mean over institutions");
        var palette = new ScottPlot.Palettes.Category10();
        foreach (var (i, curve) in report.Curves.Index())
        {
            var band = plot.Add.FillY([.. curve.Points.Select(p => (p.Steps, p.Mean - p.Deviation, p.Mean + p.Deviation))]);
            var line = plot.Add.Scatter(curve.Points.Select(p => p.Steps).ToArray(), curve.Points.Select(p => p.Mean).ToArray());
            line.LegendText = curve.Method;
            line.LineWidth = 2;
            line.Color = palette.GetColor(i);
            band.FillColor = line.Color.WithAlpha(0.12);
            band.LineWidth = 0;
        }

        plot.ShowLegend(Alignment.UpperRight);
        plot.SavePng(path, Width, Height);
    }

    /// <summary>Per method: what the weakest institution gains, beside the mean.</summary>
    private static void Weakest(StudyReport report, string path)
    {
        var plot = new Plot();
        plot.Title("Gain on the own test: mean over institutions, and the weakest one");
        plot.YLabel("bits per byte gained");
        var ticks = new List<Tick>();
        for (var i = 0; i < report.Methods.Count; i++)
        {
            var method = report.Methods[i];
            Bar(i * 3, method.Own, Colors.SteelBlue);
            Bar((i * 3) + 1, method.Weakest, Colors.DarkOrange);
            ticks.Add(new Tick((i * 3) + 0.5, method.Name));
        }

        plot.Axes.Bottom.TickGenerator = new ScottPlot.TickGenerators.NumericManual([.. ticks]);
        Slant(plot);
        plot.Axes.Margins(bottom: 0, top: 0.3); // room for the legend
        plot.Legend.ManualItems.Add(new LegendItem { LabelText = "mean", FillColor = Colors.SteelBlue });
        plot.Legend.ManualItems.Add(new LegendItem { LabelText = "weakest", FillColor = Colors.DarkOrange });
        plot.ShowLegend(Alignment.UpperRight);
        plot.SavePng(path, Width, Height);

        void Bar(double at, Spread value, Color color)
        {
            var bar = plot.Add.Bar(at, value.Mean, value.Deviation);
            bar.Color = color;
        }
    }

    /// <summary>Whose model (rows) gains how much on whose test (columns).</summary>
    private static void HeatMap(StudyReport report, MethodSummary method, string path)
    {
        var names = report.Institutions.Select(i => i.Name).ToList();
        var rows = method.Matrix.Keys.ToList();
        var values = new double[rows.Count, names.Count];
        var plot = new Plot();
        var cells = new List<(double Gain, ScottPlot.Plottables.Text Text)>();
        for (var r = 0; r < rows.Count; r++)
        {
            for (var c = 0; c < names.Count; c++)
            {
                values[r, c] = method.Matrix[rows[r]].TryGetValue(names[c], out var gain) ? gain : double.NaN;
                if (!double.IsNaN(values[r, c]))
                {
                    var text = plot.Add.Text(values[r, c].ToString("F2", System.Globalization.CultureInfo.InvariantCulture), c, rows.Count - 1 - r);
                    text.Alignment = Alignment.MiddleCenter;
                    text.LabelFontSize = 12;
                    cells.Add((values[r, c], text));
                }
            }
        }

        var map = plot.Add.Heatmap(values);
        map.Colormap = new ScottPlot.Colormaps.Balance();
        var most = values.Cast<double>().Where(v => !double.IsNaN(v)).Max(Math.Abs);
        map.ManualRange = new(-most, most);
        cells.ForEach(cell => cell.Text.LabelFontColor = Math.Abs(cell.Gain) > 0.6 * most ? Colors.White : Colors.Black);
        plot.MoveToBottom(map);
        plot.Add.ColorBar(map).Label = "bits per byte gained";
        plot.Title($"{method.Name}: model of the row on the test of the column");
        plot.Axes.Bottom.TickGenerator = new ScottPlot.TickGenerators.NumericManual([.. names.Select((n, i) => new Tick(i, n))]);
        Slant(plot);
        plot.Axes.Left.TickGenerator = new ScottPlot.TickGenerators.NumericManual([.. rows.Select((n, i) => new Tick(rows.Count - 1 - i, n))]);
        plot.HideGrid();
        plot.SavePng(path, Width, Height + 80);
    }

    /// <summary>Labels of the lower axis at an angle, with room for them.</summary>
    private static void Slant(Plot plot)
    {
        plot.Axes.Bottom.TickLabelStyle.Rotation = 30;
        plot.Axes.Bottom.TickLabelStyle.Alignment = Alignment.MiddleLeft;
        plot.Axes.Bottom.MinimumSize = SlantedLabels;
        plot.Axes.Right.MinimumSize = SlantedLabels;
    }
}

namespace FedChain.Node.Study;

/// <summary>A mean over seeds, and the standard deviation between them (0 with one seed).</summary>
public readonly record struct Spread(double Mean, double Deviation)
{
    public static Spread Of(IEnumerable<double> values)
    {
        var list = values.ToList();
        var mean = list.Average();
        return new(mean, list.Count == 1 ? 0 : Math.Sqrt(list.Sum(v => (v - mean) * (v - mean)) / (list.Count - 1)));
    }
}

/// <summary>
/// A method's figures over all seeds. Gains are in bits per byte of test text, against the untouched base model.
/// </summary>
public sealed record MethodSummary
{
    public required string Name { get; init; }

    public required double LearningRate { get; init; }

    public required int Seeds { get; init; }

    /// <summary>Mean over institutions of the gain on the own test, by the model that the institution ends up with.</summary>
    public required Spread Own { get; init; }

    /// <summary>Mean over all pairs of different institutions of the gain of one's model on the other's test; null for models that nobody else sees.</summary>
    public Spread? Others { get; init; }

    /// <summary>The least gain of an institution on its own test.</summary>
    public required Spread Weakest { get; init; }

    /// <summary>Whose that is, over all seeds together.</summary>
    public required string WeakestInstitution { get; init; }

    /// <summary>Harmonic mean of the own gains; null where one isn't positive.</summary>
    public double? Harmonic { get; init; }

    /// <summary>Standard deviation of the own gains between institutions.</summary>
    public required double Unevenness { get; init; }

    /// <summary>The worst rise of the mean validation loss from a round to the next, as a share; negative if it always fell. Null without rounds.</summary>
    public double? WorstRise { get; init; }

    /// <summary>Bytes of updates that a member sends in all rounds, before encryption.</summary>
    public long BytesPerMember { get; init; }

    /// <summary>Own gain by institution.</summary>
    public required IReadOnlyDictionary<string, double> Gains { get; init; }

    /// <summary>The gain of the row's model (or the global one) on the column's test; by names.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyDictionary<string, double>> Matrix { get; init; }
}

/// <summary>Figures from runs.</summary>
internal static class StudySummary
{
    /// <summary>The method with the models that institutions end up with: personal ones where they have them, the global one else.</summary>
    public static MethodSummary Of(RunResult baseline, IReadOnlyList<RunResult> seeds, bool personal, string? name = null)
    {
        var names = seeds[0].Participants;
        var gains = seeds.Select(run => names.ToDictionary(i => i, i => Gain(baseline, run, ModelOf(run, i, personal), i))).ToList();
        var mean = names.ToDictionary(i => i, i => gains.Average(g => g[i]));
        var matrix = seeds[0].Tests.Select(t => t.Model).Distinct().Where(m => personal || m == TestResult.Global || seeds[0].Tests.All(t => t.Model != TestResult.Global))
            .ToDictionary(m => m, m => (IReadOnlyDictionary<string, double>)seeds[0].Tests.Where(t => t.Model == m).ToDictionary(t => t.Institution, t => seeds.Average(run => Gain(baseline, run, m, t.Institution))));
        var others = seeds.Select(run => Others(baseline, run, personal)).ToList();
        return new()
        {
            Name = name ?? seeds[0].Name,
            LearningRate = seeds[0].LearningRate,
            Seeds = seeds.Count,
            Own = Spread.Of(gains.Select(g => g.Values.Average())),
            Others = others[0] is null ? null : Spread.Of(others.Select(o => o!.Value)),
            Weakest = Spread.Of(gains.Select(g => g.Values.Min())),
            WeakestInstitution = mean.MinBy(g => g.Value).Key,
            Harmonic = mean.Values.All(g => g > 0) ? mean.Count / mean.Values.Sum(g => 1 / g) : null,
            Unevenness = Spread.Of(mean.Values).Deviation,
            WorstRise = seeds.Max(WorstRise),
            BytesPerMember = seeds[0].BytesPerMember,
            Gains = mean,
            Matrix = matrix,
        };
    }

    /// <summary>Bits per byte gained on an institution's test.</summary>
    public static double Gain(RunResult baseline, RunResult run, string model, string institution) =>
        baseline.Test(TestResult.Global, institution).BitsPerByte - run.Test(model, institution).BitsPerByte;

    /// <summary>The model that an institution ends up with.</summary>
    public static string ModelOf(RunResult run, string institution, bool personal) =>
        personal && run.Tests.Any(t => t.Model == institution) || run.Tests.All(t => t.Model != TestResult.Global) ? institution : TestResult.Global;

    private static double? Others(RunResult baseline, RunResult run, bool personal)
    {
        var pairs = run.Participants.SelectMany(i => run.Participants.Where(j => j != i).Select(j => (Model: ModelOf(run, i, personal), j))).ToList();
        return pairs.All(p => run.Tests.Any(t => t.Model == p.Model && t.Institution == p.j)) ? pairs.Average(p => Gain(baseline, run, p.Model, p.j)) : null;
    }

    private static double? WorstRise(RunResult run)
    {
        var means = run.Rounds.Select(r => r.Validation.Values.Average()).ToList();
        return means.Count < 2 ? null : Enumerable.Range(1, means.Count - 1).Max(r => (means[r] / means[r - 1]) - 1);
    }
}

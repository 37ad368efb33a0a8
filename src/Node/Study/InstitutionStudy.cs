using FedChain.Node.Models;
using FedChain.Protocol.Files;

namespace FedChain.Node.Study;

/// <summary>What a study does.</summary>
internal sealed record StudyOptions
{
    /// <summary>A folder of institutions.</summary>
    public required string Data { get; init; }

    /// <summary>The base model's folder.</summary>
    public required string Model { get; init; }

    /// <summary>Where runs and report go.</summary>
    public required string Output { get; init; }

    /// <summary>What is compared; the base model is always there.</summary>
    public required IReadOnlyList<StudyMethod> Methods { get; init; }

    /// <summary>Seeds 1 to this.</summary>
    public int Seeds { get; init; } = 3;

    /// <summary>Whether learning rates are searched for on validation records first.</summary>
    public bool Tune { get; init; }

    /// <summary>Whether each institution is left out of the training in turn.</summary>
    public bool Unseen { get; init; }

    /// <summary>How many dishonest members are tried: each number with every attack.</summary>
    public IReadOnlyList<int> Attackers { get; init; } = [];

    public StudyBudget Budget { get; init; } = new();

    public required AdapterConfig Adapter { get; init; }

    /// <summary>Where each worker's model runs, and how its weights are held; with more workers than one, one thread each.</summary>
    public required ModelPlacement Placement { get; init; }

    /// <summary>Runs side by side.</summary>
    public int Workers { get; init; } = 1;
}

/// <summary>Tunes, trains, measures and reports.</summary>
internal sealed class InstitutionStudy
{
    private const int MostTuningSteps = 3;
    private static readonly StudyRun Baseline = new(new StudyMethod.Base(), 1);

    private readonly StudyOptions _options;
    private readonly StudyData _data;
    private readonly StudyRunner _runner;

    private InstitutionStudy(StudyOptions options, StudyData data, Action<string> say)
    {
        (_options, _data) = (options, data);
        _runner = new StudyRunner(data, options.Adapter, options.Budget, options.Output, options.Placement, options.Workers, say);
    }

    /// <summary>Does all of it; what an earlier, broken-off call finished is not done again.</summary>
    /// <exception cref="UserErrorException">Options that contradict each other or the data.</exception>
    /// <exception cref="InvalidDataException">Data or model can't be read.</exception>
    public static async Task<StudyReport> RunAsync(StudyOptions options, Action<string> say, CancellationToken cancellationToken)
    {
        var data = await StudyData.LoadAsync(options.Data, options.Model, options.Budget, cancellationToken);
        StudyChecks.Require(options, data);
        var report = await Task.Run(() => new InstitutionStudy(options, data, say).Run(cancellationToken), cancellationToken);
        report.Write(options.Output);
        return report;
    }

    private StudyReport Run(CancellationToken cancellationToken)
    {
        var (methods, tuning) = _options.Tune ? Tune(cancellationToken) : (_options.Methods, []);
        var seeds = Enumerable.Range(1, _options.Seeds).Select(s => (ulong)s).ToList();
        var federated = methods.OfType<StudyMethod.Federated>().ToList();
        var unseen = _options.Unseen ? methods.Where(m => m is StudyMethod.Federated or StudyMethod.Centralised).SelectMany(m => _data.Institutions.Select(i => new StudyRun(m, 1) { LeftOut = [i.Name] })).ToList() : [];
        var attacks = federated.SelectMany(m => _options.Attackers.SelectMany(n => Enum.GetValues<AttackKind>().Select(kind => new StudyRun(m, 1) { Attack = new(kind, n) }))).ToList();
        List<StudyRun> runs = [.. methods.SelectMany(m => seeds.Select(s => new StudyRun(m, s))), .. unseen, .. attacks];
        _runner.Complete([Baseline, .. runs], cancellationToken);

        var baseline = _runner[Baseline];
        var results = methods.Select(m => (Method: m, Runs: (IReadOnlyList<RunResult>)[.. seeds.Select(s => _runner[new StudyRun(m, s)]).Where(r => r.NoFigures is null)]))
            .Where(r => r.Runs.Count > 0).ToList();
        var rows = results.SelectMany(r => RowsOf(r.Method).Select(row => (row.Name, row.Personal, r.Runs))).ToList();
        var reference = rows.OrderBy(r => r.Name != StudyPlan.Reference).FirstOrDefault();
        return new StudyReport
        {
            Model = _options.Model,
            ModelDigest = _data.ModelDigest.ToString(),
            DataDigest = _data.Digest.ToString(),
            Budget = _options.Budget,
            Seeds = seeds.Count,
            Adapter = $"rank {_options.Adapter.Rank}, alpha {_options.Adapter.Alpha}, {string.Join(' ', _options.Adapter.Targets)}",
            Institutions = [.. _data.Institutions.Select(i => new InstitutionSummary(i.Name, i.Train.Count, i.Val.Count, i.Test.Count, baseline.Test(TestResult.Global, i.Name).BitsPerByte))],
            Methods = [.. rows.Select(r => StudySummary.Of(baseline, r.Runs, r.Personal, r.Name))],
            NoResults = [.. methods.Where(m => results.All(r => r.Method != m)).Select(m => new MethodWithoutResult(m.Name, _runner[new StudyRun(m, 1)].NoFigures!))],
            Troubles = [.. runs.Select(run => RunTrouble.Of(run, _runner[run])).OfType<RunTrouble>()],
            Reference = reference.Name,
            Comparisons = rows.Where(r => r.Name != reference.Name).ToDictionary(r => r.Name, r => PairedBootstrap.Compare(r.Runs, r.Personal, reference.Runs, reference.Personal)),
            Tuning = tuning,
            Curves = [.. results.Where(r => r.Runs[0].Rounds.Count > 0).Select(r => CurveOf(r.Method, r.Runs))],
            Unseen = [.. unseen.Select(run => UnseenOf(run, baseline))],
            Attacks = [.. attacks.Select(run => AttackOf(run, baseline))],
        };
    }

    /// <summary>A method that ends with personal models has two lines: what members share, and what each ends up with.</summary>
    private static IEnumerable<(string Name, bool Personal)> RowsOf(StudyMethod method) =>
        method.IsPersonal ? [($"{method.Name}, shared part", false), (method.Name, true)] : [(method.Name, true)];

    /// <summary>
    /// The same search for every method, by validation records and with seed 1: half, once and twice its learning rate, and further in the direction in
    /// which the best lies at the edge.
    /// </summary>
    private (IReadOnlyList<StudyMethod> Methods, IReadOnlyList<TuningResult> Tried) Tune(CancellationToken cancellationToken)
    {
        var tried = _options.Methods.Where(m => m.Rate > 0).ToDictionary(m => m, m => new List<double> { m.Rate / 2, m.Rate, m.Rate * 2 });
        for (var step = 0; step < MostTuningSteps; step++)
        {
            _runner.Complete([Baseline, .. tried.SelectMany(t => t.Value.Select(rate => new StudyRun(t.Key.WithRate(rate), 1)))], cancellationToken);
            foreach (var (method, rates) in tried)
            {
                var best = Best(method, rates);
                if (best == rates.Min())
                {
                    rates.Add(best / 2);
                }
                else if (best == rates.Max())
                {
                    rates.Add(best * 2);
                }
            }
        }

        _runner.Complete(tried.SelectMany(t => t.Value.Select(rate => new StudyRun(t.Key.WithRate(rate), 1))), cancellationToken);
        return (
            [.. _options.Methods.Select(m => tried.TryGetValue(m, out var rates) ? m.WithRate(Best(m, rates)) : m)],
            [.. tried.SelectMany(t => t.Value.Order().Select(rate => new TuningResult(t.Key.Name, rate, ValidationOf(t.Key, rate), rate == Best(t.Key, t.Value))))]);
    }

    private double Best(StudyMethod method, IEnumerable<double> rates) => rates.Order().MinBy(rate => ValidationOf(method, rate) is var loss && double.IsNaN(loss) ? double.PositiveInfinity : loss);

    private double ValidationOf(StudyMethod method, double rate) =>
        _runner[new StudyRun(method.WithRate(rate), 1)] is { NoFigures: null } result ? result.Validation.Values.Average() : double.NaN;

    private LossCurve CurveOf(StudyMethod method, IReadOnlyList<RunResult> runs)
    {
        var rounds = runs[0].Rounds.Count;
        var stepsARound = _options.Budget.Steps / (double)rounds * (1 - method.PersonalShare);
        return new(method.Name, [.. Enumerable.Range(0, rounds).Select(r =>
        {
            var changes = runs[0].Participants.Select(i => runs.Average(run => run.Rounds[r].Validation[i] - run.Rounds[0].Validation[i]));
            return new LossPoint(stepsARound * (r + 1), runs.Average(run => run.Rounds[r].Validation.Values.Average()), Spread.Of(changes).Deviation);
        })]);
    }

    private UnseenResult UnseenOf(StudyRun run, RunResult baseline)
    {
        var institution = run.LeftOut[0];
        return new(run.Method.Name, institution, GainOf(run), GainOf(new StudyRun(run.Method, run.Seed)));

        double GainOf(StudyRun of) => _runner[of] is { NoFigures: null } result ? StudySummary.Gain(baseline, result, TestResult.Global, institution) : double.NaN;
    }

    private AttackResult AttackOf(StudyRun run, RunResult baseline)
    {
        var result = _runner[run];
        return new(run.Method.Name, run.Attack!.ToString(), Mean(result), Mean(_runner[new StudyRun(run.Method, run.Seed)]), result.NoFigures);

        double Mean(RunResult of) => of.NoFigures is null ? result.Participants.Average(i => StudySummary.Gain(baseline, of, TestResult.Global, i)) : double.NaN;
    }
}

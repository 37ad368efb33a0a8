using System.Diagnostics;
using FedChain.Learning;
using FedChain.Learning.Data;
using FedChain.Learning.Examples;
using FedChain.Learning.Training;
using FedChain.Protocol;
using FedChain.Protocol.Files;

namespace FedChain.Node.Study;

/// <summary>Carries out runs of an adapter, one after the other, on a worker's model. The same run gives the same result, wherever its turn comes.</summary>
internal sealed class RunExecutor(StudyData data, AdapterConfig config, StudyBudget budget, CausalLanguageModel model, IProgress<int> steps)
{
    /// <param name="run">What to do.</param>
    /// <param name="fingerprint">The run's, for its result.</param>
    /// <param name="cancellationToken">Looked at between steps.</param>
    /// <exception cref="OperationCanceledException">Asked for between steps.</exception>
    public RunResult Execute(StudyRun run, string fingerprint, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        var attackers = Hostile.Chosen(data.Institutions, run.Attack?.Members ?? 0);
        var present = data.Institutions.Where(i => !run.LeftOut.Contains(i.Name)).ToList();
        var honest = present.Where(i => !attackers.Contains(i.Name)).ToList();
        var result = new RunResult
        {
            Fingerprint = fingerprint,
            Name = run.Method.Name,
            LearningRate = run.Method.LearningRate,
            Seed = run.Seed,
            Seconds = 0,
            Participants = [.. honest.Select(i => i.Name)],
            Validation = new Dictionary<string, double>(),
            Tests = [],
        };
        try
        {
            result = run.Method switch
            {
                StudyMethod.Base => Base(result, present),
                StudyMethod.Alone m => Alone(result, m, run.Seed, present, cancellationToken),
                StudyMethod.Centralised m => Centralised(result, m, run.Seed, present, cancellationToken),
                StudyMethod.Federated m => Federated(result, m, run, present, honest, cancellationToken),
                _ => throw new NotSupportedException($"No way to carry out {run.Method}."),
            };
        }
        catch (TrainingDivergedException e)
        {
            result = result with { Failure = e.Message };
        }
        finally
        {
            model.RestoreWeights();
        }

        return result with { Seconds = Math.Round(Stopwatch.GetElapsedTime(began).TotalSeconds, 1) };

        RunResult Base(RunResult empty, List<PreparedData> institutions)
        {
            model.DetachAdapter();
            return Measured(empty, institutions, cancellationToken);
        }
    }

    private RunResult Alone(RunResult empty, StudyMethod.Alone method, ulong seed, List<PreparedData> institutions, CancellationToken cancellationToken)
    {
        var tests = new List<TestResult>();
        var validation = new Dictionary<string, double>();
        foreach (var institution in institutions)
        {
            model.AttachAdapter(config, SeedOf(seed));
            Train(institution.Train, Options(method.LearningRate, seed, institution.Name) with { Steps = budget.Steps }, memory: null, cancellationToken);
            validation.Add(institution.Name, BitsPerByte(institution.Val, cancellationToken));
            tests.AddRange(data.Institutions.Select(other => Tested(institution.Name, other, cancellationToken)));
        }

        return empty with { Validation = validation, Tests = tests };
    }

    private RunResult Centralised(RunResult empty, StudyMethod.Centralised method, ulong seed, List<PreparedData> institutions, CancellationToken cancellationToken)
    {
        var most = institutions.Max(i => i.Train.Count);
        var pooled = institutions.SelectMany(i => Enumerable.Range(0, most).Select(n => i.Train[n % i.Train.Count])).ToList();
        var personal = budget.PersonalStepsOf(method);
        model.AttachAdapter(config, SeedOf(seed));
        Train(pooled, Options(method.LearningRate, seed, "all") with { Steps = budget.Steps - personal, StepsInAll = method.KeepsCurve ? budget.Steps : null, AccumulationSteps = institutions.Count }, memory: null, cancellationToken);
        var result = Measured(empty, institutions, cancellationToken);
        var common = model.ExportAdapter();
        return method.IsPersonal
            ? Personalised(result, method, seed, institutions, _ => model.AttachAdapter(config, common), memoryOf: null, cancellationToken)
            : result;
    }

    private RunResult Federated(RunResult empty, StudyMethod.Federated method, StudyRun run, List<PreparedData> present, List<PreparedData> honest, CancellationToken cancellationToken)
    {
        var rounds = method.Rounds ?? budget.Rounds;
        var shared = budget.Steps - budget.PersonalStepsOf(method);
        var federation = new SimulatedFederation(data, config, method, model.LayoutFor(config), SeedOf(run.Seed));
        var held = new HeldAdapters(model, config, run.Seed);
        model.DetachAdapter();
        var untouched = present.ToDictionary(i => i.Name, i => Loss(i.Val, cancellationToken));
        held.Load(federation.Global);
        var before = present.ToDictionary(i => i.Name, i => Loss(i.Val, cancellationToken));
        var results = new List<RoundResult>();
        var memories = new Dictionary<(string Institution, Factors Factors, bool HasOwn), OptimiserMemory>();
        for (var round = 0; round < rounds; round++)
        {
            var (first, next) = (shared * round / rounds, shared * (round + 1) / rounds);
            var options = new TrainingOptions
            {
                Steps = next - first,
                StepsBefore = method.CurvesEachRound ? 0 : first,
                StepsInAll = method.CurvesEachRound ? null : method.KeepsCurve ? budget.Steps : shared,
                BatchSize = budget.BatchSize,
                LearningRate = method.LearningRate,
                Factors = federation.Factors,
                Proximal = method.Proximal,
            };
            var hasOwn = method.HasOwnBeside && round >= method.OwnFrom * rounds;
            var updates = new List<LocalUpdate>();
            var lost = new List<string>();
            foreach (var institution in present)
            {
                var flips = run.Attack?.Kind == AttackKind.LabelFlip && !honest.Contains(institution);
                held.Load(federation.Global, hasOwn ? institution.Name : null);
                try
                {
                    Train(
                        flips ? Hostile.Flipped(institution.Train) : institution.Train, options with { Seed = StudySeed.Of(run.Seed, $"{institution.Name}/{round}") },
                        method.RemembersOptimiser ? MemoryOf(institution.Name, federation.Factors, hasOwn) : null, cancellationToken);
                    updates.Add(new(institution.Name, held.Take(hasOwn ? institution.Name : null), institution.Train.Count, untouched[institution.Name], before[institution.Name]));
                }
                catch (TrainingDivergedException e)
                {
                    lost.Add($"{institution.Name}: {e.Message}"); // as in the field: this member's contribution, not the round
                }
            }

            if (run.Attack is { } attack)
            {
                updates = Hostile.Act(attack.Kind, updates, honest.Select(h => h.Name).ToHashSet(), federation.Global, run.Seed, round);
            }

            lost.AddRange(federation.Aggregate(updates, cancellationToken));
            if (method.TakesUpResidual)
            {
                TakeUpResidual(updates, federation.Global);
            }

            held.Load(federation.Global);
            var losses = present.ToDictionary(i => i.Name, i => model.Evaluate(i.Val, cancellationToken: cancellationToken));
            before = losses.ToDictionary(l => l.Key, l => l.Value.Loss);
            results.Add(new(round + 1, honest.ToDictionary(i => i.Name, i => losses[i.Name].BitsPerByte!.Value), lost));
        }

        var global = Measured(empty, honest, cancellationToken) with { Rounds = results, BytesPerMember = federation.BytesPerMember };
        return !method.IsPersonal ? global : Personalised(
            global, method, run.Seed, honest, name => held.Load(federation.Global, method.HasOwnBeside ? name : null),
            method.RemembersOptimiser ? name => MemoryOf(name, Factors.Both, method.HasOwnBeside) : null, cancellationToken);

        OptimiserMemory MemoryOf(string institution, Factors factors, bool hasOwn)
        {
            var key = (institution, factors, hasOwn);
            return memories.TryGetValue(key, out var memory) ? memory : memories[key] = new OptimiserMemory();
        }
    }

    /// <summary>Adds mean(B A) - mean(B) mean(A) to the base weights.</summary>
    private void TakeUpResidual(List<LocalUpdate> updates, Adapter mean)
    {
        foreach (var update in updates)
        {
            model.AttachAdapter(config, update.Adapter);
            model.AbsorbAdapter(1.0 / updates.Count);
        }

        model.AttachAdapter(config, mean);
        model.AbsorbAdapter(-1);
    }

    /// <summary>Every member goes on for itself from the global adapter, and its own beside it.</summary>
    private RunResult Personalised(
        RunResult global, StudyMethod method, ulong seed, List<PreparedData> honest, Action<string> load, Func<string, OptimiserMemory>? memoryOf, CancellationToken cancellationToken)
    {
        var personal = budget.PersonalStepsOf(method);
        var (rate, first) = method.KeepsCurve ? (method.LearningRate, budget.Steps - personal) : (method.PersonalLearningRate, 0);
        var tests = global.Tests.ToList();
        var validation = new Dictionary<string, double>();
        foreach (var institution in honest)
        {
            load(institution.Name);
            if (personal > 0)
            {
                var options = Options(rate, seed, $"{institution.Name}/personal") with { Steps = personal, StepsBefore = first };
                Train(institution.Train, options, memoryOf?.Invoke(institution.Name), cancellationToken);
            }

            validation.Add(institution.Name, BitsPerByte(institution.Val, cancellationToken));
            tests.Add(Tested(institution.Name, institution, cancellationToken));
        }

        return global with { Tests = tests, Validation = validation };
    }

    /// <summary>The model as it is, on everybody's test and the participants' validation records.</summary>
    private RunResult Measured(RunResult empty, List<PreparedData> participants, CancellationToken cancellationToken) => empty with
    {
        Validation = participants.ToDictionary(i => i.Name, i => BitsPerByte(i.Val, cancellationToken)),
        Tests = [.. data.Institutions.Select(i => Tested(TestResult.Global, i, cancellationToken))],
    };

    private void Train(IReadOnlyList<TokenizedExample> examples, TrainingOptions options, OptimiserMemory? memory, CancellationToken cancellationToken)
    {
        var progress = new StepProgress(steps, options.AccumulationSteps);
        model.TrainAdapter(examples, options, resumption: null, memory, progress, cancellationToken);
    }

    private TrainingOptions Options(double learningRate, ulong seed, string purpose) =>
        new() { Steps = 1, BatchSize = budget.BatchSize, LearningRate = learningRate, Seed = StudySeed.Of(seed, purpose) };

    private static Hash256 SeedOf(ulong seed) => StudySeed.Hash(seed, "adapter");

    private TestResult Tested(string name, PreparedData institution, CancellationToken cancellationToken) =>
        TestResult.From(name, institution.Name, model.EvaluateEach(institution.Test, cancellationToken: cancellationToken));

    private Protocol.Numerics.Micronats Loss(IReadOnlyList<TokenizedExample> examples, CancellationToken cancellationToken) =>
        model.Evaluate(examples, cancellationToken: cancellationToken).Loss;

    private double BitsPerByte(IReadOnlyList<TokenizedExample> examples, CancellationToken cancellationToken) =>
        model.Evaluate(examples, cancellationToken: cancellationToken).BitsPerByte!.Value;

    private sealed class StepProgress(IProgress<int> steps, int weight) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => steps.Report(weight);
    }
}

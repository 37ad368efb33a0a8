using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.ExceptionServices;
using FedChain.Node.Models;
using FedChain.Protocol.Files;

namespace FedChain.Node.Study;

/// <summary>Carries out runs side by side: each worker has a thread and a model of its own, so that no run waits for another, and no result depends on how many there are.</summary>
internal sealed class StudyRunner(StudyData data, AdapterConfig config, StudyBudget budget, string folder, ModelPlacement placement, int workers, Action<string> say)
{
    private readonly RunStore _store = new(folder);
    private readonly string? _held = placement.Unusual;
    private readonly ConcurrentDictionary<string, RunResult> _results = new(StringComparer.Ordinal);

    /// <summary>The result of a run that was carried out.</summary>
    public RunResult this[StudyRun run] => _results[FingerprintOf(run)];

    /// <summary>Carries out those of the runs that have no result yet.</summary>
    /// <param name="runs">Which; one that occurs twice is done once.</param>
    /// <exception cref="OperationCanceledException">What is finished stays.</exception>
    public void Complete(IEnumerable<StudyRun> runs, CancellationToken cancellationToken)
    {
        var open = new List<StudyRun>();
        foreach (var run in runs.DistinctBy(FingerprintOf))
        {
            var fingerprint = FingerprintOf(run);
            if (_results.ContainsKey(fingerprint))
            {
                continue;
            }

            if (_store.Find(run, fingerprint) is { } found)
            {
                _results[fingerprint] = found;
            }
            else
            {
                open.Add(run);
            }
        }

        if (open.Count > 0)
        {
            Work(open, cancellationToken);
        }
    }

    private void Work(List<StudyRun> open, CancellationToken cancellationToken)
    {
        var queue = new ConcurrentQueue<StudyRun>(open);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var progress = new Progress(open.Sum(StepsOf));
        ExceptionDispatchInfo? failure = null;
        var done = 0;
        var threads = Enumerable.Range(0, Math.Min(workers, open.Count)).Select(_ => new Thread(() =>
        {
            try
            {
                using var model = placement.Load(BaseModel.Open(data.Model)); // torch keeps its number of threads per thread: this is each worker's own
                while (!stop.IsCancellationRequested && queue.TryDequeue(out var run))
                {
                    var executor = new RunExecutor(data, run.Method.Adapted(config), budget, model, progress);
                    var result = executor.Execute(run, FingerprintOf(run), stop.Token);
                    _store.Add(run, result);
                    _results[result.Fingerprint] = result;
                    say($"[{Interlocked.Increment(ref done)}/{open.Count}] {run}, lr {run.Method.Rate:g3}: {Outcome(run, result)} ({result.Seconds:F0} s; {progress.Left} left)");
                }
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref failure, ExceptionDispatchInfo.Capture(e), null);
                stop.Cancel();
            }
        })).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        cancellationToken.ThrowIfCancellationRequested();
        failure?.Throw();
    }

    private string FingerprintOf(StudyRun run) => run.Fingerprint(data, config, budget, _held);

    private static string Outcome(StudyRun run, RunResult result) => result.NoFigures
        ?? $"{result.Validation.Values.Average():F3} bits per byte on own validation records{(RunTrouble.Of(run, result) is { } trouble ? $", {trouble.Lost} contributions lost" : "")}";

    /// <summary>Steps of one institution's batch that a run takes.</summary>
    private int StepsOf(StudyRun run) => run.Method is StudyMethod.Base ? 0 : budget.Steps * (data.Institutions.Count - run.LeftOut.Count);

    private sealed class Progress(int total) : IProgress<int>
    {
        private readonly long _began = Stopwatch.GetTimestamp();
        private int _done;

        public string Left
        {
            get
            {
                var done = Volatile.Read(ref _done);
                return done == 0 ? "unknown" : $"{Stopwatch.GetElapsedTime(_began) * ((double)(total - done) / done):h\\:mm\\:ss}";
            }
        }

        public void Report(int value) => Interlocked.Add(ref _done, value);
    }
}

using FedChain.Aggregator;
using FedChain.Aggregator.Rules;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;

namespace FedChain.Bench;

/// <summary>The robust rules over a hundred updates of 10 MB, from files, beside NumPy's on the same files a chunk of columns at a time, and the memory they take.</summary>
internal static class RulesBenchmark
{
    private const int Members = 100;
    private const int Layers = 5;
    private const int Rounds = 3;

    private static readonly int Threads = Environment.ProcessorCount;

    public static void Run()
    {
        var folder = Directory.CreateDirectory(Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"fedchain-bench-{Environment.ProcessId}"));
        try
        {
            Run(folder.FullName);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static void Run(string folder)
    {
        var members = UpdateSet.MembersFor(Members, Layers);
        using var set = UpdateSet.Create(folder, members, Layers, UpdateEncoding.Int32, Weighting.Uniform);
        var (updates, gigabytes, fifth) = (set.Updates, set.Gigabytes, members / 5);
        (string Name, string Peer, Action<int> Run)[] rules =
        [
            ("coordinate median", "median", threads => CoordinateRules.Median(updates, threads)),
            ("trimmed mean", "trimmed", threads => CoordinateRules.TrimmedMean(updates, fifth, threads)),
            ("bucketed median", "bucketed", threads => CoordinateRules.BucketedMedian(updates, CoordinateRules.Buckets(default, new(1), members, 4), threads)),
            ("clipped mean", "clipped", threads => NormClipping.Of(updates, norm: null, threads)),
            ("Multi-Krum", "krum", threads => Krum(updates, fifth, threads)),
        ];
        Console.WriteLine($"{members} updates of {gigabytes * 1000 / members:0.0} MB, {Threads} threads; a fifth is trimmed or held for faulty");
        using var numpy = PythonPeer.Start("aggregate.py", [$"{updates[0].Header.DataOffset}", .. set.Paths.SelectMany(path => new[] { path, "1" })]);
        foreach (var (name, peer, run) in rules)
        {
            var contest = new Contest(name, "GB/s", Rounds);
            if (numpy is not null)
            {
                contest.Add(numpy.Name, gigabytes, () => numpy.Do(peer)[0]);
            }

            contest.AddTimed("ours, 1 thread", gigabytes, () => run(1)).AddTimed($"ours, {Threads} threads", gigabytes, () => run(Threads)).Print();
            var before = GC.GetTotalAllocatedBytes(precise: true);
            run(1);
            var allocated = GC.GetTotalAllocatedBytes(precise: true) - before - (sizeof(int) * (long)set.Terms.Base.Layout.Count);
            Console.WriteLine($"  {allocated / 1024:N0} KiB allocated beside the result");
        }
    }

    private static void Krum(IReadOnlyList<ValidUpdate> updates, int faulty, int threads)
    {
        var chosen = MultiKrum.Select(updates, faulty, updates.Count - (2 * faulty), threads);
        WeightedMean.Of(chosen, [.. chosen.Select(_ => 1L)], threads);
    }
}

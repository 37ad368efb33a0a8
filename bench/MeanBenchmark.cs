using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using FedChain.Aggregator;
using FedChain.Aggregator.Rules;
using FedChain.Protocol;
using FedChain.Protocol.Content;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Numerics;

namespace FedChain.Bench;

/// <summary>
/// The mean over updates of the size that a 7B model's adapter has (r 32 on q and v, 52 MB), from files: beside adding up the same
/// bytes where they lie (the limit), and beside NumPy on the same files (the peer). Files lie in memory where the machine allows it.
/// </summary>
internal static class MeanBenchmark
{
    private const int Members = 20;
    private const int Layers = 25;
    private const int Rounds = 5;
    private const int Piece = 1 << 17;

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
        var config = new AdapterConfig(32, 64, ["q_proj", "v_proj"]);
        var layout = AdapterLayout.Create(
            config, Enumerable.Range(0, Layers).SelectMany(i => new[] { ($"model.layers.{i}.self_attn.q_proj", 4096, 4096), ($"model.layers.{i}.self_attn.v_proj", 4096, 4096) }));
        var policy = new Policy { BaseModel = default, Adapter = config, Seed = default, Rule = new AggregationRule.Mean(Weighting.Samples), WeightCap = 1000 };
        var @base = new Adapter(layout, config.FractionBits, new int[layout.Count]);
        var terms = new RoundTerms(1, Address.Zero, new RoundId(1), policy.JsonHash, policy, 0, AdapterFile.Digest(@base), @base, Hash256.Zero);
        var paths = Enumerable.Range(1, Members).Select(member => Path.Combine(folder, $"{member}.safetensors")).ToList();
        var manifests = paths.Select((path, i) => Write(path, (uint)i + 1, terms)).ToList();
        var plaintexts = paths.ConvertAll(UpdatePlaintext.Open);
        var updates = plaintexts.Zip(manifests, (plaintext, manifest) => Validate(plaintext, manifest, terms)).ToList();
        var weights = updates.ConvertAll(u => u.Weight);
        var gigabytes = Members * (double)new FileInfo(paths[0]).Length / 1e9;

        WeightedMean.Of(updates, weights, 1);
        var before = GC.GetTotalAllocatedBytes(precise: true);
        WeightedMean.Of(updates, weights, 1);
        var allocated = GC.GetTotalAllocatedBytes(precise: true) - before - (sizeof(int) * (long)layout.Count);
        Console.WriteLine($"{Members} updates of {gigabytes * 1000 / Members:0} MB; {allocated / 1024} KiB allocated beside the result, whatever their number");

        var sums = new int[Environment.ProcessorCount];
        var contest = new Contest($"Mean of {Members} updates, {Environment.ProcessorCount} processors", "GB/s", Rounds)
            .Add("reading the mapped files, 1 thread", gigabytes, () => Read(plaintexts, sums, 1))
            .Add("WeightedMean, 1 thread", gigabytes, () => WeightedMean.Of(updates, weights, 1))
            .Add($"reading the mapped files, {Environment.ProcessorCount} threads", gigabytes, () => Read(plaintexts, sums, Environment.ProcessorCount))
            .Add($"WeightedMean, {Environment.ProcessorCount} threads", gigabytes, () => WeightedMean.Of(updates, weights, Environment.ProcessorCount));
        using var numpy = NumPy.TryStart(paths, updates[0].Header.DataOffset, weights);
        if (numpy is not null)
        {
            contest
                .Add("NumPy, int64 in place, 1 thread", gigabytes, () => numpy.Ask("exact"))
                .Add("NumPy, float32 as Flower sums, 1 thread", gigabytes, () => numpy.Ask("flower"));
        }
        else
        {
            Console.WriteLine("No python3 with NumPy here (apt-get install python3-numpy), so there is no peer below.");
        }

        contest.Print();
        plaintexts.ForEach(p => p.Dispose());
    }

    private static UpdateManifest Write(string path, uint member, RoundTerms terms)
    {
        var random = new Random((int)member);
        var differences = new int[terms.Base.Layout.Count];
        foreach (ref var difference in differences.AsSpan())
        {
            difference = random.Next(-FixedPoint.MaxValue, FixedPoint.MaxValue);
        }

        var losses = new UpdateLosses(new Micronats(3), new Micronats(2), new Micronats(1));
        var metadata = new UpdateMetadata(
            terms.Chain, terms.Rounds, terms.Round, new MemberId(member), terms.PolicyHash, terms.BaseDigest, Hash256.Zero, random.Next(1, 1000), losses);
        Hash256 digest;
        using (var file = File.Create(path))
        {
            digest = UpdateFile.Write(file, metadata, EncodedDifferences.Exact(terms.Base.Layout, terms.Factors, differences));
        }

        return new UpdateManifest(
            terms.Chain, terms.Rounds, terms.Round, new MemberId(member), terms.PolicyHash, terms.BaseDigest, Cid.RawOf(digest), 1, digest);
    }

    private static ValidUpdate Validate(UpdatePlaintext plaintext, UpdateManifest manifest, RoundTerms terms) =>
        UpdateValidator.Validate(plaintext, manifest, manifest.Member, terms) is UpdateVerdict.Accepted(var update)
            ? update
            : throw new InvalidOperationException("The benchmark wrote an update that is refused.");

    /// <summary>Adds the integers up where they lie, one to a lane: what memory allows.</summary>
    private static void Read(List<UpdatePlaintext> plaintexts, int[] sums, int threads) =>
        Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, thread =>
        {
            var sum = Vector512<int>.Zero;
            for (var i = thread; i < plaintexts.Count; i += threads)
            {
                for (var at = plaintexts[i].Length % Piece; at < plaintexts[i].Length; at += Piece)
                {
                    foreach (var vector in MemoryMarshal.Cast<int, Vector512<int>>(plaintexts[i].Integers<int>(at, Piece / sizeof(int))))
                    {
                        sum += vector;
                    }
                }
            }

            sums[thread] = Vector512.Sum(sum);
        });

    /// <summary>A NumPy process that answers when it has computed a mean of the same files.</summary>
    private sealed class NumPy : IDisposable
    {
        private const string Script = """
            import sys
            import numpy as np
            offset = int(sys.argv[1])
            paths, weights = sys.argv[2::2], [int(w) for w in sys.argv[3::2]]
            def maps():
                return [np.memmap(p, dtype=np.int32, mode="r", offset=offset) for p in paths]
            def exact():
                total = np.zeros(maps()[0].shape, np.int64)
                product = np.empty_like(total)
                for d, w in zip(maps(), weights):
                    np.multiply(d, w, out=product, dtype=np.int64)
                    total += product
                return total // sum(weights)
            def flower():
                floats = [np.fromfile(p, dtype=np.float32, offset=offset) for p in paths]
                weighted = [d * w for d, w in zip(floats, weights)]
                total = weighted[0]
                for d in weighted[1:]:
                    total = total + d
                return total / sum(weights)
            print("ready", flush=True)
            for line in sys.stdin:
                {"exact": exact, "flower": flower}[line.strip()]()
                print("done", flush=True)
            """;

        private readonly Process _process;

        private NumPy(Process process) => _process = process;

        public static NumPy? TryStart(List<string> paths, long offset, List<long> weights)
        {
            string[] arguments = ["-c", Script, offset.ToString(), .. paths.Zip(weights).SelectMany(p => new[] { p.First, p.Second.ToString() })];
            foreach (var python in new[] { "python3", "/usr/bin/python3" })
            {
                try
                {
                    var process = Process.Start(new ProcessStartInfo(python, arguments)
                    {
                        RedirectStandardInput = true,
                        RedirectStandardOutput = true,
                        RedirectStandardError = true,
                        UseShellExecute = false,
                    })!;
                    if (process.StandardOutput.ReadLine() == "ready")
                    {
                        return new NumPy(process);
                    }

                    process.Dispose();
                }
                catch (Win32Exception)
                {
                    // not on this machine
                }
            }

            return null;
        }

        public void Ask(string what)
        {
            _process.StandardInput.WriteLine(what);
            if (_process.StandardOutput.ReadLine() != "done")
            {
                throw new InvalidOperationException($"NumPy ended: {_process.StandardError.ReadToEnd()}");
            }
        }

        public void Dispose()
        {
            _process.StandardInput.Close();
            _process.WaitForExit();
            _process.Dispose();
        }
    }
}

using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using FedChain.Aggregator;
using FedChain.Aggregator.Rules;
using FedChain.Protocol.Envelope;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;

namespace FedChain.Bench;

/// <summary>
/// The mean over a hundred updates of 52 MB, from files: beside adding up the same bytes where they lie (the limit), and beside NumPy on the same
/// files (the peer); then from sealed files, beside their decryption and hash alone.
/// </summary>
internal static class MeanBenchmark
{
    private const int Members = 100;
    private const int SealedMembers = 10;
    private const int Layers = 25;
    private const int Rounds = 3;
    private const int Piece = 1 << 17;

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
        using var plain = UpdateSet.Create(folder, members, Layers, UpdateEncoding.Int32, Weighting.Samples);
        using var small = UpdateSet.Create(folder, members, Layers, UpdateEncoding.Int8, Weighting.Uniform);
        var values = plain.Gigabytes;
        Console.WriteLine($"{members} updates of {values * 1000 / members:0.0} MB, with a byte a value {small.Gigabytes * 1000 / members:0.0} MB ({small.Gigabytes / values:0.0000} of it)");
        Memory(plain);

        Plain(plain, small);
        Sealed(plain, folder);
    }

    private static void Plain(UpdateSet plain, UpdateSet small)
    {
        var (members, values) = (plain.Updates.Count, plain.Gigabytes);
        List<long> samples = [.. plain.Updates.Select(u => u.Weight)];
        List<long> ones = [.. plain.Updates.Select(_ => 1L)];
        var sums = new int[Threads];
        using var numpy = PythonPeer.Start("aggregate.py", [$"{plain.Updates[0].Header.DataOffset}", .. plain.Paths.Zip(samples).SelectMany(p => new[] { p.First, $"{p.Second}" })]);
        var contest = new Contest($"Mean of {members} updates", "GB/s", Rounds);
        if (numpy is not null)
        {
            numpy.Do("load");
            contest
                .Add($"{numpy.Name}, float32 as Flower sums", values, () => numpy.Do("flower")[0])
                .Add($"{numpy.Name}, int64 in place", values, () => numpy.Do("exact")[0]);
        }

        contest
            .AddTimed("reading the mapped files, 1 thread", values, () => Read(plain.Plaintexts, sums, 1))
            .AddTimed("weights of 1, 1 thread", values, () => WeightedMean.Of(plain.Updates, ones, 1))
            .AddTimed("weights by samples, 1 thread", values, () => WeightedMean.Of(plain.Updates, samples, 1))
            .AddTimed("weights of 1, a byte a value, 1 thread", small.Gigabytes, () => WeightedMean.Of(small.Updates, ones, 1))
            .AddTimed($"reading the mapped files, {Threads} threads", values, () => Read(plain.Plaintexts, sums, Threads))
            .AddTimed($"weights of 1, {Threads} threads", values, () => WeightedMean.Of(plain.Updates, ones, Threads))
            .AddTimed($"weights by samples, {Threads} threads", values, () => WeightedMean.Of(plain.Updates, samples, Threads))
            .AddTimed($"weights of 1, a byte a value, {Threads} threads", small.Gigabytes, () => WeightedMean.Of(small.Updates, ones, Threads));
        contest.Print();
    }

    /// <summary>What a mean allocates beside its result, of some updates and of all.</summary>
    private static void Memory(UpdateSet set)
    {
        foreach (var count in new[] { set.Updates.Count / 4, set.Updates.Count })
        {
            List<ValidUpdate> some = [.. set.Updates.Take(count)];
            List<long> weights = [.. some.Select(u => u.Weight)];
            WeightedMean.Of(some, weights, 1);
            var before = GC.GetTotalAllocatedBytes(precise: true);
            WeightedMean.Of(some, weights, 1);
            var allocated = GC.GetTotalAllocatedBytes(precise: true) - before - (sizeof(int) * (long)set.Terms.Base.Layout.Count);
            Console.WriteLine($"  mean of {count,3} updates: {allocated / 1024:N0} KiB allocated beside the result");
        }
    }

    /// <summary>Opening, checking and aggregating: one thread from age files to the mean, beside ChaCha20-Poly1305 and SHA-256 of the same bytes.</summary>
    private static void Sealed(UpdateSet set, string folder)
    {
        using var identity = AgeIdentity.Generate();
        var sealedFiles = set.Paths.Take(SealedMembers).Select(path =>
        {
            var destination = path + ".age";
            using var file = File.Create(destination);
            using var writer = new AgeWriter(file, [identity.Recipient]);
            using var source = File.OpenRead(path);
            source.CopyTo(writer, 1 << 20);
            writer.Complete();
            return destination;
        }).ToList();
        var gigabytes = set.Plaintexts.Take(SealedMembers).Sum(p => p.Length) / 1e9;
        var opened = Path.Combine(folder, "opened");
        var chunk = new byte[AgeFormat.ChunkSize];
        new Contest($"From {SealedMembers} sealed files to their mean, 1 thread", "GB/s", Rounds)
            .AddTimed("ChaCha20-Poly1305 and SHA-256 alone", gigabytes, () => Decrypt(gigabytes, chunk))
            .AddTimed("opened, validated, aggregated", gigabytes, () =>
            {
                var plaintexts = new List<UpdatePlaintext>();
                var updates = new List<ValidUpdate>();
                foreach (var (path, manifest) in sealedFiles.Zip(set.Manifests))
                {
                    var plaintext = $"{opened}-{updates.Count}";
                    using (var source = File.OpenRead(path))
                    using (var reader = AgeReader.Open(source, [identity]))
                    using (var file = File.Create(plaintext))
                    {
                        reader.CopyTo(file, AgeFormat.ChunkSize);
                    }

                    plaintexts.Add(UpdatePlaintext.Open(plaintext));
                    updates.Add(UpdateSet.Validate(plaintexts[^1], manifest, set.Terms));
                }

                WeightedMean.Of(updates, [.. updates.Select(u => u.Weight)], 1);
                plaintexts.ForEach(p => p.Dispose());
            })
            .Print();
    }

    private static void Decrypt(double gigabytes, byte[] chunk)
    {
        using var cipher = new ChaCha20Poly1305(new byte[32]);
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var (sealedChunk, tag, nonce) = (new byte[chunk.Length], new byte[16], new byte[12]);
        cipher.Encrypt(nonce, chunk, sealedChunk, tag);
        for (var at = 0L; at < gigabytes * 1e9; at += chunk.Length)
        {
            cipher.Decrypt(nonce, sealedChunk, tag, chunk);
            sha.AppendData(chunk);
        }
    }

    /// <summary>Adds the integers up where they lie, four files at a time and one to a lane: what memory allows.</summary>
    private static void Read(IReadOnlyList<UpdatePlaintext> plaintexts, int[] sums, int threads) =>
        Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, thread =>
        {
            var sum = Vector512<int>.Zero;
            for (var i = 4 * thread; i <= plaintexts.Count - 4; i += 4 * threads)
            {
                for (var at = plaintexts[i].Length % Piece; at < plaintexts[i].Length; at += Piece)
                {
                    var a = Vectors(plaintexts[i], at);
                    var b = Vectors(plaintexts[i + 1], at);
                    var c = Vectors(plaintexts[i + 2], at);
                    var d = Vectors(plaintexts[i + 3], at);
                    for (var j = 0; j < a.Length; j++)
                    {
                        sum += a[j] + b[j] + (c[j] + d[j]);
                    }
                }
            }

            sums[thread] = Vector512.Sum(sum);

            static ReadOnlySpan<Vector512<int>> Vectors(UpdatePlaintext plaintext, long at) =>
                MemoryMarshal.Cast<int, Vector512<int>>(plaintext.Integers<int>(Math.Min(at, plaintext.Length - Piece), Piece / sizeof(int)));
        });
}

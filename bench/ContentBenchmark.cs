using System.ComponentModel;
using System.Diagnostics;
using System.Security.Cryptography;
using FedChain.Network.Content;

namespace FedChain.Bench;

/// <summary>
/// The block store beside what bounds it: the disk (one plain file, written and flushed, or read) and SHA-256 of the same bytes; and an adapter of 50 MB
/// fetched from a member's gateway on loopback into a store, each block checked and flushed, beside curl, which does neither (the peer).
/// </summary>
internal static class ContentBenchmark
{
    private const int StoreSize = 64 << 20;
    private const int AdapterSize = 50_000_000;
    private const int Rounds = 5;

    public static void Run() => RunAsync().GetAwaiter().GetResult();

    private static async Task RunAsync()
    {
        var folder = Directory.CreateTempSubdirectory("fedchain-bench-");
        try
        {
            await StoreAsync(folder.FullName);
            await FetchAsync(folder.FullName);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task StoreAsync(string folder)
    {
        var bytes = RandomNumberGenerator.GetBytes(StoreSize);
        var (megabytes, plain, made) = (StoreSize / 1e6, Path.Combine(folder, "plain"), 0);
        new Contest("Putting 64 MiB", "MB/s", Rounds)
            .Add("a plain file, written and flushed", megabytes, () => Write(plain, bytes))
            .Add("SHA-256 alone", megabytes, () => SHA256.HashData(bytes))
            .Add("BlockStore.AddAsync", megabytes, () =>
            {
                using var store = new BlockStore(Path.Combine(folder, $"put-{made++}"));
                store.AddAsync(new MemoryStream(bytes)).GetAwaiter().GetResult();
            })
            .Print();

        using var full = new BlockStore(Path.Combine(folder, "get"));
        var (root, _) = await full.AddAsync(new MemoryStream(bytes));
        var buffer = new byte[1 << 20];
        new Contest("Getting 64 MiB, which the system has in memory", "MB/s", Rounds)
            .Add("a plain file, read", megabytes, () =>
            {
                using var file = File.OpenHandle(plain);
                for (long at = 0, read; (read = RandomAccess.Read(file, buffer, at)) > 0; at += read)
                {
                }
            })
            .Add("SHA-256 alone", megabytes, () => SHA256.HashData(bytes))
            .Add("BlockStore, each block checked", megabytes, () => full.CopyFileAsync(root, Stream.Null).GetAwaiter().GetResult())
            .Print();
    }

    private static async Task FetchAsync(string folder)
    {
        using var theirs = new BlockStore(Path.Combine(folder, "theirs"));
        var (root, size) = await theirs.AddAsync(new MemoryStream(RandomNumberGenerator.GetBytes(AdapterSize)));
        await using var gateway = await ContentGateway.StartAsync(theirs, federation: null, new ContentGatewayOptions(), default);
        using var fetcher = new ContentFetcher(new ContentFetcherOptions { AllowPrivateAddresses = true }, TimeProvider.System);
        var (megabytes, made) = (AdapterSize / 1e6, 0);
        var contest = new Contest("Fetching 50 MB on loopback", "MB/s", Rounds);
        if (IsCurlPresent())
        {
            var url = new Uri(gateway.BaseAddress, $"/ipfs/{root}?format=car").ToString();
            contest.Add("curl, the same CAR into a file", megabytes, () => Curl("--silent", "--fail", "--output", Path.Combine(folder, "curl.car"), url));
        }
        else
        {
            Console.WriteLine("curl is not on the PATH (apt-get install curl), so there is no peer below.");
        }

        contest
            .Add("ContentFetcher into a store", megabytes, () =>
            {
                using var ours = new BlockStore(Path.Combine(folder, $"fetch-{made++}"));
                var result = fetcher.FetchFileAsync(root, [gateway.BaseAddress], size, ours).GetAwaiter().GetResult();
                if (!result.IsComplete)
                {
                    throw new InvalidOperationException(result.ToString());
                }
            })
            .Print();
    }

    private static void Write(string path, byte[] bytes)
    {
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        file.Write(bytes);
        file.Flush(flushToDisk: true);
    }

    private static bool IsCurlPresent()
    {
        try
        {
            Curl("--version");
            return true;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }

    private static void Curl(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("curl", arguments) { RedirectStandardOutput = true, UseShellExecute = false })!;
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"curl {string.Join(' ', arguments)} ended with exit code {process.ExitCode}.");
        }
    }
}

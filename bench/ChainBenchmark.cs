using System.Diagnostics;
using System.Net.Http.Headers;
using FedChain.Network.Chain;
using FedChain.Node.Audit;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.Bench;

/// <summary>
/// A call of our JSON-RPC client beside a bare HttpClient that posts the same bytes (the limit); and a member that comes to a chain of 10,000 rounds: its
/// first look, a restart with what it kept, and an auditor's replay, each in rounds a second, beside the bare fetching of the same logs.
/// FEDCHAIN_BENCH_ROUNDS sets another number of rounds.
/// </summary>
internal static class ChainBenchmark
{
    private const int Calls = 1000;
    private const int Rounds = 5;
    private static readonly byte[] Call = """{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}"""u8.ToArray();

    public static void Run() => RunAsync(int.TryParse(Environment.GetEnvironmentVariable("FEDCHAIN_BENCH_ROUNDS"), out var rounds) ? rounds : 10_000).GetAwaiter().GetResult();

    private static async Task RunAsync(int rounds)
    {
        await using var chain = await LongChain.OpenAsync(rounds);
        using var http = new HttpClient();
        var client = new ChainClient(http, chain.RpcUrl);
        new Contest("JSON-RPC, one call after the other", "calls/s", Rounds)
            .AddTimed("HttpClient, the same bytes", Calls, () => PostAsync(http, chain.RpcUrl).GetAwaiter().GetResult())
            .AddTimed("ChainClient", Calls, () => AskAsync(client).GetAwaiter().GetResult())
            .Print();

        var folder = Directory.CreateTempSubdirectory("fedchain-bench-");
        try
        {
            var deployed = await new MembershipClient(client, chain.Membership).GetDeploymentBlockAsync();
            var head = await client.GetBlockNumberAsync();
            var fresh = 0;
            var kept = Path.Combine(folder.FullName, "kept.sqlite");
            IReadOnlyList<ChainEvent> events = [];
            Look(kept);
            Console.WriteLine($"{rounds} rounds: {events.Count} events in {head} blocks");
            new Contest($"Catching up with {rounds} rounds", "rounds/s", 3)
                .AddTimed("eth_getLogs alone, nothing kept or checked", rounds, () => client.GetLogsAsync([.. events.Select(e => e.Emitter).Distinct()], deployed, head).GetAwaiter().GetResult())
                .AddTimed("first look, from nothing", rounds, () => Look(Path.Combine(folder.FullName, $"{fresh++}.sqlite")))
                .AddTimed("restart with the index", rounds, () => Look(kept))
                .Print();

            var start = Stopwatch.GetTimestamp();
            var times = new Dictionary<ulong, ulong>();
            foreach (var blocks in events.Select(e => e.Block).Distinct().Chunk(50))
            {
                foreach (var block in await Task.WhenAll(blocks.Select(b => client.GetBlockAsync(BlockTag.Number(b)))))
                {
                    times[block!.Number] = block.Timestamp;
                }
            }

            Console.WriteLine($"Verifying: {times.Count} block times asked for in {Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s, as verify does");
            var findings = new Findings();
            new Contest($"Replaying {rounds} rounds as an auditor", "rounds/s", 3)
                .AddTimed("ChainAudit", rounds, () => new ChainAudit(31337, block => times[block], findings = new Findings()).Replay(events))
                .Print();
            var checks = findings.Checks().ToList();
            Console.WriteLine($"  {checks.Count(c => c.Result == CheckResult.Held)} checks held, {checks.Count(c => c.Result == CheckResult.Failed)} failed");

            void Look(string file)
            {
                using var index = EventIndex.Open(file, 31337, chain.Membership);
                var reader = new FederationReader(client, chain.Membership, deployed, TimeProvider.System, index);
                reader.ReadAsync(default).GetAwaiter().GetResult();
                events = reader.Events;
                if (reader.State.LastRound != (ulong)rounds || reader.State.Current?.FinalisedAt is null)
                {
                    throw new InvalidOperationException($"The chain is at round {reader.State.LastRound}, expected {rounds}, finalised. Delete the file above, and try again.");
                }
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task PostAsync(HttpClient http, Uri rpc)
    {
        for (var i = 0; i < Calls; i++)
        {
            using var content = new ByteArrayContent(Call);
            content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            using var answer = await http.PostAsync(rpc, content);
            await answer.Content.ReadAsByteArrayAsync();
        }
    }

    private static async Task AskAsync(ChainClient client)
    {
        for (var i = 0; i < Calls; i++)
        {
            await client.GetBlockNumberAsync();
        }
    }
}

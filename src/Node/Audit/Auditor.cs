using FedChain.Network.Chain;
using FedChain.Network.Content;
using FedChain.Node.Homes;
using FedChain.Protocol.Ethereum.Signing;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Audit;

/// <summary>
/// Verifies a federation's whole history. With nothing but an RPC URL and its address: code against the release build, every event replayed, every
/// digest held against what the members serve. With a member's or an auditor's key besides: every aggregate recomputed.
/// </summary>
internal static class Auditor
{
    private const ulong BlocksPerBatch = 50;

    public static async Task<AuditReport> RunAsync(ChainClient chain, AuditRequest request, TimeProvider time, CancellationToken cancellationToken)
    {
        var findings = new Findings(request.FromRound);
        var chainId = await chain.GetChainIdAsync(cancellationToken);
        var client = new MembershipClient(chain, request.Federation);
        var reader = new FederationReader(chain, request.Federation, await client.GetDeploymentBlockAsync(cancellationToken), time);
        request.Progress("reading the federation's log");
        await reader.ReadAsync(cancellationToken);

        var times = new Dictionary<ulong, ulong>();
        foreach (var blocks in reader.Events.Select(e => e.Block).Distinct().Chunk((int)BlocksPerBatch))
        {
            foreach (var (number, seconds) in await Task.WhenAll(blocks.Select(TimeOfAsync)))
            {
                times[number] = seconds;
            }

            request.Progress($"reading block times: {times.Count}");
        }

        var replay = new ChainAudit(chainId, block => times[block], findings);
        replay.Replay(reader.Events);
        await new CodeAudit(chain, request.Federation, reader.Events, replay.State, reader.At!, findings).RunAsync(replay.Contracts, cancellationToken);
        await AuditContentAsync(replay, chainId, reader.Now, request, time, findings, cancellationToken);
        return new AuditReport(
            chainId, request.Federation.ToString(), reader.At!.Number, reader.At.Hash.ToString(), request.Key?.Name, request.FromRound, [.. findings.Checks().OrderBy(c => c.Round)]);

        async Task<(ulong Number, ulong Seconds)> TimeOfAsync(ulong block) =>
            (block, (await chain.GetBlockAsync(BlockTag.Number(block), cancellationToken))?.Timestamp
                ?? throw new ChainException($"The chain no longer has block {block}, whose events it gave; was it reorganised? Run verify again.") { IsTransient = true });
    }

    /// <summary>Round after round: what it needs lies in a folder of its own, which goes before the next one comes.</summary>
    private static async Task AuditContentAsync(
        ChainAudit replay, ulong chainId, ulong now, AuditRequest request, TimeProvider time, Findings findings, CancellationToken cancellationToken)
    {
        var stores = new List<BlockStore>();
        var scratch = Directory.CreateTempSubdirectory("fedchain-verify-"); // for this user alone: opened files lie here
        try
        {
            stores.AddRange(request.Stores.Select(OpenStore));
            using var fetcher = new ContentFetcher(ContentAccess.FetcherOf(request.Home, request.AllowPrivate), time);
            var keyed = request.Key is null ? null : new KeyedAudit(replay.State, replay.Contracts, chainId, new PlaintextSource(request.Key, fetcher), findings);
            foreach (var round in replay.State.Rounds)
            {
                if (round.Id.Value < request.FromRound || round.PhaseAt(now) is Phase.Training)
                {
                    continue; // not asked for; or not public yet
                }

                request.Progress($"checking round {round.Id} of {replay.State.Rounds.Count}: {round.Submissions.Length} updates");
                var folder = scratch.CreateSubdirectory(round.Id.ToString());
                using (var temporary = new BlockStore(folder.CreateSubdirectory("store").FullName))
                {
                    var sources = new ContentSources(stores, fetcher, temporary);
                    var domain = new SigningDomain(chainId, replay.Contracts[round.Id]);
                    var content = await new ContentAudit(replay.State, domain, sources, findings).RunAsync(round, cancellationToken);
                    if (keyed is not null)
                    {
                        await keyed.RunAsync(round, content, sources, folder.CreateSubdirectory("opened").FullName, cancellationToken);
                    }
                }

                folder.Delete(recursive: true);
            }
        }
        finally
        {
            stores.ForEach(s => s.Dispose());
            scratch.Delete(recursive: true);
        }
    }

    private static BlockStore OpenStore(string folder) => Directory.Exists(folder) ? new BlockStore(folder)
        : throw new UserErrorException($"The store {folder} does not exist. --store takes the folder 'store' of a member's home.");
}

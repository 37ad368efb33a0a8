using FedChain.Network.Chain;
using FedChain.Network.Content;
using FedChain.Node.Chain;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Signing;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Audit;

/// <summary>
/// Verifies a federation's whole public history with nothing but an RPC URL and its address: code against the release build, every event replayed,
/// every digest held against what the members serve.
/// </summary>
internal static class Auditor
{
    private const ulong BlocksPerBatch = 50;

    /// <param name="stores">Folders of block stores on this machine, looked into besides the members' endpoints.</param>
    /// <param name="allowPrivate">Whether endpoints on private and loopback addresses are asked.</param>
    public static async Task<AuditReport> RunAsync(
        ChainClient chain, Address membership, IReadOnlyList<string> stores, bool allowPrivate, TimeProvider time, CancellationToken cancellationToken)
    {
        var findings = new Findings();
        var chainId = await chain.GetChainIdAsync(cancellationToken);
        var client = new MembershipClient(chain, membership);
        var reader = new FederationReader(chain, membership, await client.GetDeploymentBlockAsync(cancellationToken), time);
        await reader.ReadAsync(cancellationToken);
        await CompareCodeAsync(chain, membership, reader.State, findings, cancellationToken);

        var times = new Dictionary<ulong, ulong>();
        foreach (var blocks in reader.Events.Select(e => e.Block).Distinct().Chunk((int)BlocksPerBatch))
        {
            foreach (var (number, seconds) in await Task.WhenAll(blocks.Select(TimeOfAsync)))
            {
                times[number] = seconds;
            }
        }

        var replay = new ChainAudit(chainId, block => times[block], findings);
        replay.Replay(reader.Events);
        await CompareCountersAsync(new RoundsClient(chain, replay.State.RoundsContract), replay.State, findings, cancellationToken);

        var scratch = Directory.CreateTempSubdirectory("fedchain-verify-");
        try
        {
            var opened = stores.Select(OpenStore).ToList();
            using var temporary = new BlockStore(scratch.FullName);
            using var fetcher = new ContentFetcher(new ContentFetcherOptions { AllowPrivateAddresses = allowPrivate }, time);
            await new ContentAudit(
                replay.State, new SigningDomain(chainId, replay.State.RoundsContract), new ContentSources(opened, fetcher, temporary), findings).RunAsync(cancellationToken);
            opened.ForEach(s => s.Dispose());
        }
        finally
        {
            scratch.Delete(recursive: true);
        }

        return new AuditReport(chainId, membership.ToString(), reader.Head!.Number, reader.Head.Hash.ToString(), [.. findings.Checks().OrderBy(c => c.Round)]);

        async Task<(ulong Number, ulong Seconds)> TimeOfAsync(ulong block) =>
            (block, (await chain.GetBlockAsync(BlockTag.Number(block), cancellationToken))?.Timestamp
                ?? throw new ChainException($"The chain no longer has block {block}, whose events it gave; was it reorganised? Run verify again.") { IsTransient = true });
    }

    private static BlockStore OpenStore(string folder) => Directory.Exists(folder) ? new BlockStore(folder)
        : throw new UserErrorException($"The store {folder} does not exist. --store takes the folder 'store' of a member's home.");

    private static async Task CompareCodeAsync(ChainClient chain, Address membership, FederationState state, Findings findings, CancellationToken cancellationToken)
    {
        foreach (var (name, address) in new[] { ("Membership", membership), ("Governance", state.Governance), ("Rounds", state.RoundsContract) })
        {
            var code = await chain.GetCodeAsync(address, cancellationToken);
            findings.Compare("code", 0, ContractArtifact.Load(name).IsDeployedAs(code), $"{name} at {address} has {code.Length} bytes of code that aren't the release build's");
        }

        findings.Say("code", 0, "Membership, Governance and Rounds are the release build, but for what their constructors set");
        var rounds = new RoundsClient(chain, state.RoundsContract);
        var governance = new GovernanceClient(chain, state.Governance);
        var named = (await rounds.GetMembershipAsync(cancellationToken), await rounds.GetGovernanceAsync(cancellationToken), await governance.GetMembershipAsync(cancellationToken));
        findings.Compare("wiring", 0, named == (membership, state.Governance, membership), $"Rounds and Governance name {named}, not Membership {membership} and Governance {state.Governance}");
        findings.Say("wiring", 0, $"the three name each other: governance {state.Governance}, rounds {state.RoundsContract}");
    }

    /// <summary>The contract's counters of each member against those that follow from the log.</summary>
    private static async Task CompareCountersAsync(RoundsClient rounds, FederationState state, Findings findings, CancellationToken cancellationToken)
    {
        foreach (var id in state.Seats.Keys)
        {
            var counted = await rounds.GetMemberAsync(id, cancellationToken);
            var submitted = state.Rounds.Count(r => r.SubmissionOf(id) is not null);
            var published = state.Rounds.Sum(r => r.Candidates.Count(c => c.Aggregator == id));
            findings.Compare("counters", 0, counted.Submitted == submitted, $"member {id} submitted {submitted} times, the contract counts {counted.Submitted}");
            var contradicted = state.Rounds.Count(r => r.Winner is { } winner && winner.Votes.TryGetValue(id, out var valid) && !valid);
            findings.Compare("counters", 0, counted.Contradicted == contradicted, $"member {id} voted {contradicted} times against a candidate that was finalised, the contract counts {counted.Contradicted}");
            findings.Compare("counters", 0, counted.Published == published, $"member {id} published {published} times, the contract counts {counted.Published}");
        }

        findings.Say("counters", 0, $"submissions, publications and contradicted votes of {state.Seats.Count} members as the contract counts them");
    }
}

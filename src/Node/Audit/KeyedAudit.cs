using System.Text;
using FedChain.Aggregator;
using FedChain.Protocol;
using FedChain.Protocol.Content;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Audit;

/// <summary>
/// What only a key can check: that the published adapters are what the chain names, that every included update is valid, and that their mean is the
/// aggregate. Rounds are gone through in order, one at a time; all that is kept between them is what the next one starts from: the adapter and, under server
/// momentum, its velocity. Needs
/// neither torch nor the base model: names and shapes come from the adapter files, and the genesis authenticates them.
/// </summary>
internal sealed class KeyedAudit(
    FederationState federation, IReadOnlyDictionary<RoundId, Address> contracts, ulong chainId, PlaintextSource plaintexts, Findings findings)
{
    public const string Genesis = "genesis";

    private const string Recomputed = "recomputed";

    /// <summary>The longest adapter file, for when the layout isn't known yet; updates are no longer.</summary>
    public const long MostBytes = 8 + AdapterFile.MaxHeaderSize + (4L * AdapterLayout.MaxElements);

    private (Hash256 Digest, Adapter Adapter)? _latest;
    private (Hash256 Digest, StateVector Velocity)? _carried;

    /// <param name="round">The round.</param>
    /// <param name="content">What was found of it.</param>
    /// <param name="sources">For what else is needed.</param>
    /// <param name="folder">An empty folder for this round's plaintexts; the caller's to delete.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task RunAsync(RoundState round, RoundContent content, ContentSources sources, string folder, CancellationToken cancellationToken)
    {
        if (round.Submissions.IsEmpty)
        {
            return;
        }

        Policy policy;
        try
        {
            policy = Policy.Parse(Encoding.UTF8.GetBytes(federation.Policies[round.Policy].Json));
        }
        catch (InvalidDataException e)
        {
            findings.Unavailable(Recomputed, round.Id.Value, $"the policy {round.Policy} is none that this version can follow: {e.Message}");
            return;
        }

        var keyed = new KeyedRound(federation, round, policy, contracts[round.Id], chainId, content, sources, plaintexts, folder, findings);
        var winnerPath = await keyed.OpenWinnerAsync(cancellationToken);
        var @base = await BaseOfAsync(round, policy, keyed, winnerPath, sources, folder, cancellationToken);
        var published = winnerPath is null ? null : keyed.ReadWinner(winnerPath, @base);
        Aggregate? recomputed = null;
        if (@base is null)
        {
            findings.Unavailable(Recomputed, round.Id.Value, $"the adapter {round.Base}, from which the round starts, could not be had");
        }
        else if (await VelocityBeforeAsync(round, policy, @base.Layout, sources, folder, cancellationToken) is (true, var velocity))
        {
            recomputed = await keyed.RecomputeAsync(@base, velocity, cancellationToken);
        }
        else
        {
            findings.Unavailable(Recomputed, round.Id.Value, "the velocity that momentum carried on to it could not be had");
        }

        if (round.Winner is { } winner)
        {
            _latest = (published ?? recomputed?.Adapter) is { } result ? (winner.Aggregate, result) : null;
            var opened = @base is null ? null : await keyed.OpenStateAsync(@base.Layout, cancellationToken);
            _carried = content.Global?.State is { } state && (recomputed?.Velocity ?? opened) is { } carried ? (state.Plaintext, carried) : null;
        }
        else if (@base is not null)
        {
            _latest = (round.Base, @base);
        }
    }

    private async Task<Adapter?> BaseOfAsync(
        RoundState round, Policy policy, KeyedRound keyed, string? winnerPath, ContentSources sources, string folder, CancellationToken cancellationToken)
    {
        if (_latest is { } latest && latest.Digest == round.Base)
        {
            return latest.Adapter;
        }

        if (federation.Policies[round.Policy].Genesis == round.Base)
        {
            return await FirstAsync(round, policy, keyed, winnerPath, cancellationToken);
        }

        return federation.Rounds.LastOrDefault(r => r.Id.CompareTo(round.Id) < 0 && r.Winner?.Aggregate == round.Base) is { } source
            ? await FetchAsync(source, policy, sources, Path.Combine(folder, "base"), cancellationToken)
            : null;
    }

    /// <summary>What momentum carried on to a round, which may be nothing; and whether that could be had.</summary>
    private async Task<(bool Known, StateVector? Velocity)> VelocityBeforeAsync(
        RoundState round, Policy policy, AdapterLayout layout, ContentSources sources, string folder, CancellationToken cancellationToken)
    {
        if (policy.Rule is not AggregationRule.Momentum || federation.FinalisedBefore(round).FirstOrDefault() is not { } source)
        {
            return (true, null);
        }

        if (await GlobalManifestAsync(source, sources, cancellationToken) is not { } manifest)
        {
            return (false, null);
        }

        if (manifest.State is not { } state || _carried is { } carried && carried.Digest == state.Plaintext)
        {
            return (true, manifest.State is null ? null : _carried!.Value.Velocity);
        }

        var path = Path.Combine(folder, "velocity");
        if (!await OpenAsync(source, state.Payload, state.Size, state.Plaintext, StateFile.LengthOf(StateKind.Velocity, layout), sources, path, cancellationToken))
        {
            return (false, null);
        }

        try
        {
            using var file = File.OpenRead(path);
            return (true, StateFile.Read(file, file.Length, StateKind.Velocity, layout, out _));
        }
        catch (InvalidDataException)
        {
            return (false, null); // the check of its own round says in what it is wrong
        }
    }

    /// <summary>The genesis: computed from the policy's seed and a layout that somebody published, which is right if its digest is the policy's genesis.</summary>
    private async Task<Adapter?> FirstAsync(RoundState round, Policy policy, KeyedRound keyed, string? winnerPath, CancellationToken cancellationToken)
    {
        var mismatch = "";
        await foreach (var (layout, from) in keyed.LayoutsAsync(winnerPath, cancellationToken))
        {
            if (Departure(layout, policy.Adapter) is { } departure)
            {
                mismatch = $"{from} {departure}";
                continue;
            }

            var first = Adapter.First(layout, policy.Seed, policy.Adapter.FractionBits);
            var digest = AdapterFile.Digest(first);
            if (digest == round.Base)
            {
                findings.Compare(Genesis, 0, holds: true, $"");
                findings.Say(Genesis, 0, $"{round.Base} is what seed {policy.Seed} makes of {layout.Tensors.Length} tensors with {layout.Count:N0} values");
                return first;
            }

            mismatch = $"{from} has a layout of which seed {policy.Seed} makes {digest}";
        }

        if (mismatch.Length > 0)
        {
            findings.Fail(Genesis, 0, $"the genesis {round.Base} of policy {round.Policy} can't be made again: {mismatch}");
        }
        else
        {
            findings.Unavailable(Genesis, 0, $"nothing of round {round.Id} could be opened that shows the layout of the genesis {round.Base}");
        }

        return null;
    }

    /// <summary>In what a layout departs from the policy's configuration, as far as it can be seen without the base model.</summary>
    private static string? Departure(AdapterLayout layout, AdapterConfig config)
    {
        var targets = layout.Tensors.Select(t => t.Name.Split('.')[^3]).Distinct().Order(StringComparer.Ordinal).ToList();
        return layout.Rank != config.Rank ? $"has rank {layout.Rank}, but the policy says {config.Rank}"
            : !targets.SequenceEqual(config.Targets) ? $"adapts {string.Join(", ", targets)}, but the policy says {string.Join(", ", config.Targets)}"
            : null;
    }

    private async Task<Adapter?> FetchAsync(RoundState source, Policy policy, ContentSources sources, string destination, CancellationToken cancellationToken)
    {
        if (await GlobalManifestAsync(source, sources, cancellationToken) is not { Payload: { } payload } manifest
            || !await OpenAsync(source, payload, manifest.Size, source.Winner!.Aggregate, MostBytes, sources, destination, cancellationToken))
        {
            return null;
        }

        try
        {
            using var adapter = File.OpenRead(destination);
            return AdapterFile.Read(adapter, adapter.Length, policy.Adapter.FractionBits, layout: null, out _);
        }
        catch (InvalidDataException)
        {
            return null; // the check of its own round says in what it is wrong
        }
    }

    /// <summary>The manifest that a round finalised; null if it can't be had or read.</summary>
    private async Task<GlobalManifest?> GlobalManifestAsync(RoundState round, ContentSources sources, CancellationToken cancellationToken)
    {
        var winner = round.Winner!;
        var found = await sources.BlockAsync(Cid.RawOf(winner.Manifest), ContentAudit.Endpoints(federation, round, winner.Aggregator), Manifest.MaxSize, cancellationToken);
        try
        {
            return found.Bytes is null ? null : GlobalManifest.Parse(found.Bytes);
        }
        catch (InvalidDataException)
        {
            return null; // the check of its own round says in what it is wrong
        }
    }

    /// <summary>Opens a file that a finalised round's manifest names.</summary>
    private async Task<bool> OpenAsync(
        RoundState source, Cid payload, long size, Hash256 plaintext, long maxSize, ContentSources sources, string destination, CancellationToken cancellationToken)
    {
        var endpoints = ContentAudit.Endpoints(federation, source, source.Winner!.Aggregator);
        var file = await sources.FileAsync(payload, size, endpoints, cancellationToken);
        return (await plaintexts.OpenAsync(file, payload, plaintext, maxSize, source, endpoints, destination, cancellationToken)).Result == CheckResult.Held;
    }
}

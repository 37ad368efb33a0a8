using System.Collections.Immutable;
using System.Text;
using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Content;
using FedChain.Protocol.Ethereum.Signing;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Audit;

/// <summary>What was found of a round: the manifests that can be read, and where the sealed files that they name lie.</summary>
internal sealed class RoundContent
{
    /// <summary>Update manifests by the index of their submission.</summary>
    public Dictionary<int, UpdateManifest> Updates { get; } = [];

    /// <summary>The manifest of the candidate that was finalised.</summary>
    public GlobalManifest? Global { get; set; }

    /// <summary>Why that manifest, or the file of holdings that it names, can't be read; null if nothing is wrong with it, or it was not to be had.</summary>
    public string? GlobalRefusal { get; set; }

    public Dictionary<Cid, ContentSources.Found> Files { get; } = [];
}

/// <summary>Holds what the members serve against what the chain says: manifests, sealed files, signed holdings and which updates they include.</summary>
internal sealed class ContentAudit(FederationState federation, SigningDomain domain, ContentSources sources, Findings findings)
{
    public async Task<RoundContent> RunAsync(RoundState round, CancellationToken cancellationToken)
    {
        var content = new RoundContent();
        foreach (var submission in round.Submissions)
        {
            await UpdateAsync(round, submission, content, cancellationToken);
        }

        if (round.Winner is { } winner)
        {
            await GlobalAsync(round, winner, content, cancellationToken);
        }

        return content;
    }

    /// <summary>The author's endpoints first, by today's profiles, since the ones of back then may have moved.</summary>
    public static IReadOnlyList<Uri> Endpoints(FederationState federation, RoundState round, MemberId author) =>
        [.. federation.Seats.Keys.OrderBy(id => id != author).ThenBy(id => id).SelectMany(id => Sealing.EndpointsOf(federation.Profiles.GetValueOrDefault(id)))
            .Concat(Sealing.EndpointsOf(round.Profiles.GetValueOrDefault(author))).Distinct()];

    private async Task UpdateAsync(RoundState round, Submission submission, RoundContent content, CancellationToken cancellationToken)
    {
        var name = $"update-{submission.Member}";
        if (await ManifestAsync(name, round, submission.Member, submission.Manifest, cancellationToken) is not { } bytes)
        {
            return;
        }

        UpdateManifest manifest;
        try
        {
            manifest = UpdateManifest.Parse(bytes);
        }
        catch (InvalidDataException e)
        {
            findings.Fail(name, round.Id.Value, e.Message);
            return;
        }

        var said = (manifest.Chain, manifest.Rounds, manifest.Round, manifest.Member, manifest.Policy, manifest.Base);
        var expected = (domain.ChainId, domain.Rounds, round.Id, submission.Member, round.Policy, round.Base);
        findings.Compare(name, round.Id.Value, said == expected, $"its manifest says {said}, but the chain says {expected}");
        content.Updates[submission.Index] = manifest;
        await PayloadAsync(name, round, submission.Member, manifest.Payload, manifest.Size, content, cancellationToken);
    }

    private async Task GlobalAsync(RoundState round, Candidate winner, RoundContent content, CancellationToken cancellationToken)
    {
        const string Name = "global-adapter";
        if (await ManifestAsync(Name, round, winner.Aggregator, winner.Manifest, cancellationToken) is not { } bytes)
        {
            return;
        }

        GlobalManifest manifest;
        ImmutableArray<SignedHolding> holdings;
        try
        {
            content.Global = manifest = GlobalManifest.Parse(bytes);
            if (manifest.Holdings is HoldingsSource.Inline(var inline))
            {
                holdings = inline;
            }
            else
            {
                var file = ((HoldingsSource.Stored)manifest.Holdings).Cid;
                var found = await sources.BlockAsync(file, Endpoints(federation, round, winner.Aggregator), GlobalManifest.MaxHoldingsSize, cancellationToken);
                if (found.Bytes is null)
                {
                    Record("holdings", round, found);
                    return;
                }

                holdings = GlobalManifest.ParseHoldings(found.Bytes);
            }
        }
        catch (InvalidDataException e)
        {
            content.GlobalRefusal = e.Message;
            findings.Fail(Name, round.Id.Value, e.Message);
            return;
        }

        if (RuleOf(round) is { } rule)
        {
            var refusal = CandidateRules.Refusal(manifest, holdings, round, rule, winner, domain);
            findings.Compare("holdings", round.Id.Value, refusal is null, $"{refusal}");
            findings.Say("holdings", round.Id.Value, $"{holdings.Length} signed; they include {manifest.Included.Count} of {round.Submissions.Length} updates, as the manifest does");
        }

        if (manifest.Payload is { } payload)
        {
            await PayloadAsync(Name, round, winner.Aggregator, payload, manifest.Size, content, cancellationToken);
        }

        if (manifest.State is { } state)
        {
            await PayloadAsync("global-state", round, winner.Aggregator, state.Payload, state.Size, content, cancellationToken);
        }
    }

    /// <summary>The rule in force; null, and a finding, under a policy that this version can't follow.</summary>
    private AggregationRule? RuleOf(RoundState round)
    {
        try
        {
            return Policy.Parse(Encoding.UTF8.GetBytes(federation.Policies[round.Policy].Json)).Rule;
        }
        catch (InvalidDataException e)
        {
            findings.Unavailable("holdings", round.Id.Value, $"the policy {round.Policy} is none that this version can follow: {e.Message}");
            return null;
        }
    }

    private async Task<byte[]?> ManifestAsync(string name, RoundState round, MemberId author, Hash256 digest, CancellationToken cancellationToken)
    {
        var found = await sources.BlockAsync(Cid.RawOf(digest), Endpoints(federation, round, author), Manifest.MaxSize, cancellationToken);
        Record(name, round, found with { Detail = $"manifest {found.Detail}" });
        return found.Bytes;
    }

    private async Task PayloadAsync(
        string name, RoundState round, MemberId author, Cid payload, long size, RoundContent content, CancellationToken cancellationToken)
    {
        var found = await sources.FileAsync(payload, size, Endpoints(federation, round, author), cancellationToken);
        content.Files[payload] = found;
        Record(name, round, found with { Detail = $"sealed file {found.Detail}" });
        findings.Say(name, round.Id.Value, $"sealed file {payload} ({size:N0} bytes) as its manifest names it, {found.Detail}");
    }

    private void Record(string name, RoundState round, ContentSources.Found found)
    {
        if (found.Result == CheckResult.Unavailable)
        {
            findings.Unavailable(name, round.Id.Value, found.Detail);
        }
        else
        {
            findings.Compare(name, round.Id.Value, found.Result == CheckResult.Held, $"{found.Detail}");
        }
    }
}

using FedChain.Network.Content;
using FedChain.Node.Chain;
using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Content;
using FedChain.Protocol.Identity;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Identity;

/// <summary>
/// Which updates entered a global adapter: the log names the submissions, the global manifest says which were included. It is looked for in stores on
/// this machine and then, if allowed, at the members' endpoints.
/// </summary>
internal sealed class ModelLinks(ChainSession session, IReadOnlyList<IContentStore> stores, ContentFetcher? fetcher)
{
    /// <summary>The id of the model that a member's update of this round came from; null if its profile named none.</summary>
    public Hash256? ModelOf(RoundState round, MemberId member) => ModelIdentity.Of(session.ChainId, session.Federation, member, round)?.Id;

    /// <summary>The included submissions of a finalised round.</summary>
    /// <returns>Null if the manifest can't be had, with the reason.</returns>
    public async Task<(IReadOnlyList<Submission>? Included, string Detail)> IncludedAsync(RoundState round, CancellationToken cancellationToken)
    {
        var winner = round.Winner ?? throw new ArgumentException("The round was not finalised.", nameof(round));
        var cid = Cid.RawOf(winner.Manifest);
        var (bytes, detail) = await ManifestAsync(cid, round, winner.Aggregator, cancellationToken);
        if (bytes is null)
        {
            return (null, detail);
        }

        try
        {
            var included = GlobalManifest.Parse(bytes).Included;
            return included.IsOf(round.Submissions.Length)
                ? ([.. included.Indices.Select(i => round.Submissions[i])], detail)
                : (null, $"manifest {cid} includes {included}, which is no bitmap of {round.Submissions.Length} submissions");
        }
        catch (InvalidDataException e)
        {
            return (null, $"manifest {cid}: {e.Message}");
        }
    }

    private async Task<(byte[]? Bytes, string Detail)> ManifestAsync(Cid cid, RoundState round, MemberId author, CancellationToken cancellationToken)
    {
        foreach (var store in stores)
        {
            try
            {
                if (await store.GetAsync(cid, cancellationToken: cancellationToken) is { } block)
                {
                    return (block.ToArray(), "from the store");
                }
            }
            catch (CorruptBlockException)
            {
                // a member may have it whole; verify --store names the damage
            }
        }

        if (fetcher is null)
        {
            return (null, $"manifest {cid} is in no store that was named");
        }

        var state = session.Reader.State;
        Uri[] endpoints =
        [
            .. state.Seats.Keys.OrderBy(id => id != author).ThenBy(id => id).SelectMany(id => Sealing.EndpointsOf(state.Profiles.GetValueOrDefault(id))),
            .. Sealing.EndpointsOf(round.Profiles.GetValueOrDefault(author)),
        ];
        var fetched = await fetcher.FetchBlockAsync(cid, endpoints, Manifest.MaxSize, cancellationToken);
        return fetched.IsComplete ? (fetched.Bytes.ToArray(), fetched.ToString()) : (null, $"manifest {cid}: {fetched}");
    }
}

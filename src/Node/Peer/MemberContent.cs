using FedChain.Network.Content;
using FedChain.Node.Homes;
using FedChain.Protocol;
using FedChain.Protocol.Envelope;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Peer;

/// <summary>
/// What this member serves beside blocks. Nobody logs in: holdings are public, and a payload is sealed to the member or auditor who is to read it,
/// if it is entitled to.
/// </summary>
internal sealed class MemberContent(HomeFolder home, PeerIdentity identity) : IFederationContent
{
    /// <summary>The latest view of the chain; set by the peer's loop.</summary>
    public FederationState Federation { get; set; } = FederationState.Empty;

    public Task<byte[]?> HoldingsAsync(RoundId round, CancellationToken cancellationToken) => Task.FromResult(
        Federation.Round(round) is { } state && state.SubmissionOf(identity.Member) is { } mine
            ? new RoundFolder(home, identity.ChainId, state).Holdings(mine.Index)
            : null);

    public IReadOnlyList<Uri>? EndpointsOf(MemberId member) =>
        Federation.Seats.ContainsKey(member) ? Sealing.EndpointsOf(Federation.Profiles.GetValueOrDefault(member)) : null;

    public async Task<bool> WritePayloadAsync(Hash256 digest, PayloadReader to, Stream destination, CancellationToken cancellationToken)
    {
        var isUpdate = File.Exists(home.UpdateFile(digest));
        var path = isUpdate ? home.UpdateFile(digest) : home.AdapterFile(digest);
        if (!File.Exists(path))
        {
            return false;
        }

        await using var source = File.OpenRead(path);
        RoundId? round = isUpdate ? UpdateFile.ReadHeader(source, source.Length).Metadata.Round : null;
        var recipients = RecipientSelection.From([Entitlement.RecipientsOf(Federation, to, round)], RequiresPostQuantum()).Recipients;
        if (recipients.Count == 0)
        {
            return false;
        }

        source.Position = 0;
        await using var age = new AgeWriter(destination, recipients, leaveOpen: true);
        await source.CopyToAsync(age, cancellationToken);
        await age.CompleteAsync(cancellationToken);
        return true;
    }

    /// <summary>Whether the policy in force or the one to come requires it.</summary>
    private bool RequiresPostQuantum() =>
        new[] { Federation.LatestPolicy, Federation.Current is { } round ? Federation.Policies.GetValueOrDefault(round.Policy) : null }
            .OfType<PolicySet>().Any(policy => RequiresPostQuantum(policy.Json));

    private static bool RequiresPostQuantum(string policy)
    {
        try
        {
            return Policy.Parse(System.Text.Encoding.UTF8.GetBytes(policy)).PostQuantum;
        }
        catch (InvalidDataException)
        {
            return true; // it may, for all that this version can tell
        }
    }
}

using FedChain.Network.Content;
using FedChain.Node.Homes;
using FedChain.Protocol;
using FedChain.Protocol.Envelope;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Peer;

/// <summary>What this member serves beside blocks. Nobody logs in: holdings are public, and a payload is sealed to the member who is to read it.</summary>
internal sealed class MemberContent(HomeFolder home, PeerIdentity identity) : IFederationContent
{
    /// <summary>The latest view of the chain; set by the peer's loop.</summary>
    public FederationState Federation { get; set; } = FederationState.Empty;

    public Task<byte[]?> HoldingsAsync(RoundId round, CancellationToken cancellationToken) => Task.FromResult(
        Federation.Round(round) is { } state && state.SubmissionOf(identity.Member) is { } mine
            ? new RoundFolder(home, identity.ChainId, identity.Rounds, state).Holdings(mine.Index)
            : null);

    public async Task<bool> WritePayloadAsync(Hash256 digest, MemberId to, Stream destination, CancellationToken cancellationToken)
    {
        var path = new[] { home.UpdateFile(digest), home.AdapterFile(digest) }.FirstOrDefault(File.Exists);
        if (path is null || !Federation.Seats.ContainsKey(to))
        {
            return false;
        }

        var recipients = RecipientSelection.From([Sealing.AgeOf(Federation.Profiles.GetValueOrDefault(to))]).Recipients;
        if (recipients.Count == 0)
        {
            return false;
        }

        await using var source = File.OpenRead(path);
        await using var age = new AgeWriter(destination, recipients, leaveOpen: true);
        await source.CopyToAsync(age, cancellationToken);
        await age.CompleteAsync(cancellationToken);
        return true;
    }
}

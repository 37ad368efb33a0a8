using FedChain.Network.Chain;
using FedChain.Node.Chain;
using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Files;
using FedChain.Protocol.Identity;

namespace FedChain.Node.Identity;

/// <summary>Looks up on the chain what belongs to a member's identity.</summary>
internal static class MemberResolver
{
    /// <exception cref="UserErrorException">The federation never had such a seat.</exception>
    public static async Task<MemberHistory> HistoryAsync(ChainSession session, MemberId member, CancellationToken cancellationToken)
    {
        var times = new Dictionary<ulong, ulong>();
        foreach (var block in MemberHistory.BlocksOf(member, session.Reader.Events))
        {
            times[block] = (await session.Client.GetBlockAsync(BlockTag.Number(block), cancellationToken))?.Timestamp
                ?? throw new ChainException($"The chain no longer has block {block}, whose events it gave; was it reorganised? Run the command again.") { IsTransient = true };
        }

        return MemberHistory.Of(member, session.Reader.Events, block => times[block])
            ?? throw new UserErrorException($"The federation {session.Federation} on chain {session.ChainId} has no member {member}. 'fedchain status' lists the members.");
    }

    public static JsonValue Resolve(ChainSession session, MemberHistory history)
    {
        var did = new MemberDid(session.ChainId, session.Federation, history.Member);
        var state = session.Reader.State;
        var at = session.Reader.At!;
        var document = state.Seats.TryGetValue(history.Member, out var seat)
            ? DidDocument.Of(did, seat, Sealing.ProfileOf(state.Profiles.GetValueOrDefault(history.Member)))
            : DidDocument.Deactivated(did);
        return DidResolution.Of(document, history.Created, history.Updated, new BlockMoment(at.Number, at.Hash, at.Timestamp), deactivated: !history.IsHeld);
    }
}

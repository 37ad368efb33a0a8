using FedChain.Network.Chain;
using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Seats;

/// <summary>The secrets behind a seat's commitments, which follow from the operator's key, the seat and the commitment's number.</summary>
internal sealed class SeatSecrets(PeerIdentity identity)
{
    /// <summary>
    /// How many of the latest commitments are tried: one may have been made early (a contract's board signs days later), and one that waits for the
    /// next opening is newer than the one in force.
    /// </summary>
    private const ulong Lookback = 16;

    /// <summary>The commitment that a key makes as the seat's number <paramref name="index"/>.</summary>
    public static Hash256 Commitment(PrivateKey key, ulong chainId, Address rounds, MemberId member, ulong index) =>
        Preimages.Commitment(chainId, rounds, member, Preimages.Secret(key, chainId, rounds, member, index));

    /// <summary>What opens the commitment in force, with the operator's key or, after a rotation, a former one's; null if none of them made it.</summary>
    public Hash256? Opening(MemberView member) => Opening(member.Commitment, member.Commitments);

    /// <summary>The commitment to make next.</summary>
    public Hash256 Next(MemberView member) => Commitment(identity.Keys.Operator, identity.ChainId, identity.Rounds, identity.Member, member.Commitments);

    /// <summary>
    /// Whether the seat needs another commitment before it can submit: its own is not this home's, because an application's id was guessed wrong, the
    /// operator's key was lost, or the Rounds contract is a new one; and none that was made since waits for the next opening.
    /// </summary>
    public async Task<bool> MustRecommitAsync(RoundsClient rounds, FederationState federation, CancellationToken cancellationToken)
    {
        var member = await rounds.GetMemberAsync(identity.Member, cancellationToken);
        if (Opening(member) is not null)
        {
            return false;
        }

        return !federation.Commitments.TryGetValue(identity.Member, out var latest) || latest.Index + 1 != member.Commitments || Opening(latest.Commitment, member.Commitments) is null;
    }

    private Hash256? Opening(Hash256 commitment, ulong commitments)
    {
        foreach (var key in identity.Keys.Operators)
        {
            for (var back = 1UL; back <= Math.Min(commitments, Lookback); back++)
            {
                var secret = Preimages.Secret(key, identity.ChainId, identity.Rounds, identity.Member, commitments - back);
                if (Preimages.Commitment(identity.ChainId, identity.Rounds, identity.Member, secret) == commitment)
                {
                    return secret;
                }
            }
        }

        return null;
    }
}

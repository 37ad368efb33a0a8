using FedChain.Node.Homes;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Signing;

namespace FedChain.Node.Peer;

/// <summary>Who this peer is, in which federation, with its unlocked keys.</summary>
public sealed record PeerIdentity(ulong ChainId, Address Membership, Address Rounds, MemberId Member, PeerKeys Keys)
{
    public SigningDomain Domain { get; } = new(ChainId, Rounds);
}

using FedChain.Protocol;
using FedChain.Protocol.Envelope;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Signing;

namespace FedChain.Node.Peer;

/// <summary>Who this peer is, in which federation, with its unlocked keys.</summary>
public sealed record PeerIdentity(ulong ChainId, Address Membership, Address Rounds, MemberId Member, PrivateKey Operator, AgeIdentity Age)
{
    public SigningDomain Domain { get; } = new(ChainId, Rounds);
}

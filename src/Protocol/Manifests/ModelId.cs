using FedChain.Protocol.Ethereum;

namespace FedChain.Protocol.Manifests;

/// <summary>Names one institution's language model on the chain.</summary>
public static class ModelId
{
    /// <summary>keccak256(abi.encode(chainid, membership, member id, baseModel, adapterConfig)).</summary>
    /// <param name="chain">The chain's id.</param>
    /// <param name="membership">The Membership contract.</param>
    /// <param name="member">The member.</param>
    /// <param name="baseModel">Digest of the base model.</param>
    /// <param name="adapterConfig">Digest of the adapter configuration.</param>
    public static Hash256 Of(ulong chain, Address membership, MemberId member, Hash256 baseModel, Hash256 adapterConfig) =>
        Keccak256.OfWords(chain, membership, member, baseModel, adapterConfig);
}

namespace FedChain.Protocol.Ethereum.Signing;

/// <summary>
/// The EIP-712 domain that members sign in: name FedChain, version 1, the chain and its Rounds contract. A signature is worth nothing in another federation.
/// </summary>
public sealed class SigningDomain
{
    private static readonly Hash256 TypeHash = Keccak256.Hash("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    private static readonly Hash256 Name = Keccak256.Hash("FedChain");
    private static readonly Hash256 Version = Keccak256.Hash("1");

    public SigningDomain(ulong chainId, Address rounds)
    {
        (ChainId, Rounds) = (chainId, rounds);
        Separator = SeparatorOf(chainId, rounds);
    }

    public ulong ChainId { get; }

    public Address Rounds { get; }

    public Hash256 Separator { get; }

    /// <summary>What is signed: keccak256(0x1901 | domain separator | hash of the struct).</summary>
    public Hash256 Digest(Holdings holdings) => Digest(Separator, holdings.StructHash);

    /// <inheritdoc cref="Digest(Holdings)"/>
    public Hash256 Digest(Attestation attestation) => Digest(Separator, attestation.StructHash);

    internal static Hash256 SeparatorOf(ulong chainId, Address contract) => Keccak256.OfWords(TypeHash, Name, Version, chainId, contract);

    internal static Hash256 Digest(Hash256 separator, Hash256 structHash)
    {
        Span<byte> preimage = stackalloc byte[2 + (2 * Hash256.Size)];
        (preimage[0], preimage[1]) = (0x19, 0x01);
        separator.CopyTo(preimage[2..]);
        structHash.CopyTo(preimage[(2 + Hash256.Size)..]);
        return Keccak256.Hash(preimage);
    }
}

namespace FedChain.Protocol.Ethereum.Signing;

/// <summary>What an institution says in the name of its model: signed by its operator or holder, checked against the chain alone.</summary>
/// <param name="Member">The seat that speaks.</param>
/// <param name="Model">The id of its model when it was signed.</param>
/// <param name="IssuedAt">When, Unix seconds; the signer's word.</param>
/// <param name="Text">What is said; about a file, the line that <c>sha256sum</c> prints of it.</param>
public sealed record Statement(MemberId Member, Hash256 Model, ulong IssuedAt, string Text)
{
    private static readonly Hash256 TypeHash = Keccak256.Hash("Statement(uint256 member,bytes32 model,uint256 issuedAt,string text)");

    public Hash256 StructHash => Keccak256.OfWords(TypeHash, Member, Model, IssuedAt, Keccak256.Hash(Text));

    /// <summary>What is signed. The domain's contract is Membership, unlike that of holdings: an identity outlives a successor of Rounds.</summary>
    public Hash256 Digest(ulong chainId, Address membership) => SigningDomain.Digest(SigningDomain.SeparatorOf(chainId, membership), StructHash);
}

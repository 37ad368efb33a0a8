namespace FedChain.Protocol.Ethereum.Signing;

/// <summary>A submitter's statement of which updates it fetched, decrypted and validated.</summary>
/// <param name="Round">The round.</param>
/// <param name="Set">The rolling hash of all submissions at the close.</param>
/// <param name="Bitmap">Bit i is submission index i, least significant first.</param>
public sealed record Holdings(RoundId Round, Hash256 Set, ReadOnlyMemory<byte> Bitmap)
{
    private static readonly Hash256 TypeHash = Keccak256.Hash("Holdings(uint256 round,bytes32 set,bytes bitmap)");

    public Hash256 StructHash => Keccak256.OfWords(TypeHash, Round, Set, Keccak256.Hash(Bitmap.Span));

    public bool Equals(Holdings? other) => other is not null && Round == other.Round && Set == other.Set && Bitmap.Span.SequenceEqual(other.Bitmap.Span);

    public override int GetHashCode() => HashCode.Combine(Round, Set, Bitmap.Length);
}

/// <summary>A submitter's vote on a candidate aggregate, as a signature that anybody may bring to the chain.</summary>
/// <param name="Round">The round.</param>
/// <param name="Turn">The turn, from 0.</param>
/// <param name="Candidate">keccak256(abi.encode(round, turn, set, manifest, aggregate)).</param>
/// <param name="Valid">False only for a fault provable from bytes.</param>
public sealed record Attestation(RoundId Round, uint Turn, Hash256 Candidate, bool Valid)
{
    private static readonly Hash256 TypeHash = Keccak256.Hash("Attestation(uint256 round,uint256 turn,bytes32 candidate,bool valid)");

    public Hash256 StructHash => Keccak256.OfWords(TypeHash, Round, Turn, Candidate, Valid);
}

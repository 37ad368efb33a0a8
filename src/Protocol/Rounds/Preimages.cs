using System.Text;
using FedChain.Protocol.Ethereum;

namespace FedChain.Protocol.Rounds;

/// <summary>The hashes that bind a round together, each keccak256 of abi.encode. Source: docs/protocol.md, "Preimages".</summary>
public static class Preimages
{
    /// <summary>set' = keccak(set, member, manifest); the first set is zero.</summary>
    public static Hash256 NextSet(Hash256 set, MemberId member, Hash256 manifest) => Keccak256.OfWords(set, member, manifest);

    /// <summary>beacon' = beacon xor keccak(round, member, secret): the order of submissions does not matter. The first beacon is zero.</summary>
    public static Hash256 NextBeacon(Hash256 beacon, RoundId round, MemberId member, Hash256 secret) => beacon ^ Keccak256.OfWords(round, member, secret);

    /// <summary>What a vote is about. The correct aggregate is the same whoever computes it, so the vote must name the turn and the submissions as well.</summary>
    public static Hash256 Candidate(RoundId round, int turn, Hash256 set, Hash256 manifest, Hash256 aggregate) =>
        Keccak256.OfWords(round, (ulong)turn, set, manifest, aggregate);

    public static Hash256 Commitment(ulong chainId, Address rounds, MemberId member, Hash256 secret) => Keccak256.OfWords(chainId, rounds, member, secret);

    /// <summary>
    /// The secret behind a seat's commitment number <paramref name="index"/> (counted from 0 over the life of the Rounds contract): HKDF-SHA256 of the
    /// operator's private key, so that a restored node needs nothing but its key. info = "fedchain/beacon" | abi.encode(chainid, rounds, id, index).
    /// </summary>
    public static Hash256 Secret(PrivateKey operatorKey, ulong chainId, Address rounds, MemberId member, ulong index)
    {
        ArgumentNullException.ThrowIfNull(operatorKey);
        var label = Encoding.ASCII.GetBytes("fedchain/beacon");
        var info = new byte[label.Length + (4 * Word.Size)];
        label.CopyTo(info, 0);
        Span<Word> words = [chainId, rounds, member, index];
        for (var i = 0; i < words.Length; i++)
        {
            words[i].CopyTo(info.AsSpan(label.Length + (i * Word.Size)));
        }

        return operatorKey.DeriveSecret(info);
    }
}

using System.Text;
using Org.BouncyCastle.Crypto.Digests;

namespace FedChain.Protocol.Ethereum;

/// <summary>
/// Keccak-256 as Ethereum has it: the Keccak submission with its original padding (0x01), which differs from FIPS 202's SHA3-256 (0x06).
/// </summary>
public static class Keccak256
{
    private const int Bits = 8 * Hash256.Size;

    public static Hash256 Hash(ReadOnlySpan<byte> data)
    {
        var digest = new KeccakDigest(Bits);
        digest.BlockUpdate(data);
        Span<byte> hash = stackalloc byte[Hash256.Size];
        digest.DoFinal(hash);
        return new Hash256(hash);
    }

    /// <summary>The hash of the text's UTF-8 bytes, as for signatures of functions, events and EIP-712 types.</summary>
    public static Hash256 Hash(string text) => Hash(Encoding.UTF8.GetBytes(text));

    /// <summary>keccak256(abi.encode(words)): every on-chain preimage of FedChain has this form.</summary>
    public static Hash256 OfWords(params ReadOnlySpan<Word> words)
    {
        var encoded = new byte[Word.Size * words.Length];
        for (var i = 0; i < words.Length; i++)
        {
            words[i].CopyTo(encoded.AsSpan(Word.Size * i));
        }

        return Hash(encoded);
    }
}

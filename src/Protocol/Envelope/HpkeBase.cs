using System.Security.Cryptography;

namespace FedChain.Protocol.Envelope;

/// <summary>
/// The key schedule of HPKE in base mode (RFC 9180 section 5.1) for the one suite that age's hybrid stanza uses:
/// KEM MLKEM768-X25519 (0x647a), KDF HKDF-SHA256 (1), AEAD ChaCha20-Poly1305 (3), info = "age-encryption.org/mlkem768x25519".
/// <code>
/// LabeledExtract(salt, label, ikm)   = Extract(salt, "HPKE-v1" | suite | label | ikm)
/// LabeledExpand(prk, label, info, L) = Expand(prk, uint16 L | "HPKE-v1" | suite | label | info, L)
/// context = 0 | LabeledExtract("", "psk_id_hash", "") | LabeledExtract("", "info_hash", info)
/// secret  = LabeledExtract(shared, "secret", "")
/// key     = LabeledExpand(secret, "key", context, 32),  nonce = LabeledExpand(secret, "base_nonce", context, 12)
/// </code>
/// One message is sealed per context, so the sequence number stays 0 and the nonce is base_nonce itself.
/// </summary>
internal static class HpkeBase
{
    public const int NonceSize = 12;

    private const int HashSize = 32;
    private const byte BaseMode = 0;

    // "HPKE-v1", then the suite: "HPKE" and the three identifiers.
    private static readonly byte[] Prefix = [.. "HPKE-v1HPKE"u8, 0x64, 0x7a, 0x00, 0x01, 0x00, 0x03];

    private static readonly byte[] Context =
        [BaseMode, .. LabeledExtract([], "psk_id_hash"u8, []), .. LabeledExtract([], "info_hash"u8, "age-encryption.org/mlkem768x25519"u8)];

    /// <param name="shared">The KEM's shared secret, 32 bytes.</param>
    /// <param name="key">Gets the AEAD's key, 32 bytes.</param>
    /// <param name="nonce">Gets the AEAD's nonce, <see cref="NonceSize"/> bytes.</param>
    public static void DeriveKey(ReadOnlySpan<byte> shared, Span<byte> key, Span<byte> nonce)
    {
        var secret = LabeledExtract(shared, "secret"u8, []);
        LabeledExpand(secret, "key"u8, key);
        LabeledExpand(secret, "base_nonce"u8, nonce);
        CryptographicOperations.ZeroMemory(secret);
    }

    private static byte[] LabeledExtract(ReadOnlySpan<byte> salt, ReadOnlySpan<byte> label, ReadOnlySpan<byte> ikm)
    {
        var prk = new byte[HashSize];
        HKDF.Extract(HashAlgorithmName.SHA256, [.. Prefix, .. label, .. ikm], salt, prk);
        return prk;
    }

    private static void LabeledExpand(ReadOnlySpan<byte> prk, ReadOnlySpan<byte> label, Span<byte> output) =>
        HKDF.Expand(HashAlgorithmName.SHA256, prk, output, [(byte)(output.Length >> 8), (byte)output.Length, .. Prefix, .. label, .. Context]);
}

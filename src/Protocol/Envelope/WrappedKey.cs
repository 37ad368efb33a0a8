using System.Security.Cryptography;

namespace FedChain.Protocol.Envelope;

/// <summary>A stanza's body: ChaCha20-Poly1305(key, nonce, file key), as all three stanza types have it.</summary>
internal static class WrappedKey
{
    /// <summary>A file key and a tag. Checked before anything is decrypted: a longer body could be made to open under several keys.</summary>
    public const int Size = AgeFormat.FileKeySize + AgeFormat.TagSize;

    /// <summary>For keys that are derived for this one use.</summary>
    public static ReadOnlySpan<byte> ZeroNonce => [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    public static byte[] Seal(ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> fileKey)
    {
        var body = new byte[Size];
        using var cipher = new ChaCha20Poly1305(key);
        cipher.Encrypt(nonce, fileKey, body.AsSpan(0, AgeFormat.FileKeySize), body.AsSpan(AgeFormat.FileKeySize));
        return body;
    }

    /// <returns>False where the key is another; <paramref name="fileKey"/> is zero then.</returns>
    public static bool TryOpen(ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> body, Span<byte> fileKey)
    {
        try
        {
            using var cipher = new ChaCha20Poly1305(key);
            cipher.Decrypt(nonce, body[..AgeFormat.FileKeySize], body[AgeFormat.FileKeySize..], fileKey);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }
}

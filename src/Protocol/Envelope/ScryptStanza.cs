using System.Globalization;
using System.Security.Cryptography;
using FedChain.Protocol.Ethereum.Keys;

namespace FedChain.Protocol.Envelope;

/// <summary>
/// The passphrase stanza (c2sp.org/age, "The scrypt recipient type"):
/// key = scrypt(passphrase, "age-encryption.org/v1/scrypt" | salt, N = 2^work factor, r = 8, p = 1, 32 bytes),
/// body = ChaCha20-Poly1305(key, nonce = 0, file key). Written: <c>-> scrypt base64(salt) decimal(work factor) LF base64(body) LF</c>.
/// It must be a header's only stanza: whoever knows the passphrase takes the file for one that a holder of the passphrase made.
/// </summary>
internal static class ScryptStanza
{
    public const string Type = "scrypt";

    private const int SaltSize = 16;

    public static AgeStanza Wrap(ReadOnlySpan<byte> fileKey, AgePassphrase passphrase, int workFactor, RandomFill random)
    {
        Span<byte> salt = stackalloc byte[SaltSize];
        random(salt);
        var key = DeriveKey(passphrase, salt, workFactor);
        try
        {
            return new AgeStanza(
                Type, [CanonicalBase64.Encode(salt), workFactor.ToString(CultureInfo.InvariantCulture)], WrappedKey.Seal(key, WrappedKey.ZeroNonce, fileKey));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <returns>False where the passphrase is another.</returns>
    /// <exception cref="AgeException">The stanza is malformed, or asks for more work than <see cref="AgePassphrase.MaxWorkFactor"/>; nothing was computed.</exception>
    public static bool TryUnwrap(AgeStanza stanza, AgePassphrase passphrase, Span<byte> fileKey)
    {
        Span<byte> salt = stackalloc byte[SaltSize];
        if (stanza.Arguments.Count != 2 || !stanza.TryReadFirstArgument(salt))
        {
            throw new AgeException(
                AgeFailure.MalformedHeader, $"A scrypt stanza has two arguments after its type, a salt of {SaltSize} bytes in canonical base64 and a work factor; this one has not.");
        }

        var workFactor = WorkFactorOf(stanza.Arguments[1]);
        if (stanza.Body.Length != WrappedKey.Size)
        {
            throw new AgeException(AgeFailure.MalformedHeader, $"A scrypt stanza holds a wrapped key of {WrappedKey.Size} bytes; this one holds {stanza.Body.Length}.");
        }

        var key = DeriveKey(passphrase, salt, workFactor);
        try
        {
            return WrappedKey.TryOpen(key, WrappedKey.ZeroNonce, stanza.Body, fileKey);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    private static int WorkFactorOf(string text)
    {
        if (text[0] == '0' || text.Any(c => !char.IsAsciiDigit(c)))
        {
            throw new AgeException(AgeFailure.MalformedHeader, "A scrypt stanza's work factor is a decimal number without sign or leading zero; this one is not.");
        }

        return text.Length <= 2 && int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture) is <= AgePassphrase.MaxWorkFactor and var workFactor
            ? workFactor
            : throw new AgeException(
                AgeFailure.TooMuchWork, $"This age file asks for a scrypt work factor of {AgeRecipient.Shorten(text)}; at most {AgePassphrase.MaxWorkFactor} is tried here, which takes 1 GiB of memory.");
    }

    private static byte[] DeriveKey(AgePassphrase passphrase, ReadOnlySpan<byte> salt, int workFactor) =>
        Scrypt.DeriveKey(passphrase.Utf8, [.. "age-encryption.org/v1/scrypt"u8, .. salt], 1 << workFactor, r: 8, p: 1, AgeFormat.KeySize);
}

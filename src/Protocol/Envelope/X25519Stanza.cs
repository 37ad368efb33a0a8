using System.Security.Cryptography;
using Org.BouncyCastle.Math.EC.Rfc7748;

namespace FedChain.Protocol.Envelope;

/// <summary>
/// The X25519 recipient stanza (c2sp.org/age, "The X25519 recipient type"):
/// share = X25519(ephemeral, base), shared = X25519(ephemeral, recipient),
/// key = HKDF-SHA256(ikm = shared, salt = share | recipient, info = "age-encryption.org/v1/X25519"),
/// body = ChaCha20-Poly1305(key, nonce = 0, file key). Written: <c>-> X25519 base64(share) LF base64(body) LF</c>.
/// </summary>
internal static class X25519Stanza
{
    public const string Type = "X25519";

    /// <summary>"-> X25519 ", 43 characters of share, LF, 43 of body, LF.</summary>
    public const int Size = 10 + 43 + 1 + 43 + 1;

    public static AgeStanza Wrap(ReadOnlySpan<byte> fileKey, AgeRecipient recipient, RandomFill random)
    {
        Span<byte> ephemeral = stackalloc byte[AgeFormat.KeySize];
        Span<byte> shared = stackalloc byte[AgeFormat.KeySize];
        Span<byte> wrapKey = stackalloc byte[AgeFormat.KeySize];
        Span<byte> salt = stackalloc byte[2 * AgeFormat.KeySize];
        try
        {
            random(ephemeral);
            X25519.ScalarMultBase(ephemeral, salt);
            recipient.Key.CopyTo(salt[AgeFormat.KeySize..]);
            if (!X25519.CalculateAgreement(ephemeral, salt[AgeFormat.KeySize..], shared))
            {
                throw new CryptographicException("The agreement with a recipient gave zero, which AgeRecipient should have excluded.");
            }

            DeriveWrapKey(shared, salt, wrapKey);
            return new AgeStanza(Type, [CanonicalBase64.Encode(salt[..AgeFormat.KeySize])], WrappedKey.Seal(wrapKey, WrappedKey.ZeroNonce, fileKey));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(ephemeral);
            CryptographicOperations.ZeroMemory(shared);
            CryptographicOperations.ZeroMemory(wrapKey);
        }
    }

    /// <summary>
    /// Checks the shape of a stanza of this type. All of a header's are checked before any is tried, so that every recipient comes to the same
    /// verdict on a file, whichever stanza is theirs.
    /// </summary>
    /// <exception cref="AgeException">There are more or fewer arguments, or share or body has another size.</exception>
    public static void Validate(AgeStanza stanza)
    {
        Span<byte> share = stackalloc byte[AgeFormat.KeySize];
        if (stanza.Arguments.Count != 1 || !stanza.TryReadFirstArgument(share))
        {
            throw new AgeException(AgeFailure.MalformedHeader, "An X25519 stanza has one argument after its type, a share of 32 bytes in canonical base64; this one has not.");
        }

        if (stanza.Body.Length != WrappedKey.Size)
        {
            throw new AgeException(AgeFailure.MalformedHeader, $"An X25519 stanza holds a wrapped key of {WrappedKey.Size} bytes; this one holds {stanza.Body.Length}.");
        }
    }

    /// <returns>False where the stanza is for somebody else.</returns>
    /// <exception cref="AgeException">The share is of low order.</exception>
    public static bool TryUnwrap(AgeStanza stanza, AgeIdentity identity, Span<byte> fileKey)
    {
        Span<byte> shared = stackalloc byte[AgeFormat.KeySize];
        Span<byte> wrapKey = stackalloc byte[AgeFormat.KeySize];
        Span<byte> salt = stackalloc byte[2 * AgeFormat.KeySize];
        try
        {
            stanza.TryReadFirstArgument(salt[..AgeFormat.KeySize]);
            identity.Recipient.Key.CopyTo(salt[AgeFormat.KeySize..]);
            if (!X25519.CalculateAgreement(identity.Secret, salt[..AgeFormat.KeySize], shared))
            {
                throw new AgeException(AgeFailure.MalformedHeader, "An X25519 stanza's share is a point of low order, which no honest sender makes.");
            }

            DeriveWrapKey(shared, salt, wrapKey);
            return WrappedKey.TryOpen(wrapKey, WrappedKey.ZeroNonce, stanza.Body, fileKey);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(shared);
            CryptographicOperations.ZeroMemory(wrapKey);
        }
    }

    private static void DeriveWrapKey(ReadOnlySpan<byte> shared, ReadOnlySpan<byte> salt, Span<byte> wrapKey) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, shared, wrapKey, salt, "age-encryption.org/v1/X25519"u8);
}

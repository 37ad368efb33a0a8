using System.Security.Cryptography;

namespace FedChain.Protocol.Envelope;

/// <summary>
/// The post-quantum hybrid recipient stanza (c2sp.org/age, "mlkem768x25519 recipient stanza"): enc, body = SealBase(recipient, file key), HPKE with
/// <see cref="HybridKem"/>, HKDF-SHA256 and ChaCha20-Poly1305. Written: <c>-> mlkem768x25519 base64(enc) LF base64(body) LF</c>.
/// </summary>
internal static class HybridStanza
{
    public const string Type = "mlkem768x25519";

    /// <summary>"-> mlkem768x25519 ", 1,494 characters of enc, LF, 43 of body, LF.</summary>
    public const int Size = 18 + 1494 + 1 + 43 + 1;

    public static AgeStanza Wrap(ReadOnlySpan<byte> fileKey, AgeRecipient recipient, RandomFill random)
    {
        Span<byte> shared = stackalloc byte[HybridKem.SharedSize];
        Span<byte> wrapKey = stackalloc byte[AgeFormat.KeySize];
        Span<byte> nonce = stackalloc byte[HpkeBase.NonceSize];
        Span<byte> encapsulation = stackalloc byte[HybridKem.EncapsulationSize];
        try
        {
            HybridKem.Encapsulate(recipient.Key, random, encapsulation, shared);
            HpkeBase.DeriveKey(shared, wrapKey, nonce);
            return new AgeStanza(Type, [CanonicalBase64.Encode(encapsulation)], WrappedKey.Seal(wrapKey, nonce, fileKey));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(shared);
            CryptographicOperations.ZeroMemory(wrapKey);
        }
    }

    /// <inheritdoc cref="X25519Stanza.Validate"/>
    public static void Validate(AgeStanza stanza)
    {
        Span<byte> encapsulation = stackalloc byte[HybridKem.EncapsulationSize];
        if (stanza.Arguments.Count != 1 || !stanza.TryReadFirstArgument(encapsulation))
        {
            throw new AgeException(
                AgeFailure.MalformedHeader,
                $"An {Type} stanza has one argument after its type, an encapsulated key of {HybridKem.EncapsulationSize} bytes in canonical base64; this one has not.");
        }

        if (stanza.Body.Length != WrappedKey.Size)
        {
            throw new AgeException(AgeFailure.MalformedHeader, $"An {Type} stanza holds a wrapped key of {WrappedKey.Size} bytes; this one holds {stanza.Body.Length}.");
        }
    }

    /// <returns>False where the stanza is for somebody else, or was changed.</returns>
    /// <exception cref="AgeException">The encapsulated key's point is of low order.</exception>
    public static bool TryUnwrap(AgeStanza stanza, HybridKem.PrivateKey key, Span<byte> fileKey)
    {
        Span<byte> shared = stackalloc byte[HybridKem.SharedSize];
        Span<byte> wrapKey = stackalloc byte[AgeFormat.KeySize];
        Span<byte> nonce = stackalloc byte[HpkeBase.NonceSize];
        Span<byte> encapsulation = stackalloc byte[HybridKem.EncapsulationSize];
        try
        {
            stanza.TryReadFirstArgument(encapsulation);
            if (!key.TryDecapsulate(encapsulation, shared))
            {
                throw new AgeException(AgeFailure.MalformedHeader, $"An {Type} stanza's X25519 share is a point of low order, which no honest sender makes.");
            }

            HpkeBase.DeriveKey(shared, wrapKey, nonce);
            return WrappedKey.TryOpen(wrapKey, nonce, stanza.Body, fileKey);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(shared);
            CryptographicOperations.ZeroMemory(wrapKey);
        }
    }
}

using System.Buffers.Binary;
using System.Security.Cryptography;

namespace FedChain.Protocol.Envelope;

/// <summary>
/// STREAM (eprint.iacr.org/2015/189) as age's payload has it: chunk i is sealed with ChaCha20-Poly1305 under
/// key = HKDF-SHA256(file key, salt = payload nonce, "payload") and nonce = 11-byte big-endian i | (1 for the last chunk, else 0).
/// </summary>
internal sealed class ChunkCipher : IDisposable
{
    private readonly ChaCha20Poly1305 _cipher;
    private readonly byte[] _nonce = new byte[12];
    private ulong _chunk;

    public ChunkCipher(ReadOnlySpan<byte> fileKey, ReadOnlySpan<byte> payloadNonce)
    {
        Span<byte> key = stackalloc byte[AgeFormat.KeySize];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, fileKey, key, payloadNonce, "payload"u8);
        _cipher = new ChaCha20Poly1305(key);
        CryptographicOperations.ZeroMemory(key);
    }

    /// <summary>True until the first chunk has been sealed or opened.</summary>
    public bool AtFirstChunk => _chunk == 0;

    /// <summary>Seals the next chunk: ciphertext and tag into <paramref name="destination"/>.</summary>
    public void Seal(ReadOnlySpan<byte> plaintext, bool last, Span<byte> destination)
    {
        SetNonce(last);
        _cipher.Encrypt(_nonce, plaintext, destination[..plaintext.Length], destination.Slice(plaintext.Length, AgeFormat.TagSize));
        _chunk++;
    }

    /// <summary>Opens the next chunk. Where it does not authenticate, <paramref name="plaintext"/> is zeroed and the position stays.</summary>
    public bool TryOpen(ReadOnlySpan<byte> @sealed, bool last, Span<byte> plaintext)
    {
        SetNonce(last);
        try
        {
            _cipher.Decrypt(_nonce, @sealed[..^AgeFormat.TagSize], @sealed[^AgeFormat.TagSize..], plaintext);
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }

        _chunk++;
        return true;
    }

    public void Dispose() => _cipher.Dispose();

    private void SetNonce(bool last)
    {
        BinaryPrimitives.WriteUInt64BigEndian(_nonce.AsSpan(3), _chunk);
        _nonce[11] = last ? (byte)1 : (byte)0;
    }
}

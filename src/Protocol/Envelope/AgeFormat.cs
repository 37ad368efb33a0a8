namespace FedChain.Protocol.Envelope;

/// <summary>The sizes of an age v1 file (c2sp.org/age), and the bounds that this reader and writer keep.</summary>
public static class AgeFormat
{
    /// <summary>Plaintext bytes in every chunk of the payload but the last.</summary>
    public const int ChunkSize = 64 * 1024;

    /// <summary>
    /// The largest header that is read or written, in bytes. The format has no bound; memory has. Room for <see cref="MaxStanzas"/> of the larger kind.
    /// </summary>
    public const int MaxHeaderBytes = 8 * 1024 * 1024;

    /// <summary>The largest number of recipient stanzas that is read or written, of either kind.</summary>
    public const int MaxStanzas = 4096;

    /// <summary>No recipient's stanza is larger than this, in bytes: about 1,560 for the hybrid, 100 for X25519.</summary>
    public const int MaxStanzaBytes = 1600;

    internal const int FileKeySize = 16;
    internal const int KeySize = 32;
    internal const int TagSize = 16;
    internal const int PayloadNonceSize = 16;
    internal const int SealedChunkSize = ChunkSize + TagSize;

    /// <summary>The size in bytes of the (binary) age file that holds a plaintext of this size for these recipients.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="plaintextSize"/> is negative.</exception>
    public static long SealedSize(long plaintextSize, IReadOnlyCollection<AgeRecipient> recipients)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(plaintextSize);
        var chunks = Math.Max(1, (plaintextSize + ChunkSize - 1) / ChunkSize);
        return HeaderSize(recipients) + PayloadNonceSize + plaintextSize + (chunks * TagSize);
    }

    internal static long HeaderSize(IReadOnlyCollection<AgeRecipient> recipients) =>
        AgeHeader.VersionLine.Length + recipients.Sum(r => (long)r.StanzaSize) + AgeHeader.MacLineSize;
}

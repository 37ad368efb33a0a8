using System.Security.Cryptography;
using System.Text;

namespace FedChain.Protocol.Envelope;

/// <summary>
/// A passphrase that a file is sealed with, in place of recipients: for one person's backups, which the <c>age</c> program opens alone (<c>age -d</c>).
/// Taken as it is, in UTF-8, without any normalisation, as age takes it. Disposing overwrites this copy; the caller's is the caller's.
/// </summary>
public sealed class AgePassphrase : IDisposable
{
    /// <summary>Base-two logarithm of scrypt's N that <c>age -p</c> writes: 256 MiB of memory and about a second.</summary>
    public const int DefaultWorkFactor = 18;

    /// <summary>
    /// The largest that is written, and that is tried when opening: 1 GiB of memory. A file asking for more is refused before any work, since anybody
    /// can write a number.
    /// </summary>
    public const int MaxWorkFactor = 20;

    private readonly byte[] _utf8;
    private bool _disposed;

    /// <param name="text">One character or more.</param>
    /// <exception cref="ArgumentException">It is empty, or no Unicode text (it has half a surrogate pair).</exception>
    public AgePassphrase(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty)
        {
            throw new ArgumentException("A passphrase must not be empty.", nameof(text));
        }

        var utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
        _utf8 = GC.AllocateUninitializedArray<byte>(utf8.GetByteCount(text), pinned: true);
        utf8.GetBytes(text, _utf8);
    }

    /// <exception cref="ObjectDisposedException">The passphrase has been overwritten.</exception>
    internal ReadOnlySpan<byte> Utf8
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _utf8;
        }
    }

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_utf8);
        _disposed = true;
    }
}

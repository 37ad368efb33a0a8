using System.IO.MemoryMappedFiles;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using FedChain.Protocol;
using FedChain.Protocol.Files;

namespace FedChain.Aggregator;

/// <summary>
/// A decrypted update, on disk or in memory. A file is mapped and not read in: aggregating takes no more memory for more clients, and validating it
/// once has its pages in place for the mean. Any number of threads may read at once.
/// </summary>
public sealed unsafe class UpdatePlaintext : IDisposable
{
    private const int HashPiece = 1 << 20;

    private readonly ReadOnlyMemory<byte> _memory;
    private readonly MemoryMappedViewAccessor? _view;
    private byte* _start;

    private UpdatePlaintext(ReadOnlyMemory<byte> memory, MemoryMappedViewAccessor? view, long length)
    {
        if (!BitConverter.IsLittleEndian)
        {
            throw new PlatformNotSupportedException("Updates are read in place, as little-endian integers; this machine is big-endian.");
        }

        (_memory, _view, Length) = (memory, view, length);
        view?.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
    }

    /// <summary>Bytes of the file.</summary>
    public long Length { get; }

    /// <summary>An update in a file of our own. While it is open nobody may shorten it: what is mapped and gone ends the process.</summary>
    /// <exception cref="IOException">The file can't be opened.</exception>
    public static UpdatePlaintext Open(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        var length = stream.Length;
        if (length == 0)
        {
            return Of(default); // nothing can be mapped
        }

        using var map = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
        return new UpdatePlaintext(default, map.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read), length);
    }

    /// <summary>An update in memory.</summary>
    public static UpdatePlaintext Of(ReadOnlyMemory<byte> file) => new(file, null, file.Length);

    /// <summary>SHA-256 of the whole file, which manifests call <c>plaintext</c>.</summary>
    public Hash256 Digest(CancellationToken cancellationToken = default)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var at = 0L; at < Length; at += HashPiece)
        {
            cancellationToken.ThrowIfCancellationRequested();
            sha.AppendData(Bytes(at, (int)Math.Min(HashPiece, Length - at)));
        }

        return new Hash256(sha.GetHashAndReset());
    }

    /// <summary>The file's header.</summary>
    /// <exception cref="InvalidDataException">Not a canonical update file; the message says in what it departs.</exception>
    public UpdateHeader ReadHeader()
    {
        var size = SafetensorsHeader.JsonSize(Bytes(0, (int)Math.Min(8, Length)), Length, AdapterFile.MaxHeaderSize);
        return UpdateFile.ReadHeader(new MemoryStream(Bytes(0, 8 + size).ToArray()), Length);
    }

    /// <summary>Integers in place.</summary>
    /// <param name="offset">Where the first lies, in bytes.</param>
    /// <param name="count">How many.</param>
    /// <typeparam name="T">As which they are written: sbyte, short or int.</typeparam>
    /// <exception cref="ArgumentOutOfRangeException">The file ends before.</exception>
    public ReadOnlySpan<T> Integers<T>(long offset, int count)
        where T : unmanaged, IBinaryInteger<T> => MemoryMarshal.Cast<byte, T>(Bytes(offset, checked(sizeof(T) * count)));

    public void Dispose()
    {
        if (_start is not null)
        {
            _start = null;
            _view!.SafeMemoryMappedViewHandle.ReleasePointer();
        }

        _view?.Dispose();
    }

    private ReadOnlySpan<byte> Bytes(long offset, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - count);
        if (_view is null)
        {
            return _memory.Span.Slice((int)offset, count);
        }

        ObjectDisposedException.ThrowIf(_start is null, this);
        return new ReadOnlySpan<byte>(_start + offset, count);
    }
}

using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using FedChain.Protocol;
using FedChain.Protocol.Files;
using Microsoft.Win32.SafeHandles;

namespace FedChain.Aggregator;

/// <summary>
/// A decrypted update, on disk or in memory, read piece by piece: aggregating takes no more memory for more clients. Any number of threads may
/// read at once.
/// </summary>
public sealed class UpdatePlaintext : IDisposable
{
    private const int HashChunk = 1 << 17;

    private readonly ReadOnlyMemory<byte> _memory;
    private readonly SafeFileHandle? _file;

    private UpdatePlaintext(ReadOnlyMemory<byte> memory, SafeFileHandle? file, long length) => (_memory, _file, Length) = (memory, file, length);

    /// <summary>Bytes of the file.</summary>
    public long Length { get; }

    /// <summary>An update in a file, which must not change while it is open.</summary>
    /// <exception cref="IOException">The file can't be opened.</exception>
    public static UpdatePlaintext Open(string path)
    {
        var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        return new UpdatePlaintext(default, file, RandomAccess.GetLength(file));
    }

    /// <summary>An update in memory.</summary>
    public static UpdatePlaintext Of(ReadOnlyMemory<byte> file) => new(file, null, file.Length);

    /// <summary>SHA-256 of the whole file, which manifests call <c>plaintext</c>.</summary>
    public Hash256 Digest()
    {
        if (_file is null)
        {
            return new Hash256(SHA256.HashData(_memory.Span));
        }

        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[Math.Min(HashChunk, Math.Max(1, Length))];
        for (var at = 0L; at < Length; at += buffer.Length)
        {
            var chunk = buffer.AsSpan(0, (int)Math.Min(buffer.Length, Length - at));
            Read(at, chunk);
            sha.AppendData(chunk);
        }

        return new Hash256(sha.GetHashAndReset());
    }

    /// <summary>The file's header.</summary>
    /// <exception cref="InvalidDataException">Not a canonical update file; the message says in what it departs.</exception>
    public UpdateHeader ReadHeader()
    {
        var start = new byte[8];
        Read(0, start.AsSpan(0, (int)Math.Min(8, Length)));
        var size = SafetensorsHeader.JsonSize(start.AsSpan(0, (int)Math.Min(8, Length)), Length, AdapterFile.MaxHeaderSize);
        var bytes = new byte[8 + size];
        Read(0, bytes);
        return UpdateFile.ReadHeader(new MemoryStream(bytes), Length);
    }

    /// <summary>Reads integers.</summary>
    /// <param name="offset">Where the first lies, in bytes.</param>
    /// <param name="buffer">As many as to read; written to only where the bytes have to be brought in.</param>
    /// <returns>The integers: the buffer, or the file's own memory.</returns>
    /// <exception cref="EndOfStreamException">The file ends before.</exception>
    public ReadOnlySpan<int> ReadInt32(long offset, Span<int> buffer)
    {
        if (_file is null && BitConverter.IsLittleEndian)
        {
            return offset + (4L * buffer.Length) <= Length
                ? MemoryMarshal.Cast<byte, int>(_memory.Span.Slice((int)offset, 4 * buffer.Length))
                : throw new EndOfStreamException($"The update has {Length} bytes; {4 * buffer.Length} at {offset} were asked for.");
        }

        Read(offset, MemoryMarshal.AsBytes(buffer));
        if (!BitConverter.IsLittleEndian)
        {
            BinaryPrimitives.ReverseEndianness(buffer, buffer);
        }

        return buffer;
    }

    public void Dispose() => _file?.Dispose();

    private void Read(long offset, Span<byte> destination)
    {
        if (_file is null)
        {
            _memory.Span.Slice((int)offset, destination.Length).CopyTo(destination);
            return;
        }

        while (!destination.IsEmpty)
        {
            var read = RandomAccess.Read(_file, destination, offset);
            if (read == 0)
            {
                throw new EndOfStreamException($"The update had {Length} bytes when it was opened; it ends at {offset}.");
            }

            offset += read;
            destination = destination[read..];
        }
    }
}

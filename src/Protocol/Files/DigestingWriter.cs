using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace FedChain.Protocol.Files;

/// <summary>Writes a file and takes its SHA-256 on the way. Integers are written little-endian, whatever the machine.</summary>
internal sealed class DigestingWriter(Stream destination) : IDisposable
{
    private const int ChunkElements = 1 << 15;

    private readonly IncrementalHash _sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private byte[] _chunk = [];

    public void Write(ReadOnlySpan<byte> bytes)
    {
        _sha.AppendData(bytes);
        destination.Write(bytes);
    }

    /// <summary>Writes the lowest bytes of each value divided by 2^<paramref name="shift"/>; who calls has made sure that they are all of it.</summary>
    /// <param name="values">The integers.</param>
    /// <param name="size">Bytes of each: 1, 2 or 4.</param>
    /// <param name="shift">From 0.</param>
    public void Write(ReadOnlySpan<int> values, int size = sizeof(int), int shift = 0)
    {
        for (var at = 0; at < values.Length; at += ChunkElements)
        {
            var part = values.Slice(at, Math.Min(ChunkElements, values.Length - at));
            if (size == sizeof(int) && shift == 0 && BitConverter.IsLittleEndian)
            {
                Write(MemoryMarshal.AsBytes(part));
                continue;
            }

            if (_chunk.Length == 0)
            {
                _chunk = new byte[sizeof(int) * ChunkElements];
            }

            for (var i = 0; i < part.Length; i++)
            {
                BinaryPrimitives.WriteInt32LittleEndian(_chunk.AsSpan(size * i), part[i] >> shift); // the next overwrites what is too much
            }

            Write(_chunk.AsSpan(0, size * part.Length));
        }
    }

    public Hash256 Digest() => new(_sha.GetHashAndReset());

    public void Dispose() => _sha.Dispose();
}

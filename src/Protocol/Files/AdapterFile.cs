using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using FedChain.Protocol.Numerics;

namespace FedChain.Protocol.Files;

/// <summary>
/// The global adapter as a file: PEFT's <c>adapter_model.safetensors</c>, float32, written canonically. Its SHA-256 is the aggregate on the
/// chain, so one integer vector has exactly one file, and the reader refuses every other file that stands for the same numbers.
/// </summary>
public static class AdapterFile
{
    /// <summary>The most bytes of header JSON that the readers of adapters and updates accept.</summary>
    public const int MaxHeaderSize = 1 << 24;

    private const int ChunkElements = 1 << 15;
    private static readonly ImmutableArray<KeyValuePair<string, string>> PeftMetadata = [new("format", "pt")];

    /// <summary>The file's length in bytes.</summary>
    public static long LengthOf(AdapterLayout layout) => HeaderOf(layout).FileLength;

    /// <summary>The file's SHA-256, without writing it anywhere.</summary>
    public static Hash256 Digest(Adapter adapter) => Write(Stream.Null, adapter);

    /// <summary>Writes the file and returns its SHA-256.</summary>
    public static Hash256 Write(Stream destination, Adapter adapter)
    {
        using var writer = new DigestingWriter(destination);
        writer.Write(HeaderOf(adapter.Layout).ToBytes());
        var floats = new float[Math.Min(ChunkElements, adapter.Layout.Count)];
        for (var at = 0; at < adapter.Layout.Count; at += floats.Length)
        {
            var chunk = floats.AsSpan(0, Math.Min(floats.Length, adapter.Layout.Count - at));
            FixedPoint.Dequantize(adapter.Values.Slice(at, chunk.Length), adapter.FractionBits, chunk);
            writer.Write(MemoryMarshal.Cast<float, int>(chunk));
        }

        return writer.Digest();
    }

    /// <summary>Reads a file that must be canonical, with every value on the grid and in range.</summary>
    /// <param name="source">The file, at its beginning.</param>
    /// <param name="length">The file's length in bytes.</param>
    /// <param name="fractionBits">f.</param>
    /// <param name="layout">The layout that it must have; null accepts any.</param>
    /// <param name="digest">The file's SHA-256.</param>
    /// <exception cref="InvalidDataException">Another layout, another form, or a value off the grid; the message says which.</exception>
    public static Adapter Read(Stream source, long length, int fractionBits, AdapterLayout? layout, out Hash256 digest)
    {
        var header = SafetensorsHeader.ReadCanonical(source, length, MaxHeaderSize);
        var wrongType = header.Tensors.FirstOrDefault(t => t.Type != TensorType.Float32);
        if (wrongType is not null)
        {
            throw new InvalidDataException($"Tensor '{wrongType.Name}' of the adapter should be {TensorType.Float32.Code()}; it is {wrongType.Type.Code()}.");
        }

        if (!header.Metadata.SequenceEqual(PeftMetadata))
        {
            throw new InvalidDataException(
                $"The adapter's metadata should be format: pt and nothing else; it is {string.Join(", ", header.Metadata.Select(e => $"{e.Key}: {e.Value}"))}.");
        }

        var found = AdapterLayout.FromHeader(header);
        if (layout is not null && !layout.Equals(found))
        {
            throw new InvalidDataException(
                $"The adapter has another layout than the federation's: {found.Tensors.Length} tensors with {found.Count} values; expected {layout.Tensors.Length} with {layout.Count}.");
        }

        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        sha.AppendData(header.ToBytes());
        var values = new int[found.Count];
        var floats = new float[Math.Min(ChunkElements, values.Length)];
        for (var at = 0; at < values.Length; at += floats.Length)
        {
            var chunk = floats.AsSpan(0, Math.Min(floats.Length, values.Length - at));
            var bytes = MemoryMarshal.AsBytes(chunk);
            if (source.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
            {
                throw new InvalidDataException($"The adapter file ends within its tensors; expected {length} bytes.");
            }

            sha.AppendData(bytes);
            LittleEndian.Swap(MemoryMarshal.Cast<float, int>(chunk));
            var off = FixedPoint.ReadExactly(chunk, fractionBits, values.AsSpan(at, chunk.Length));
            if (off >= 0)
            {
                var tensor = found.Tensors.Last(t => t.Offset <= at + off);
                throw new InvalidDataException(
                    $"Value {at + off - tensor.Offset} of '{tensor.Name}' is {chunk[off]:R}; expected a multiple of 2^-{fractionBits} within ±{FixedPoint.MaxValue} steps, no negative zero.");
            }
        }

        digest = new Hash256(sha.GetHashAndReset());
        return new Adapter(found, fractionBits, values);
    }

    private static SafetensorsHeader HeaderOf(AdapterLayout layout) =>
        SafetensorsHeader.Create(layout.Tensors.Select(t => (t.Name, TensorType.Float32, ImmutableArray.Create<long>(t.Rows, t.Columns))), PeftMetadata);
}

/// <summary>Files hold little-endian integers; a machine of the other kind turns them around.</summary>
internal static class LittleEndian
{
    public static void Swap(Span<int> values)
    {
        if (!BitConverter.IsLittleEndian)
        {
            BinaryPrimitives.ReverseEndianness(values, values);
        }
    }
}

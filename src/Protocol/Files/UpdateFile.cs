using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using FedChain.Protocol.Numerics;

namespace FedChain.Protocol.Files;

/// <summary>How an update's integers are written. Others, with a scale per tensor, are to come; whatever it is, it stands for exact integers.</summary>
public enum UpdateEncoding
{
    /// <summary>Four bytes per value.</summary>
    Int32,
}

/// <summary>
/// The header of an update. The tensors are those of the round's factors, sorted by name, without gaps, so that the bytes from
/// <see cref="DataOffset"/> on are one vector of integers.
/// </summary>
/// <param name="Metadata">What the update says about itself.</param>
/// <param name="Tensors">Names and shapes, in order.</param>
/// <param name="Encoding">How the integers are written.</param>
/// <param name="DataOffset">Where the first integer lies in the file.</param>
/// <param name="Count">How many integers there are.</param>
public sealed record UpdateHeader(
    UpdateMetadata Metadata, ImmutableArray<SafetensorsTensor> Tensors, UpdateEncoding Encoding, long DataOffset, long Count)
{
    /// <summary>Whether the tensors are exactly those factors of the layout.</summary>
    public bool Fits(AdapterLayout layout, Factors factors)
    {
        var expected = layout.Of(factors);
        return Tensors.Length == expected.Length
            && Tensors.Zip(expected).All(pair => pair.First.Name == pair.Second.Name && pair.First.Shape.AsSpan().SequenceEqual([pair.Second.Rows, pair.Second.Columns]));
    }
}

/// <summary>
/// A member's update: a safetensors file with one integer tensor per LoRA factor of the round, the differences to the base adapter, and
/// <see cref="UpdateMetadata"/>. It is written canonically; its SHA-256 is the manifest's <c>plaintext</c>.
/// </summary>
public static class UpdateFile
{
    private const int ChunkElements = 1 << 15;
    private const int MaxMetadataBytes = 4096;

    /// <summary>Writes an update and returns its SHA-256.</summary>
    /// <param name="destination">Where to.</param>
    /// <param name="metadata">What it says about itself.</param>
    /// <param name="layout">The adapter's layout.</param>
    /// <param name="factors">The round's factors.</param>
    /// <param name="differences">The differences of those factors' values in order, |d| at most <see cref="FixedPoint.MaxDifference"/>.</param>
    /// <exception cref="ArgumentException">Another number of differences than the factors have values, one out of range, or metadata that the reader would refuse.</exception>
    public static Hash256 Write(Stream destination, UpdateMetadata metadata, AdapterLayout layout, Factors factors, ReadOnlySpan<int> differences)
    {
        var tensors = layout.Of(factors);
        if (tensors.IsEmpty || differences.Length != layout.CountOf(factors))
        {
            throw new ArgumentException($"The round's factors have {layout.CountOf(factors)} values; got {differences.Length} differences.", nameof(differences));
        }

        var beyond = FixedPoint.FirstBeyond(differences, FixedPoint.MaxDifference);
        if (beyond >= 0)
        {
            throw new ArgumentException($"Difference {beyond} is {differences[beyond]}; expected at most ±{FixedPoint.MaxDifference}.", nameof(differences));
        }

        var entries = metadata.ToEntries();
        try
        {
            UpdateMetadata.Parse(entries);
        }
        catch (InvalidDataException e)
        {
            throw new ArgumentException($"No reader would accept this update: {e.Message}", nameof(metadata), e);
        }

        var header = SafetensorsHeader.Create(tensors.Select(t => (t.Name, TensorType.Int32, ImmutableArray.Create<long>(t.Rows, t.Columns))), entries);
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Put(header.ToBytes());
        var chunk = new int[Math.Min(ChunkElements, differences.Length)];
        for (var at = 0; at < differences.Length; at += chunk.Length)
        {
            var part = differences.Slice(at, Math.Min(chunk.Length, differences.Length - at));
            part.CopyTo(chunk);
            LittleEndian.Swap(chunk);
            Put(MemoryMarshal.AsBytes(chunk.AsSpan(0, part.Length)));
        }

        return new Hash256(sha.GetHashAndReset());

        void Put(ReadOnlySpan<byte> bytes)
        {
            sha.AppendData(bytes);
            destination.Write(bytes);
        }
    }

    /// <summary>No update of these factors is longer, in bytes: what a reader accepts from others.</summary>
    public static long MaxLength(AdapterLayout layout, Factors factors) => MaxMetadataBytes + SafetensorsHeader.Create(
        layout.Of(factors).Select(t => (t.Name, TensorType.Int32, ImmutableArray.Create<long>(t.Rows, t.Columns))),
        ImmutableSortedDictionary<string, string>.Empty).FileLength;

    /// <summary>Reads the header and leaves the stream at the first integer.</summary>
    /// <param name="source">The file, at its beginning.</param>
    /// <param name="length">The file's length in bytes.</param>
    /// <exception cref="InvalidDataException">Not a canonical update file of integers; the message says in what it departs.</exception>
    public static UpdateHeader ReadHeader(Stream source, long length) => ReadHeader(source, length, out _);

    internal static UpdateHeader ReadHeader(Stream source, long length, out byte[] bytes)
    {
        var header = SafetensorsHeader.ReadCanonical(source, length, AdapterFile.MaxHeaderSize);
        foreach (var tensor in header.Tensors)
        {
            AdapterLayout.FactorOf(tensor.Name);
            if (tensor.Type != TensorType.Int32)
            {
                throw new InvalidDataException($"Tensor '{tensor.Name}' of the update is {tensor.Type.Code()}; this version reads {TensorType.Int32.Code()}.");
            }
        }

        bytes = header.ToBytes();
        return new UpdateHeader(
            UpdateMetadata.Parse(header.Metadata), header.Tensors, UpdateEncoding.Int32, header.DataOffset, header.DataLength / sizeof(int));
    }
}

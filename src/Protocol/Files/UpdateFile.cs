using System.Collections.Immutable;

namespace FedChain.Protocol.Files;

/// <summary>The header of an update. The bytes from <see cref="DataOffset"/> on are one vector of codes, those of the round's factors tensor after tensor.</summary>
/// <param name="Metadata">What the update says about itself.</param>
/// <param name="Tensors">Names and shapes, in order: those of the factors or, with fewer than 32 bits, a single one of all their values.</param>
/// <param name="Encoding">How the integers are written.</param>
/// <param name="Shifts">With fewer than 32 bits, by how many places the codes of each of the factors' tensors are shifted; else empty.</param>
/// <param name="DataOffset">Where the first code lies in the file.</param>
/// <param name="Count">How many codes there are.</param>
public sealed record UpdateHeader(
    UpdateMetadata Metadata, ImmutableArray<SafetensorsTensor> Tensors, UpdateEncoding Encoding, ImmutableArray<int> Shifts, long DataOffset, long Count)
{
    /// <summary>Whether the values are exactly those of these factors of the layout, as far as the header tells.</summary>
    public bool Fits(AdapterLayout layout, Factors factors)
    {
        var expected = layout.Of(factors);
        return Encoding != UpdateEncoding.Int32 ? Count == layout.CountOf(factors) && Shifts.Length == expected.Length
            : Tensors.Length == expected.Length
            && Tensors.Zip(expected).All(pair => pair.First.Name == pair.Second.Name && pair.First.Shape.AsSpan().SequenceEqual([pair.Second.Rows, pair.Second.Columns]));
    }
}

/// <summary>
/// A member's update: a canonical safetensors file with the differences to the base adapter of the round's factors, and <see cref="UpdateMetadata"/>; its
/// SHA-256 is the manifest's <c>plaintext</c>. With 32 bits there is one tensor for each factor of a layer. With fewer, one tensor <c>update</c> of all their
/// codes and, in the metadata, a digit from 0 to i for each factor's shift: the base's digest fixes names and shapes already, and they would take more than
/// a small update's codes.
/// </summary>
public static class UpdateFile
{
    private const int MaxMetadataBytes = 4096;
    private const string EncodedTensor = "update";
    private const string ShiftsKey = "shifts";
    private const string ShiftDigits = "0123456789abcdefghi";

    /// <summary>Writes an update and returns its SHA-256.</summary>
    /// <param name="destination">Where to.</param>
    /// <param name="metadata">What it says about itself.</param>
    /// <param name="update">The differences, and how they are written.</param>
    /// <exception cref="ArgumentException">Metadata that the reader would refuse.</exception>
    public static Hash256 Write(Stream destination, UpdateMetadata metadata, EncodedDifferences update)
    {
        var entries = metadata.ToEntries();
        try
        {
            UpdateMetadata.Parse(entries);
        }
        catch (InvalidDataException e)
        {
            throw new ArgumentException($"No reader would accept this update: {e.Message}", nameof(metadata), e);
        }

        if (update.Encoding != UpdateEncoding.Int32)
        {
            entries = entries.Add(ShiftsKey, string.Concat(update.Shifts.Select(shift => ShiftDigits[shift])));
        }

        using var writer = new DigestingWriter(destination);
        writer.Write(HeaderOf(update.Encoding, update.Layout, update.Factors, entries).ToBytes());
        var at = 0;
        foreach (var (tensor, shift) in update.Layout.Of(update.Factors).Zip(update.Shifts))
        {
            writer.Write(update.Values.Slice(at, tensor.Count), update.Encoding.Size(), shift);
            at += tensor.Count;
        }

        return writer.Digest();
    }

    /// <summary>No update of these factors is longer, in bytes: what a reader accepts from others.</summary>
    public static long MaxLength(UpdateEncoding encoding, AdapterLayout layout, Factors factors) =>
        MaxMetadataBytes + layout.Of(factors).Length + HeaderOf(encoding, layout, factors, ImmutableSortedDictionary<string, string>.Empty).FileLength;

    /// <summary>Reads the header and leaves the stream at the first code.</summary>
    /// <param name="source">The file, at its beginning.</param>
    /// <param name="length">The file's length in bytes.</param>
    /// <exception cref="InvalidDataException">Not a canonical update file of integers; the message says in what it departs.</exception>
    public static UpdateHeader ReadHeader(Stream source, long length)
    {
        var header = SafetensorsHeader.ReadCanonical(source, length, AdapterFile.MaxHeaderSize);
        if (header.Tensors is [{ Name: EncodedTensor } codes])
        {
            var encoding = codes.Type switch
            {
                TensorType.Int16 => UpdateEncoding.Int16,
                TensorType.Int8 => UpdateEncoding.Int8,
                _ => throw new InvalidDataException($"Tensor '{EncodedTensor}' of the update is {codes.Type.Code()}; this version reads I16 and I8."),
            };
            var shifts = Shifts(encoding, header.Metadata);
            return codes.Shape.Length == 1 && codes.Count <= AdapterLayout.MaxElements
                ? new UpdateHeader(UpdateMetadata.Parse(header.Metadata.Remove(ShiftsKey)), header.Tensors, encoding, shifts, header.DataOffset, codes.Count)
                : throw new InvalidDataException($"Tensor '{EncodedTensor}' should have one dimension; its shape is {codes.ShapeText}.");
        }

        foreach (var tensor in header.Tensors)
        {
            AdapterLayout.FactorOf(tensor.Name);
            if (tensor.Type != TensorType.Int32)
            {
                throw new InvalidDataException($"Tensor '{tensor.Name}' of the update is {tensor.Type.Code()}; this version reads {TensorType.Int32.Code()}.");
            }
        }

        return new UpdateHeader(UpdateMetadata.Parse(header.Metadata), header.Tensors, UpdateEncoding.Int32, [], header.DataOffset, header.DataLength / sizeof(int));
    }

    private static ImmutableArray<int> Shifts(UpdateEncoding encoding, ImmutableSortedDictionary<string, string> entries)
    {
        var text = entries.GetValueOrDefault(ShiftsKey) ?? throw new InvalidDataException($"The update lacks the metadata entry '{ShiftsKey}'.");
        var highest = encoding.MaxShift();
        var shifts = text.Select(digit => ShiftDigits.IndexOf(digit, StringComparison.Ordinal)).ToImmutableArray();
        return shifts.All(shift => shift >= 0 && shift <= highest)
            ? shifts
            : throw new InvalidDataException($"The update's '{ShiftsKey}' should be a digit from 0 to {ShiftDigits[highest]} for each tensor; got '{text}'.");
    }

    private static SafetensorsHeader HeaderOf(UpdateEncoding encoding, AdapterLayout layout, Factors factors, ImmutableSortedDictionary<string, string> entries) =>
        SafetensorsHeader.Create(
            encoding == UpdateEncoding.Int32
                ? layout.Of(factors).Select(t => (t.Name, TensorType.Int32, ImmutableArray.Create<long>(t.Rows, t.Columns)))
                : [(EncodedTensor, encoding.Type(), [layout.CountOf(factors)])],
            entries);
}

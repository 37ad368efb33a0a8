using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using FedChain.Protocol.Numerics;

namespace FedChain.Protocol.Files;

/// <summary>What a file of state is of.</summary>
public enum StateKind
{
    /// <summary>The velocity of server momentum, which a global manifest names.</summary>
    Velocity,

    /// <summary>What encoding left out of a member's updates; it stays in its home.</summary>
    Residual,
}

/// <summary>
/// A <see cref="StateVector"/> as a file: canonical safetensors of 32-bit integers, named and shaped as the adapter's tensors. One vector has exactly one
/// file, whose SHA-256 a global manifest names.
/// </summary>
public static class StateFile
{
    private const int ChunkElements = 1 << 15;

    /// <summary>The file's length in bytes.</summary>
    public static long LengthOf(StateKind kind, AdapterLayout layout) => HeaderOf(kind, layout).FileLength;

    /// <summary>The file's SHA-256, without writing it anywhere.</summary>
    public static Hash256 Digest(StateKind kind, StateVector state) => Write(Stream.Null, kind, state);

    /// <summary>Writes the file and returns its SHA-256.</summary>
    public static Hash256 Write(Stream destination, StateKind kind, StateVector state)
    {
        using var writer = new DigestingWriter(destination);
        writer.Write(HeaderOf(kind, state.Layout).ToBytes());
        writer.Write(state.Values);
        return writer.Digest();
    }

    /// <summary>Reads a file that must be canonical, of that kind and layout, with every value in range.</summary>
    /// <param name="source">The file, at its beginning.</param>
    /// <param name="length">The file's length in bytes.</param>
    /// <param name="kind">What it must be of.</param>
    /// <param name="layout">The federation's.</param>
    /// <param name="digest">The file's SHA-256.</param>
    /// <exception cref="InvalidDataException">Anything else; the message says what.</exception>
    public static StateVector Read(Stream source, long length, StateKind kind, AdapterLayout layout, out Hash256 digest)
    {
        var expected = HeaderOf(kind, layout).ToBytes();
        var found = SafetensorsHeader.ReadCanonical(source, length, AdapterFile.MaxHeaderSize).ToBytes();
        if (!found.AsSpan().SequenceEqual(expected))
        {
            throw new InvalidDataException(
                $"The file of state is none of kind '{Text(kind)}' over the federation's {layout.Tensors.Length} tensors with {layout.Count} values.");
        }

        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        sha.AppendData(found);
        var values = new int[layout.Count];
        for (var at = 0; at < values.Length; at += ChunkElements)
        {
            var chunk = values.AsSpan(at, Math.Min(ChunkElements, values.Length - at));
            var bytes = MemoryMarshal.AsBytes(chunk);
            if (source.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
            {
                throw new InvalidDataException($"The file of state ends within its tensors; expected {length} bytes.");
            }

            sha.AppendData(bytes);
            LittleEndian.Swap(chunk);
            if (FixedPoint.FirstBeyond(chunk, FixedPoint.MaxDifference) is >= 0 and var far)
            {
                throw new InvalidDataException($"Value {at + far} of the state is {chunk[far]}; expected at most ±{FixedPoint.MaxDifference}.");
            }
        }

        digest = new Hash256(sha.GetHashAndReset());
        return new StateVector(layout, values);
    }

    private static string Text(StateKind kind) => kind == StateKind.Velocity ? "velocity" : "residual";

    private static SafetensorsHeader HeaderOf(StateKind kind, AdapterLayout layout) => SafetensorsHeader.Create(
        layout.Tensors.Select(t => (t.Name, TensorType.Int32, ImmutableArray.Create<long>(t.Rows, t.Columns))), [new("kind", Text(kind)), new("v", "1")]);
}

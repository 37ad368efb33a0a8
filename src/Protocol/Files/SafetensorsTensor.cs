using System.Collections.Immutable;

namespace FedChain.Protocol.Files;

/// <summary>One tensor of a safetensors file: row-major, little-endian.</summary>
/// <param name="Name">Any text; unique in its file.</param>
/// <param name="Type">Type of the elements.</param>
/// <param name="Shape">Sizes of the dimensions, outermost first; empty for a scalar.</param>
/// <param name="Offset">Where its first byte lies, counted from the end of the header.</param>
/// <param name="Length">Its bytes: the product of the shape times the element's size.</param>
public sealed record SafetensorsTensor(string Name, TensorType Type, ImmutableArray<long> Shape, long Offset, long Length)
{
    /// <summary>The number of elements.</summary>
    public long Count => Length / Type.Size();

    /// <summary>The shape as people write it, such as <c>[4, 64]</c>.</summary>
    public string ShapeText => $"[{string.Join(", ", Shape)}]";

    /// <summary>Bytes that a tensor of this type and shape takes; null if the number does not fit 63 bits or a dimension is negative.</summary>
    internal static long? SizeOf(TensorType type, ReadOnlySpan<long> shape)
    {
        UInt128 size = (UInt128)type.Size();
        foreach (var dimension in shape)
        {
            if (dimension < 0)
            {
                return null;
            }

            size *= (UInt128)dimension;
            if (size > long.MaxValue)
            {
                return null;
            }
        }

        return (long)size;
    }

    public bool Equals(SafetensorsTensor? other) =>
        other is not null && Name == other.Name && Type == other.Type && Offset == other.Offset && Length == other.Length
        && Shape.AsSpan().SequenceEqual(other.Shape.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Name, Type, Offset, Length);
}

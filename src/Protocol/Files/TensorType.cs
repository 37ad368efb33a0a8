namespace FedChain.Protocol.Files;

/// <summary>The element types of a safetensors file.</summary>
public enum TensorType
{
    Bool,
    UInt8,
    Int8,
    UInt16,
    Int16,
    Float16,
    BFloat16,
    UInt32,
    Int32,
    Float32,
    UInt64,
    Int64,
    Float64,
}

/// <summary>Sizes of <see cref="TensorType"/> and their names in a safetensors header.</summary>
public static class TensorTypes
{
    private static readonly TensorType[] All = Enum.GetValues<TensorType>();

    /// <summary>Bytes per element.</summary>
    public static int Size(this TensorType type) => type switch
    {
        TensorType.Bool or TensorType.UInt8 or TensorType.Int8 => 1,
        TensorType.UInt16 or TensorType.Int16 or TensorType.Float16 or TensorType.BFloat16 => 2,
        TensorType.UInt32 or TensorType.Int32 or TensorType.Float32 => 4,
        TensorType.UInt64 or TensorType.Int64 or TensorType.Float64 => 8,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not a tensor type."),
    };

    /// <summary>The name that the format uses, such as <c>F32</c>.</summary>
    public static string Code(this TensorType type) => type switch
    {
        TensorType.Bool => "BOOL",
        TensorType.UInt8 => "U8",
        TensorType.Int8 => "I8",
        TensorType.UInt16 => "U16",
        TensorType.Int16 => "I16",
        TensorType.Float16 => "F16",
        TensorType.BFloat16 => "BF16",
        TensorType.UInt32 => "U32",
        TensorType.Int32 => "I32",
        TensorType.Float32 => "F32",
        TensorType.UInt64 => "U64",
        TensorType.Int64 => "I64",
        TensorType.Float64 => "F64",
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not a tensor type."),
    };

    /// <summary>Reads a name that the format uses; false for types this program has no use for (the 8-bit floats).</summary>
    public static bool TryParse(string code, out TensorType type)
    {
        foreach (var candidate in All)
        {
            if (candidate.Code() == code)
            {
                type = candidate;
                return true;
            }
        }

        type = default;
        return false;
    }
}

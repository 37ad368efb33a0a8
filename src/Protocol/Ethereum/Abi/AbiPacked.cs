namespace FedChain.Protocol.Ethereum.Abi;

/// <summary>
/// abi.encodePacked ("Non-standard Packed Mode"): values in their own width one after the other, elements of arrays padded to a word, no lengths.
/// Ambiguous as soon as two values vary in length; FedChain's own preimages use abi.encode.
/// </summary>
public static class AbiPacked
{
    /// <exception cref="ArgumentException">A value does not fit its type, or a type has no packed form (tuples).</exception>
    public static byte[] Encode(IReadOnlyList<AbiType> types, IReadOnlyList<object> values)
    {
        if (types.Count != values.Count)
        {
            throw new ArgumentException($"Expected {types.Count} values; got {values.Count}.", nameof(values));
        }

        using var output = new MemoryStream();
        for (var i = 0; i < types.Count; i++)
        {
            Write(types[i], values[i], inArray: false, output);
        }

        return output.ToArray();
    }

    private static void Write(AbiType type, object value, bool inArray, MemoryStream output)
    {
        switch (type.Kind)
        {
            case AbiKind.Bytes or AbiKind.String when !inArray:
                output.Write(AbiEncoder.DynamicBytes(type, value));
                break;
            case AbiKind.Array or AbiKind.FixedArray:
                foreach (var element in AbiEncoder.Elements(type, value))
                {
                    Write(type.Element!, element, inArray: true, output);
                }

                break;
            case AbiKind.UInt or AbiKind.Int or AbiKind.Bool or AbiKind.Address or AbiKind.FixedBytes:
                var word = AbiEncoder.EncodeWord(type, value).ToArray();
                var width = inArray ? Word.Size : Width(type);
                output.Write(type.Kind == AbiKind.FixedBytes ? word.AsSpan(0, width) : word.AsSpan(Word.Size - width));
                break;
            default:
                throw new ArgumentException($"{type} has no packed form here.", nameof(type));
        }
    }

    private static int Width(AbiType type) => type.Kind switch
    {
        AbiKind.Bool => 1,
        AbiKind.Address => Address.Size,
        AbiKind.FixedBytes => type.Size,
        _ => type.Size / 8,
    };
}

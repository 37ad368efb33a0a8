using System.Collections;
using System.Numerics;
using System.Text;

namespace FedChain.Protocol.Ethereum.Abi;

/// <summary>
/// abi.encode (Solidity documentation, "Contract ABI Specification"): a sequence is its heads, then the tails of its dynamic members in order, each
/// head of a dynamic member being the offset of its tail from the start of the sequence.
/// Values: what <see cref="AbiValues"/> lists, and besides any integer type, MemberId, RoundId, Hash256 for bytes32, and any list for arrays and tuples.
/// </summary>
public static class AbiEncoder
{
    /// <exception cref="ArgumentException">A value does not fit its type, or their numbers differ.</exception>
    public static byte[] Encode(IReadOnlyList<AbiType> types, IReadOnlyList<object> values)
    {
        using var output = new MemoryStream();
        WriteSequence(types, values, output);
        return output.ToArray();
    }

    /// <summary>One elementary static value as its word.</summary>
    internal static Word EncodeWord(AbiType type, object value) => type.Kind switch
    {
        AbiKind.UInt or AbiKind.Int => IntegerWord(type, value),
        AbiKind.Bool => value is bool flag ? flag : throw Misfit(type, value),
        AbiKind.Address => value is Address address ? address : throw Misfit(type, value),
        AbiKind.FixedBytes => new Word(FixedBytes(type, value)),
        _ => throw new ArgumentException($"{type} is no elementary static type.", nameof(type)),
    };

    internal static byte[] DynamicBytes(AbiType type, object value) => value switch
    {
        byte[] bytes when type.Kind == AbiKind.Bytes => bytes,
        ReadOnlyMemory<byte> memory when type.Kind == AbiKind.Bytes => memory.ToArray(),
        string text when type.Kind == AbiKind.String => StrictUtf8.GetBytes(text),
        _ => throw Misfit(type, value),
    };

    internal static Encoding StrictUtf8 { get; } = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    internal static IReadOnlyList<object> Elements(AbiType type, object value)
    {
        var elements = value switch
        {
            byte[] or string => throw Misfit(type, value),
            IReadOnlyList<object> list => list,
            IEnumerable sequence => [.. sequence.Cast<object>()],
            _ => throw Misfit(type, value),
        };
        var expected = type.Kind switch { AbiKind.FixedArray => type.Size, AbiKind.Tuple => type.Components.Count, _ => elements.Count };
        return elements.Count == expected
            ? elements
            : throw new ArgumentException($"{type} has {expected} elements; got {elements.Count}.", nameof(value));
    }

    internal static IReadOnlyList<AbiType> ElementTypes(AbiType type, int count) => type.Kind == AbiKind.Tuple
        ? [.. type.Components.Select(c => c.Type)]
        : new Repeated(type.Element!, count);

    private static void WriteSequence(IReadOnlyList<AbiType> types, IReadOnlyList<object> values, MemoryStream output)
    {
        if (types.Count != values.Count)
        {
            throw new ArgumentException($"Expected {types.Count} values; got {values.Count}.", nameof(values));
        }

        var tail = 0L;
        for (var i = 0; i < types.Count; i++)
        {
            tail += types[i].HeadBytes;
        }

        using var tails = new MemoryStream();
        for (var i = 0; i < types.Count; i++)
        {
            if (types[i].IsDynamic)
            {
                WriteWord((ulong)(tail + tails.Length), output);
                WriteValue(types[i], values[i], tails);
            }
            else
            {
                WriteValue(types[i], values[i], output);
            }
        }

        tails.WriteTo(output);
    }

    private static void WriteValue(AbiType type, object value, MemoryStream output)
    {
        switch (type.Kind)
        {
            case AbiKind.Bytes or AbiKind.String:
                var bytes = DynamicBytes(type, value);
                WriteWord((ulong)bytes.Length, output);
                output.Write(bytes);
                output.Write(new byte[(Word.Size - (bytes.Length % Word.Size)) % Word.Size]);
                break;
            case AbiKind.Array or AbiKind.FixedArray or AbiKind.Tuple:
                var elements = Elements(type, value);
                if (type.Kind == AbiKind.Array)
                {
                    WriteWord((ulong)elements.Count, output);
                }

                WriteSequence(ElementTypes(type, elements.Count), elements, output);
                break;
            default:
                WriteWord(EncodeWord(type, value), output);
                break;
        }
    }

    private static void WriteWord(Word word, MemoryStream output)
    {
        Span<byte> bytes = stackalloc byte[Word.Size];
        word.CopyTo(bytes);
        output.Write(bytes);
    }

    private static Word IntegerWord(AbiType type, object value)
    {
        var integer = value switch
        {
            BigInteger big => big,
            ulong n => n,
            uint n => n,
            long n => n,
            int n => n,
            ushort n => n,
            byte n => n,
            MemberId id => id.Value,
            RoundId id => id.Value,
            _ => throw Misfit(type, value),
        };
        if (!Fits(type, integer))
        {
            throw new ArgumentException($"{integer} does not fit {type}.", nameof(value));
        }

        return type.Kind == AbiKind.UInt ? Word.FromUnsigned(integer) : Word.FromSigned(integer);
    }

    internal static bool Fits(AbiType type, BigInteger value) => type.Kind == AbiKind.UInt
        ? value.Sign >= 0 && value.GetBitLength() <= type.Size
        : value.GetBitLength() <= type.Size - 1; // of a negative number: the shortest two's complement without its sign bit

    private static Hash256 FixedBytes(AbiType type, object value)
    {
        switch (value)
        {
            case Hash256 hash when type.Size == Hash256.Size:
                return hash;
            case byte[] bytes when bytes.Length == type.Size:
                Span<byte> padded = stackalloc byte[Word.Size];
                padded.Clear();
                bytes.CopyTo(padded);
                return new Hash256(padded);
            default:
                throw Misfit(type, value);
        }
    }

    private static ArgumentException Misfit(AbiType type, object? value) =>
        new($"Expected a value for {type}; got {value switch { null => "nothing", byte[] bytes => $"{bytes.Length} bytes", _ => $"a {value.GetType().Name}" }}.", nameof(value));

    /// <summary>One type, count times, without storing it so often.</summary>
    private sealed class Repeated(AbiType type, int count) : IReadOnlyList<AbiType>
    {
        public int Count => count;

        public AbiType this[int index] => type;

        public IEnumerator<AbiType> GetEnumerator() => Enumerable.Repeat(type, count).GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}

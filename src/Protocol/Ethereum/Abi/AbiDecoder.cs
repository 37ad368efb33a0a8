using System.Buffers.Binary;
using System.Text;

namespace FedChain.Protocol.Ethereum.Abi;

/// <summary>
/// The inverse of abi.encode, strict: accepts exactly what the encoder writes. Every tail begins where the one before it ended, padding is zero,
/// integers, addresses and booleans are in range, and nothing follows the last tail. Solidity writes nothing else, so a looser reading would only
/// serve whoever wants two readers to see different values; and with no shared tails, decoding is linear in the input: a length is checked against
/// the bytes that are left before anything is allocated for it.
/// </summary>
public static class AbiDecoder
{
    /// <exception cref="FormatException">The bytes are not the encoding of any values of these types.</exception>
    public static AbiValues Decode(IReadOnlyList<AbiType> types, ReadOnlySpan<byte> data)
    {
        var values = ReadSequence(types, data, 0, out var end);
        return end == data.Length ? values : throw new FormatException($"ABI: {data.Length - end} bytes after the values.");
    }

    private static AbiValues ReadSequence(IReadOnlyList<AbiType> types, ReadOnlySpan<byte> data, int start, out int end)
    {
        var heads = 0L;
        for (var i = 0; i < types.Count; i++)
        {
            heads += types[i].HeadBytes;
        }

        if (heads > data.Length - start)
        {
            throw new FormatException($"ABI: expected {heads} bytes at byte {start}; {data.Length - start} are left.");
        }

        var values = new object[types.Count];
        var head = start;
        end = start + (int)heads;
        for (var i = 0; i < types.Count; i++)
        {
            var type = types[i];
            if (!type.IsDynamic)
            {
                values[i] = ReadValue(type, data, head, out _);
            }
            else if (ReadLength(data, head) is var offset && offset == end - start)
            {
                values[i] = ReadValue(type, data, end, out end);
            }
            else
            {
                throw new FormatException($"ABI: the value at byte {start} + {offset} should follow the ones before it, at byte {end}.");
            }

            head += type.HeadBytes;
        }

        return new AbiValues(values);
    }

    private static object ReadValue(AbiType type, ReadOnlySpan<byte> data, int at, out int end)
    {
        switch (type.Kind)
        {
            case AbiKind.Bytes or AbiKind.String:
                return ReadBytes(type, data, at, out end);
            case AbiKind.Array:
                var count = ReadLength(data, at);
                at += Word.Size;
                return (long)count * type.Element!.HeadBytes <= data.Length - at
                    ? ReadSequence(AbiEncoder.ElementTypes(type, count), data, at, out end)
                    : throw new FormatException($"ABI: an array of {count} {type.Element} at byte {at}; {data.Length - at} bytes are left.");
            case AbiKind.FixedArray or AbiKind.Tuple:
                return ReadSequence(AbiEncoder.ElementTypes(type, type.Size), data, at, out end);
            default:
                end = at + Word.Size;
                return ReadWord(type, new Word(new Hash256(data.Slice(at, Word.Size))), at);
        }
    }

    internal static object ReadWord(AbiType type, Word word, int at = 0)
    {
        switch (type.Kind)
        {
            case AbiKind.UInt or AbiKind.Int:
                var integer = type.Kind == AbiKind.UInt ? word.ToUnsigned() : word.ToSigned();
                return AbiEncoder.Fits(type, integer) ? integer : throw OutOfRange(type, word, at);
            case AbiKind.Bool:
                return word == true || (word == false ? false : throw OutOfRange(type, word, at));
            case AbiKind.Address:
                var bytes = word.ToArray();
                return !bytes.AsSpan(0, 12).ContainsAnyExcept((byte)0) ? new Address(bytes.AsSpan(12)) : throw OutOfRange(type, word, at);
            case AbiKind.FixedBytes:
                var padded = word.ToArray();
                return !padded.AsSpan(type.Size).ContainsAnyExcept((byte)0) ? padded[..type.Size] : throw OutOfRange(type, word, at);
            default:
                throw new ArgumentException($"{type} is no elementary static type.", nameof(type));
        }
    }

    private static object ReadBytes(AbiType type, ReadOnlySpan<byte> data, int at, out int end)
    {
        var length = ReadLength(data, at);
        at += Word.Size;
        var padded = ((long)length + Word.Size - 1) / Word.Size * Word.Size;
        if (padded > data.Length - at)
        {
            throw new FormatException($"ABI: {length} bytes of {type} at byte {at}; {data.Length - at} are left.");
        }

        end = at + (int)padded;
        if (data[(at + length)..end].ContainsAnyExcept((byte)0))
        {
            throw new FormatException($"ABI: the padding of {type} at byte {at} is not zero.");
        }

        var bytes = data.Slice(at, length);
        try
        {
            return type.Kind == AbiKind.Bytes ? bytes.ToArray() : AbiEncoder.StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException e)
        {
            throw new FormatException($"ABI: the string at byte {at} is not UTF-8.", e);
        }
    }

    /// <summary>A length, count or offset: no larger than the input, so it can be added to a position.</summary>
    private static int ReadLength(ReadOnlySpan<byte> data, int at)
    {
        if (data.Length - at < Word.Size)
        {
            throw new FormatException($"ABI: expected a length at byte {at}; {data.Length - at} bytes are left.");
        }

        var word = data.Slice(at, Word.Size);
        var value = BinaryPrimitives.ReadUInt64BigEndian(word[24..]);
        return !word[..24].ContainsAnyExcept((byte)0) && value <= (ulong)data.Length
            ? (int)value
            : throw new FormatException($"ABI: the length at byte {at} is beyond the {data.Length} bytes of input.");
    }

    private static FormatException OutOfRange(AbiType type, Word word, int at) => new($"ABI: {word} at byte {at} is no {type}.");
}

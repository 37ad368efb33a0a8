using System.Buffers.Binary;

namespace FedChain.Protocol.Ethereum;

/// <summary>
/// Recursive length prefix (Yellow Paper, appendix B). The decoder takes exactly the encoder's image: a length in more bytes than it needs, a single
/// byte below 0x80 with a prefix, a length beyond the end and bytes after the item are all refused. Decoding copies no content, so its memory is
/// bounded by a constant times the input's length.
/// </summary>
public static class Rlp
{
    /// <summary>Lists may be nested this deep; no format of Ethereum's exceeds 5.</summary>
    public const int MaxDepth = 256;

    public static byte[] Encode(RlpItem item)
    {
        var encoded = new byte[EncodedLength(item, 0)];
        Write(item, encoded);
        return encoded;
    }

    /// <summary>Decodes one item that fills the input. The items refer to <paramref name="encoded"/>'s memory.</summary>
    /// <exception cref="FormatException">Not canonical RLP, or nested deeper than <see cref="MaxDepth"/>.</exception>
    public static RlpItem Decode(ReadOnlyMemory<byte> encoded)
    {
        var position = 0;
        var item = Read(encoded, ref position, 0);
        return position == encoded.Length
            ? item
            : throw new FormatException($"RLP: {encoded.Length - position} bytes after the item.");
    }

    private static RlpItem Read(ReadOnlyMemory<byte> memory, ref int position, int depth)
    {
        var content = ReadHeader(memory.Span, ref position, out var isList);
        var slice = memory.Slice(position, content);
        position += content;
        if (!isList)
        {
            return RlpItem.Of(slice);
        }

        if (depth == MaxDepth)
        {
            throw new FormatException($"RLP: lists nested deeper than {MaxDepth}.");
        }

        var items = new List<RlpItem>();
        for (var inner = 0; inner < slice.Length;)
        {
            items.Add(Read(slice, ref inner, depth + 1));
        }

        return RlpItem.List(items);
    }

    /// <summary>Moves past the prefix and returns the content's length, which lies within the input.</summary>
    private static int ReadHeader(ReadOnlySpan<byte> data, ref int position, out bool isList)
    {
        if (position >= data.Length)
        {
            throw new FormatException("RLP: the input is empty or ends before an item.");
        }

        var prefix = data[position];
        isList = prefix >= 0xc0;
        if (prefix < 0x80)
        {
            return 1; // the byte is its own content
        }

        position++;
        var shortForm = prefix - (isList ? 0xc0 : 0x80);
        var length = shortForm <= 55 ? (ulong)shortForm : ReadLongLength(data, ref position, shortForm - 55);
        if (length > (ulong)(data.Length - position))
        {
            throw new FormatException($"RLP: an item of {length} bytes, but only {data.Length - position} are left.");
        }

        if (!isList && length == 1 && shortForm <= 55 && data[position] < 0x80)
        {
            throw new FormatException("RLP: a single byte below 0x80 is written without a prefix.");
        }

        return (int)length;
    }

    private static ulong ReadLongLength(ReadOnlySpan<byte> data, ref int position, int bytes)
    {
        if (bytes > data.Length - position)
        {
            throw new FormatException("RLP: the input ends within a length.");
        }

        Span<byte> padded = stackalloc byte[8];
        padded.Clear();
        data.Slice(position, bytes).CopyTo(padded[(8 - bytes)..]);
        var length = BinaryPrimitives.ReadUInt64BigEndian(padded);
        if (data[position] == 0 || length <= 55)
        {
            throw new FormatException("RLP: a length in more bytes than it needs.");
        }

        position += bytes;
        return length;
    }

    private static int EncodedLength(RlpItem item, int depth)
    {
        if (item.IsList && depth >= MaxDepth)
        {
            throw new ArgumentException($"RLP lists are nested at most {MaxDepth} deep.", nameof(item));
        }

        if (!item.IsList && item.Bytes.Length == 1 && item.Bytes.Span[0] < 0x80)
        {
            return 1;
        }

        var content = ContentLength(item, depth);
        return checked(1 + (content <= 55 ? 0 : LengthOfLength(content)) + content);
    }

    private static int ContentLength(RlpItem item, int depth)
    {
        if (!item.IsList)
        {
            return item.Bytes.Length;
        }

        var total = 0;
        foreach (var inner in item.Items)
        {
            total = checked(total + EncodedLength(inner, depth + 1));
        }

        return total;
    }

    private static int Write(RlpItem item, Span<byte> destination)
    {
        if (!item.IsList && item.Bytes.Length == 1 && item.Bytes.Span[0] < 0x80)
        {
            destination[0] = item.Bytes.Span[0];
            return 1;
        }

        var position = WriteHeader(ContentLength(item, 0), item.IsList ? 0xc0 : 0x80, destination);
        if (!item.IsList)
        {
            item.Bytes.Span.CopyTo(destination[position..]);
            return position + item.Bytes.Length;
        }

        foreach (var inner in item.Items)
        {
            position += Write(inner, destination[position..]);
        }

        return position;
    }

    private static int WriteHeader(int length, int offset, Span<byte> destination)
    {
        if (length <= 55)
        {
            destination[0] = (byte)(offset + length);
            return 1;
        }

        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, length);
        var size = LengthOfLength(length);
        destination[0] = (byte)(offset + 55 + size);
        bytes[(4 - size)..].CopyTo(destination[1..]);
        return 1 + size;
    }

    private static int LengthOfLength(int length) => length switch { < 1 << 8 => 1, < 1 << 16 => 2, < 1 << 24 => 3, _ => 4 };
}

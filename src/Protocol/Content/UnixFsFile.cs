namespace FedChain.Protocol.Content;

/// <summary>
/// The data of a dag-pb node that is a file or a part of one (github.com/ipfs/specs UNIXFS.md): bytes of its own, then those of its children,
/// whose sizes it states. Directories and everything else are refused.
/// </summary>
/// <param name="Data">The node's own bytes; empty in the inner nodes that FedChain writes.</param>
/// <param name="FileSize">Bytes of the file under this node, its own included.</param>
/// <param name="BlockSizes">File bytes under each link, in the links' order.</param>
public sealed record UnixFsFile(ReadOnlyMemory<byte> Data, ulong FileSize, IReadOnlyList<ulong> BlockSizes)
{
    // message Data { required DataType Type = 1; optional bytes Data = 2; optional uint64 filesize = 3; repeated uint64 blocksizes = 4;
    //                optional uint64 hashType = 5; optional uint64 fanout = 6; optional uint32 mode = 7; optional UnixTime mtime = 8; }
    private const ulong RawType = 0;
    private const ulong FileType = 2;
    private const byte TypeTag = 1 << 3;
    private const byte DataTag = (2 << 3) | 2;
    private const byte FileSizeTag = 3 << 3;
    private const byte BlockSizeTag = 4 << 3;

    /// <summary>Reads the data of a dag-pb node; <see cref="Data"/> is a part of <paramref name="message"/>. Mode and time are passed over.</summary>
    /// <exception cref="InvalidDataException">Not a file, or not in the field order of its writers, or sizes that don't add up.</exception>
    public static UnixFsFile Decode(ReadOnlyMemory<byte> message)
    {
        var reader = new ProtobufReader(message.Span, "UnixFS node");
        ulong? type = null;
        ulong? fileSize = null;
        var data = ReadOnlyMemory<byte>.Empty;
        var blockSizes = new List<ulong>();
        ulong last = 0;
        while (!reader.AtEnd)
        {
            var tag = reader.ReadTag();
            if (tag.Field < last || (tag.Field == last && tag.Field != 4))
            {
                throw new InvalidDataException($"A UnixFS node has its fields in order; field {tag.Field} follows {last}.");
            }

            last = tag.Field;
            switch (tag)
            {
                case (1, false):
                    type = reader.ReadNumber();
                    break;
                case (2, true):
                    data = message[reader.ReadBytes()];
                    break;
                case (3, false):
                    fileSize = reader.ReadNumber();
                    break;
                case (4, false):
                    blockSizes.Add(reader.ReadNumber());
                    break;
                case (7, false):
                    reader.ReadNumber();
                    break;
                case (8, true):
                    reader.ReadBytes();
                    break;
                default:
                    throw new InvalidDataException($"A UnixFS file has no field {tag.Field} of this kind.");
            }
        }

        if (type is not (RawType or FileType))
        {
            throw new InvalidDataException($"Expected a UnixFS file (type {FileType}) or its part ({RawType}); got type {type?.ToString() ?? "none"}.");
        }

        var sum = SumOf(data.Length, blockSizes);
        if (sum is null || (fileSize ?? sum) != sum)
        {
            throw new InvalidDataException($"A UnixFS node states {fileSize?.ToString() ?? "no"} bytes, but its parts add up to {sum?.ToString() ?? "more than 63 bits"}.");
        }

        return new UnixFsFile(data, sum.Value, blockSizes);
    }

    /// <summary>The message as Kubo writes it: absent data where there is none, the file size always.</summary>
    public byte[] Encode()
    {
        Span<byte> head = stackalloc byte[4 + (2 * Varint.MaxLength)];
        var length = 0;
        head[length++] = TypeTag;
        head[length++] = (byte)FileType;
        if (!Data.IsEmpty)
        {
            head[length++] = DataTag;
            length += Varint.Write((ulong)Data.Length, head[length..]);
        }

        var size = length + Data.Length + 1 + Varint.LengthOf(FileSize) + BlockSizes.Sum(block => 1 + Varint.LengthOf(block));
        var message = new byte[size];
        head[..length].CopyTo(message);
        Data.Span.CopyTo(message.AsSpan(length));
        length += Data.Length;
        message[length++] = FileSizeTag;
        length += Varint.Write(FileSize, message.AsSpan(length));
        foreach (var block in BlockSizes)
        {
            message[length++] = BlockSizeTag;
            length += Varint.Write(block, message.AsSpan(length));
        }

        return message;
    }

    private static ulong? SumOf(int own, List<ulong> parts)
    {
        var sum = (ulong)own;
        foreach (var part in parts)
        {
            sum += part; // both below 2^63, so this can't wrap
            if (sum > long.MaxValue)
            {
                return null;
            }
        }

        return sum;
    }
}

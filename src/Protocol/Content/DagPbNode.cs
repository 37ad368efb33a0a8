using System.Text;

namespace FedChain.Protocol.Content;

/// <summary>A link of a dag-pb node. An absent name or size is written by leaving the field out, which is not the same as empty or 0.</summary>
/// <param name="Cid">The child.</param>
/// <param name="Name">UTF-8 text; empty between the parts of a file.</param>
/// <param name="TotalSize">Bytes of the child and all below it (Tsize); a hint that nobody checks.</param>
public sealed record DagPbLink(Cid Cid, string? Name, ulong? TotalSize);

/// <summary>
/// A dag-pb node, in the one form that its specification allows (ipld.io/specs/codecs/dag-pb/spec): links before data, the fields of a link
/// in order, nothing repeated, nothing unknown.
/// </summary>
public sealed record DagPbNode(IReadOnlyList<DagPbLink> Links, ReadOnlyMemory<byte>? Data)
{
    // message PBLink { optional bytes Hash = 1; optional string Name = 2; optional uint64 Tsize = 3; }
    // message PBNode { repeated PBLink Links = 2; optional bytes Data = 1; }
    private const byte DataTag = (1 << 3) | 2;
    private const byte LinkTag = (2 << 3) | 2;
    private const byte HashTag = (1 << 3) | 2;
    private const byte NameTag = (2 << 3) | 2;
    private const byte SizeTag = 3 << 3;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads a block; <see cref="Data"/> is a part of <paramref name="block"/>, not a copy.</summary>
    /// <exception cref="InvalidDataException">The block isn't a dag-pb node in its one form.</exception>
    public static DagPbNode Decode(ReadOnlyMemory<byte> block)
    {
        var reader = new ProtobufReader(block.Span, "dag-pb node");
        var links = new List<DagPbLink>();
        ReadOnlyMemory<byte>? data = null;
        while (!reader.AtEnd)
        {
            var tag = reader.ReadTag();
            if (data is not null)
            {
                throw new InvalidDataException("A dag-pb node ends with its data; something follows.");
            }

            switch (tag)
            {
                case (2, true):
                    links.Add(DecodeLink(block.Span[reader.ReadBytes()]));
                    break;
                case (1, true):
                    data = block[reader.ReadBytes()];
                    break;
                default:
                    throw new InvalidDataException($"A dag-pb node has links (2) and data (1) only; found field {tag.Field}.");
            }
        }

        return new DagPbNode(links, data);
    }

    public byte[] Encode()
    {
        var size = Links.Sum(link => Prefixed(LinkSize(link))) + (Data is { } d ? Prefixed(d.Length) : 0);
        var block = new byte[size];
        var rest = block.AsSpan();
        foreach (var link in Links)
        {
            rest = Put(rest, LinkTag, (ulong)LinkSize(link));
            rest = Put(rest, HashTag, link.Cid.ToArray());
            if (link.Name is not null)
            {
                rest = Put(rest, NameTag, StrictUtf8.GetBytes(link.Name));
            }

            if (link.TotalSize is { } total)
            {
                rest = Put(rest, SizeTag, total);
            }
        }

        if (Data is { } data)
        {
            rest = Put(rest, DataTag, data.Span);
        }

        return rest.IsEmpty ? block : throw new InvalidOperationException("The node's size was computed wrongly.");
    }

    private static DagPbLink DecodeLink(ReadOnlySpan<byte> message)
    {
        var reader = new ProtobufReader(message, "dag-pb link");
        Cid? cid = null;
        string? name = null;
        ulong? size = null;
        ulong last = 0;
        while (!reader.AtEnd)
        {
            var tag = reader.ReadTag();
            if (tag.Field <= last)
            {
                throw new InvalidDataException($"A dag-pb link has its fields in order and each once; field {tag.Field} follows {last}.");
            }

            last = tag.Field;
            switch (tag)
            {
                case (1, true):
                    cid = Cid.TryDecode(message[reader.ReadBytes()], out var parsed)
                        ? parsed
                        : throw new InvalidDataException("A dag-pb link's hash isn't a CID.");
                    break;
                case (2, true):
                    name = DecodeName(message[reader.ReadBytes()]);
                    break;
                case (3, false):
                    size = reader.ReadNumber();
                    break;
                default:
                    throw new InvalidDataException($"A dag-pb link has a hash (1), a name (2) and a size (3) only; found field {tag.Field}.");
            }
        }

        return new DagPbLink(cid ?? throw new InvalidDataException("A dag-pb link has no hash."), name, size);
    }

    private static string DecodeName(ReadOnlySpan<byte> utf8)
    {
        try
        {
            return StrictUtf8.GetString(utf8);
        }
        catch (DecoderFallbackException e)
        {
            throw new InvalidDataException("A dag-pb link's name isn't UTF-8.", e);
        }
    }

    private static int LinkSize(DagPbLink link) =>
        Prefixed(link.Cid.ToArray().Length)
        + (link.Name is { } name ? Prefixed(StrictUtf8.GetByteCount(name)) : 0)
        + (link.TotalSize is { } size ? 1 + Varint.LengthOf(size) : 0);

    private static int Prefixed(int length) => 1 + Varint.LengthOf((ulong)length) + length;

    private static Span<byte> Put(Span<byte> rest, byte tag, ulong number)
    {
        rest[0] = tag;
        return rest[(1 + Varint.Write(number, rest[1..]))..];
    }

    private static Span<byte> Put(Span<byte> rest, byte tag, ReadOnlySpan<byte> bytes)
    {
        rest = Put(rest, tag, (ulong)bytes.Length);
        bytes.CopyTo(rest);
        return rest[bytes.Length..];
    }
}

namespace FedChain.Protocol.Content;

/// <summary>
/// A CAR version 1 header (ipld.io/specs/transport/car/carv1): the dag-cbor map {"roots": [CID…], "version": 1}. It has one encoding, so
/// it is read by comparing.
/// </summary>
internal static class CarHeader
{
    private const byte CborArray = 0x80;
    private const byte CborBytes = 0x40;

    private static readonly byte[] Start = [0xa2, 0x65, .. "roots"u8]; // a map of two; a text of five
    private static readonly byte[] End = [0x67, .. "version"u8, 0x01]; // a text of seven; the number 1
    private static readonly byte[] CidTag = [0xd8, 0x2a]; // tag 42: bytes that hold 0x00 and a CID

    public static byte[] Encode(IReadOnlyList<Cid> roots)
    {
        using var header = new MemoryStream();
        header.Write(Start);
        WriteHead(header, CborArray, roots.Count);
        foreach (var root in roots)
        {
            var cid = root.ToArray();
            header.Write(CidTag);
            WriteHead(header, CborBytes, cid.Length + 1);
            header.WriteByte(0);
            header.Write(cid);
        }

        header.Write(End);
        return header.ToArray();
    }

    /// <exception cref="InvalidDataException">Not a version 1 header.</exception>
    public static IReadOnlyList<Cid> Decode(ReadOnlySpan<byte> header)
    {
        var rest = header;
        if (!TrySkip(ref rest, Start) || !TryReadHead(ref rest, CborArray, out var count))
        {
            throw new InvalidDataException("This isn't a CAR version 1: its header doesn't begin with a list of roots.");
        }

        var roots = new List<Cid>();
        for (var i = 0; i < count; i++)
        {
            if (!TrySkip(ref rest, CidTag) || !TryReadHead(ref rest, CborBytes, out var length) || length < 1 || length > rest.Length
                || rest[0] != 0 || !Cid.TryDecode(rest[1..length], out var root))
            {
                throw new InvalidDataException($"The CAR's root {i} isn't a CID.");
            }

            roots.Add(root);
            rest = rest[length..];
        }

        return rest.SequenceEqual(End)
            ? roots
            : throw new InvalidDataException("This isn't a CAR version 1: its header doesn't end with version 1.");
    }

    private static bool TrySkip(ref ReadOnlySpan<byte> rest, ReadOnlySpan<byte> expected)
    {
        if (!rest.StartsWith(expected))
        {
            return false;
        }

        rest = rest[expected.Length..];
        return true;
    }

    // A CBOR head with its argument in the byte itself, the next byte or the next two, whichever is shortest.
    private static void WriteHead(MemoryStream header, byte major, int argument)
    {
        if (argument < 24)
        {
            header.WriteByte((byte)(major | argument));
        }
        else if (argument < 256)
        {
            header.Write([(byte)(major | 24), (byte)argument]);
        }
        else
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(argument, ushort.MaxValue);
            header.Write([(byte)(major | 25), (byte)(argument >> 8), (byte)argument]);
        }
    }

    private static bool TryReadHead(ref ReadOnlySpan<byte> rest, byte major, out int argument)
    {
        argument = 0;
        if (rest.IsEmpty || (rest[0] & 0xe0) != major)
        {
            return false;
        }

        var info = rest[0] & 0x1f;
        switch (info)
        {
            case < 24:
                argument = info;
                rest = rest[1..];
                return true;
            case 24 when rest.Length >= 2:
                argument = rest[1];
                rest = rest[2..];
                return argument >= 24;
            case 25 when rest.Length >= 3:
                argument = (rest[1] << 8) | rest[2];
                rest = rest[3..];
                return argument >= 256;
            default:
                return false;
        }
    }
}

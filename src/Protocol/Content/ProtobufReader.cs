namespace FedChain.Protocol.Content;

/// <summary>The two wire types that dag-pb and UnixFS use, read strictly: numbers in their shortest form, lengths within the message.</summary>
internal ref struct ProtobufReader(ReadOnlySpan<byte> message, string what)
{
    private const ulong NumberWireType = 0;
    private const ulong BytesWireType = 2;

    private readonly ReadOnlySpan<byte> _message = message;
    private int _position;

    public readonly bool AtEnd => _position == _message.Length;

    /// <summary>The next field's number and whether it holds bytes (else a number).</summary>
    /// <exception cref="InvalidDataException">Another wire type, or no field.</exception>
    public (ulong Field, bool IsBytes) ReadTag()
    {
        var tag = ReadNumber();
        return (tag & 7) switch
        {
            NumberWireType => (tag >> 3, false),
            BytesWireType => (tag >> 3, true),
            _ => throw new InvalidDataException($"A {what} has only numbers and bytes; found wire type {tag & 7}."),
        };
    }

    public ulong ReadNumber()
    {
        if (!Varint.TryRead(_message[_position..], out var value, out var length))
        {
            throw new InvalidDataException($"A {what} has a number that is cut off, over 63 bits or not in its shortest form, at byte {_position}.");
        }

        _position += length;
        return value;
    }

    /// <summary>The range of the field's bytes within the message.</summary>
    public Range ReadBytes()
    {
        var length = ReadNumber();
        if (length > (ulong)(_message.Length - _position))
        {
            throw new InvalidDataException($"A {what} states {length} bytes at byte {_position}, but only {_message.Length - _position} follow.");
        }

        var start = _position;
        _position += (int)length;
        return start.._position;
    }
}

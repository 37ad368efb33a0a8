using System.Buffers;

namespace FedChain.Protocol.Envelope;

/// <summary>
/// The binary age file inside an ASCII armor: strict PEM (RFC 7468 section 3, figure 3), label "AGE ENCRYPTED FILE", canonical base64 with
/// padding in lines of 64 columns, LF or CRLF. White space is allowed only before and after the block, up to 1024 bytes each.
/// Reads throw <see cref="AgeException"/> with <see cref="AgeFailure.MalformedArmor"/>.
/// </summary>
public sealed class AgeArmorReader : ForwardStream
{
    internal const int Columns = 64;
    internal const int BytesPerLine = 48;

    private const int MaxWhiteSpace = 1024;
    private const int LongestLine = MaxWhiteSpace + 2; // enough to judge a line of white space, and what follows the block

    private static readonly SearchValues<byte> WhiteSpace = SearchValues.Create(" \t\n\v\f\r"u8);

    private readonly Stream _source;
    private readonly bool _leaveOpen;
    private readonly byte[] _text = new byte[16 * 1024];
    private readonly byte[] _decoded = new byte[BytesPerLine];
    private int _textStart;
    private int _textEnd;
    private int _decodedStart;
    private int _decodedEnd;
    private int _skipped;
    private bool _textEnded;
    private State _state;

    /// <param name="source">The armored text from its first byte on.</param>
    /// <param name="leaveOpen">Whether disposing this leaves <paramref name="source"/> open.</param>
    public AgeArmorReader(Stream source, bool leaveOpen = false) => (_source, _leaveOpen) = (source, leaveOpen);

    private enum State
    {
        BeforeBegin,
        Body,
        BeforeEnd,
        AfterEnd,
        Finished,
    }

    internal static ReadOnlySpan<byte> Begin => "-----BEGIN AGE ENCRYPTED FILE-----"u8;

    internal static ReadOnlySpan<byte> End => "-----END AGE ENCRYPTED FILE-----"u8;

    public override int Read(Span<byte> buffer)
    {
        var read = 0;
        while (read < buffer.Length)
        {
            if (_decodedStart < _decodedEnd)
            {
                read += Take(buffer[read..]);
            }
            else if (_state == State.Finished)
            {
                break;
            }
            else if (NeedsText())
            {
                Add(_source.ReadAtLeast(Free.Span, Free.Length, throwOnEndOfStream: false));
            }
            else
            {
                Advance();
            }
        }

        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = 0;
        while (read < buffer.Length)
        {
            if (_decodedStart < _decodedEnd)
            {
                read += Take(buffer.Span[read..]);
            }
            else if (_state == State.Finished)
            {
                break;
            }
            else if (NeedsText())
            {
                Add(await _source.ReadAtLeastAsync(Free, Free.Length, throwOnEndOfStream: false, cancellationToken));
            }
            else
            {
                Advance();
            }
        }

        return read;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_leaveOpen)
        {
            _source.Dispose();
        }

        base.Dispose(disposing);
    }

    private Memory<byte> Free => _text.AsMemory(_textEnd);

    private int Take(Span<byte> buffer)
    {
        var taken = Math.Min(buffer.Length, _decodedEnd - _decodedStart);
        _decoded.AsSpan(_decodedStart, taken).CopyTo(buffer);
        _decodedStart += taken;
        return taken;
    }

    /// <summary>Makes room where the buffer may hold less than a line and the source has more.</summary>
    private bool NeedsText()
    {
        var held = _textEnd - _textStart;
        if (_textEnded || held >= LongestLine)
        {
            return false;
        }

        _text.AsSpan(_textStart, held).CopyTo(_text);
        (_textStart, _textEnd) = (0, held);
        return true;
    }

    private void Add(int read)
    {
        _textEnded = read < Free.Length;
        _textEnd += read;
    }

    /// <summary>Consumes one line, which the buffer holds whole.</summary>
    private void Advance()
    {
        switch (_state)
        {
            case State.BeforeBegin:
                var first = TakeLine();
                if (first.ContainsAnyExcept(WhiteSpace))
                {
                    _state = first.SequenceEqual(Begin) ? State.Body : throw Malformed("it does not begin with the line '-----BEGIN AGE ENCRYPTED FILE-----'");
                }
                else if ((_skipped += first.Length + 1) > MaxWhiteSpace)
                {
                    throw Malformed($"more than {MaxWhiteSpace} bytes of white space come before it");
                }

                break;
            case State.Body:
                var line = TakeLine();
                _state = line.SequenceEqual(End) ? State.AfterEnd : DecodeLine(line);
                break;
            case State.BeforeEnd:
                _state = TakeLine().SequenceEqual(End) ? State.AfterEnd : throw Malformed("its short last line is not followed by '-----END AGE ENCRYPTED FILE-----'");
                break;
            default:
                var rest = _text.AsSpan(_textStart, _textEnd - _textStart);
                _state = rest.Length <= MaxWhiteSpace && !rest.ContainsAnyExcept(WhiteSpace) ? State.Finished : throw Malformed("more than a little white space follows it");
                break;
        }
    }

    private ReadOnlySpan<byte> TakeLine()
    {
        var held = _text.AsSpan(_textStart, _textEnd - _textStart);
        var length = held.IndexOf((byte)'\n');
        if (length < 0 && (held.IsEmpty || !_textEnded))
        {
            throw Malformed(held.IsEmpty ? "it ends without '-----END AGE ENCRYPTED FILE-----'" : "a line is too long");
        }

        var line = length < 0 ? held : held[..length];
        _textStart += length < 0 ? held.Length : length + 1;
        return line.EndsWith((byte)'\r') ? line[..^1] : line;
    }

    private State DecodeLine(ReadOnlySpan<byte> line)
    {
        var content = line.EndsWith("=="u8) ? line[..^2] : line.EndsWith((byte)'=') ? line[..^1] : line;
        if (line.Length is 0 or > Columns || line.Length % 4 != 0 || !CanonicalBase64.TryDecode(content, _decoded, out _decodedEnd)
            || CanonicalBase64.EncodedSize(_decodedEnd) != content.Length)
        {
            throw Malformed($"a line is not canonical base64 of 1 to {Columns} characters");
        }

        _decodedStart = 0;
        return line.Length == Columns && content.Length == Columns ? State.Body : State.BeforeEnd;
    }

    private static AgeException Malformed(string problem) => new(AgeFailure.MalformedArmor, $"The armor of the age file is malformed: {problem}.");
}

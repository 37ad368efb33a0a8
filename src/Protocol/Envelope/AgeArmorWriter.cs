using System.Buffers.Text;

namespace FedChain.Protocol.Envelope;

/// <summary>
/// Wraps a binary age file in ASCII armor, for places where only text travels: what is written here (by an <see cref="AgeWriter"/>) goes to the
/// destination as strict PEM with LF. <see cref="Complete"/> or <see cref="CompleteAsync"/> writes the last line.
/// </summary>
public sealed class AgeArmorWriter : Stream
{
    private const int LineSize = AgeArmorReader.Columns + 1;
    private const int LinesAtOnce = 256;

    private readonly Stream _destination;
    private readonly bool _leaveOpen;
    private readonly byte[] _binary = new byte[AgeArmorReader.BytesPerLine * LinesAtOnce];
    private readonly byte[] _text = new byte[LineSize * (LinesAtOnce + 2)]; // room for the first and last lines too
    private int _buffered;
    private bool _begun;
    private bool _completed;

    /// <param name="destination">Where the text goes.</param>
    /// <param name="leaveOpen">Whether disposing this leaves <paramref name="destination"/> open.</param>
    public AgeArmorWriter(Stream destination, bool leaveOpen = false) => (_destination, _leaveOpen) = (destination, leaveOpen);

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => !_completed;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            buffer = Buffer(buffer);
            if (_buffered == _binary.Length)
            {
                _destination.Write(_text, 0, Encode(last: false));
            }
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!buffer.IsEmpty)
        {
            buffer = buffer[^Buffer(buffer.Span).Length..];
            if (_buffered == _binary.Length)
            {
                await _destination.WriteAsync(_text.AsMemory(0, Encode(last: false)), cancellationToken);
            }
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>Writes the last line and flushes the destination. Nothing can be written afterwards.</summary>
    public void Complete()
    {
        _destination.Write(_text, 0, Encode(last: true));
        _destination.Flush();
    }

    /// <inheritdoc cref="Complete"/>
    public async Task CompleteAsync(CancellationToken cancellationToken = default)
    {
        await _destination.WriteAsync(_text.AsMemory(0, Encode(last: true)), cancellationToken);
        await _destination.FlushAsync(cancellationToken);
    }

    /// <summary>Does nothing: a line can be written only once it is full, or the last.</summary>
    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_leaveOpen)
        {
            _destination.Dispose();
        }

        base.Dispose(disposing);
    }

    private ReadOnlySpan<byte> Buffer(ReadOnlySpan<byte> input)
    {
        ThrowIfCompleted();
        var taken = Math.Min(input.Length, _binary.Length - _buffered);
        input[..taken].CopyTo(_binary.AsSpan(_buffered));
        _buffered += taken;
        return input[taken..];
    }

    /// <summary>Turns what is buffered into lines in <see cref="_text"/>.</summary>
    /// <returns>The text's length.</returns>
    private int Encode(bool last)
    {
        ThrowIfCompleted();
        var at = 0;
        if (!_begun)
        {
            _begun = true;
            AppendLine(AgeArmorReader.Begin, ref at);
        }

        for (var rest = _binary.AsSpan(0, _buffered); !rest.IsEmpty;)
        {
            var taken = Math.Min(rest.Length, AgeArmorReader.BytesPerLine);
            Base64.EncodeToUtf8(rest[..taken], _text.AsSpan(at), out _, out var written);
            at += written;
            _text[at++] = (byte)'\n';
            rest = rest[taken..];
        }

        _buffered = 0;
        if (last)
        {
            _completed = true;
            AppendLine(AgeArmorReader.End, ref at);
        }

        return at;
    }

    private void AppendLine(ReadOnlySpan<byte> line, ref int at)
    {
        line.CopyTo(_text.AsSpan(at));
        at += line.Length;
        _text[at++] = (byte)'\n';
    }

    private void ThrowIfCompleted()
    {
        if (_completed)
        {
            throw new InvalidOperationException("This armor is complete; nothing can be added to it.");
        }
    }
}

using System.Buffers;

namespace FedChain.Protocol.Envelope;

/// <summary>
/// Gathers the first bytes of an age file until header and payload nonce are complete. The buffer starts with room for a chunk and doubles
/// up to the header's bound, so neither a long header nor one that never ends costs more memory than that.
/// </summary>
internal sealed class FileStart : IDisposable
{
    private const int Largest = AgeFormat.MaxHeaderBytes + AgeFormat.PayloadNonceSize;

    private byte[]? _buffer = ArrayPool<byte>.Shared.Rent(AgeFormat.SealedChunkSize + 1);
    private int _capacity = AgeFormat.SealedChunkSize + 1;
    private int _filled;
    private int _headerSize;
    private bool _ended;
    private AgeHeader? _header;

    public AgeHeader Header => _header!;

    /// <summary>What to read next; reading less of it means that the file ends.</summary>
    public Memory<byte> Free => _buffer.AsMemory(_filled, _capacity - _filled);

    public ReadOnlySpan<byte> PayloadNonce => _buffer.AsSpan(_headerSize, AgeFormat.PayloadNonceSize);

    public void Add(int read)
    {
        _ended = read < Free.Length;
        _filled += read;
    }

    /// <summary>Whether more must be read into <see cref="Free"/> before the header and the nonce are there.</summary>
    /// <exception cref="AgeException">What has been read can't become an age file, or the file ended too early.</exception>
    public bool NeedsMore()
    {
        if (_filled == 0 && !_ended)
        {
            return true;
        }

        _header = AgeHeader.TryDecode(_buffer.AsSpan(0, _filled), out _headerSize);
        if (_headerSize > AgeFormat.MaxHeaderBytes || (_header is null && _filled == Largest))
        {
            throw new AgeException(AgeFailure.HeaderTooLarge, $"The age header is longer than {AgeFormat.MaxHeaderBytes} bytes.");
        }

        if (_header is not null && _filled - _headerSize >= AgeFormat.PayloadNonceSize)
        {
            return false;
        }

        if (_ended)
        {
            throw new AgeException(AgeFailure.MalformedHeader, "The age file ends within its header.");
        }

        Grow();
        return true;
    }

    /// <summary>Hands the buffer over, with the range of it that holds the payload's first bytes.</summary>
    public (byte[] Buffer, int Start, int End) Detach()
    {
        var buffer = _buffer!;
        _buffer = null;
        return (buffer, _headerSize + AgeFormat.PayloadNonceSize, _filled);
    }

    public void Dispose()
    {
        if (_buffer is not null)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = null;
        }
    }

    private void Grow()
    {
        _capacity = Math.Min(2 * _capacity, Largest);
        var larger = ArrayPool<byte>.Shared.Rent(_capacity);
        _buffer.AsSpan(0, _filled).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer!);
        _buffer = larger;
    }
}

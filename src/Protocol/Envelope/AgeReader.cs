using System.Buffers;
using System.Security.Cryptography;

namespace FedChain.Protocol.Envelope;

/// <summary>
/// The plaintext of an age v1 file, as a stream that is read once, in constant memory. Every byte it gives out has been authenticated.
/// The plaintext is complete only once a read has returned 0: a file that was cut short gives its genuine part, then throws.
/// <para>Reads throw <see cref="AgeException"/> with <see cref="AgeFailure.DamagedPayload"/> or <see cref="AgeFailure.TruncatedPayload"/>,
/// and go on doing so. After a failure of the source itself the reader can't go on and says so.</para>
/// </summary>
public sealed class AgeReader : ForwardStream
{
    private readonly Stream _source;
    private readonly bool _leaveOpen;
    private readonly ChunkCipher _cipher;
    private readonly byte[] _sealed; // what has been read from the source: a chunk, and a byte to see whether another follows
    private readonly byte[] _plain = ArrayPool<byte>.Shared.Rent(AgeFormat.ChunkSize);
    private int _sealedStart;
    private int _sealedEnd;
    private int _plainStart;
    private int _plainEnd;
    private bool _finished;
    private bool _reading;
    private bool _disposed;
    private AgeException? _failure;

    private AgeReader(Stream source, bool leaveOpen, ChunkCipher cipher, byte[] buffer, int start, int end) =>
        (_source, _leaveOpen, _cipher, _sealed, _sealedStart, _sealedEnd) = (source, leaveOpen, cipher, buffer, start, end);

    /// <summary>Gets the file key out of a header.</summary>
    private delegate void Unwrap(AgeHeader header, Span<byte> fileKey);

    public override bool CanRead => !_disposed;

    /// <summary>Reads the header, and gives the payload to be read.</summary>
    /// <param name="source">A (binary) age file from its first byte on; read ahead by up to a chunk, or <see cref="AgeFormat.MaxHeaderBytes"/>.</param>
    /// <param name="identities">One or more identities; the first that opens a stanza is used.</param>
    /// <param name="leaveOpen">Whether disposing the reader leaves <paramref name="source"/> open. It stays open where this throws.</param>
    /// <exception cref="AgeException">The header is refused, or is for somebody else; see <see cref="AgeException.Failure"/>.</exception>
    /// <exception cref="ArgumentException">There is no identity.</exception>
    public static AgeReader Open(Stream source, IReadOnlyCollection<AgeIdentity> identities, bool leaveOpen = false) =>
        Open(source, leaveOpen, ByIdentity(identities));

    /// <inheritdoc cref="Open(Stream, IReadOnlyCollection{AgeIdentity}, bool)"/>
    public static Task<AgeReader> OpenAsync(
        Stream source, IReadOnlyCollection<AgeIdentity> identities, bool leaveOpen = false, CancellationToken cancellationToken = default) =>
        OpenAsync(source, leaveOpen, ByIdentity(identities), cancellationToken);

    /// <summary>Reads the header of a file that is sealed with a passphrase, and gives the payload to be read.</summary>
    /// <param name="source">A (binary) age file from its first byte on; read ahead by up to a chunk, or <see cref="AgeFormat.MaxHeaderBytes"/>.</param>
    /// <param name="passphrase">What it was sealed with. Trying it costs the work that the file asks for, up to <see cref="AgePassphrase.MaxWorkFactor"/>.</param>
    /// <param name="leaveOpen">Whether disposing the reader leaves <paramref name="source"/> open. It stays open where this throws.</param>
    /// <exception cref="AgeException">The header is refused, or the passphrase is another; see <see cref="AgeException.Failure"/>.</exception>
    public static AgeReader Open(Stream source, AgePassphrase passphrase, bool leaveOpen = false) =>
        Open(source, leaveOpen, (header, fileKey) => header.Unwrap(passphrase, fileKey));

    /// <inheritdoc cref="Open(Stream, AgePassphrase, bool)"/>
    public static Task<AgeReader> OpenAsync(Stream source, AgePassphrase passphrase, bool leaveOpen = false, CancellationToken cancellationToken = default) =>
        OpenAsync(source, leaveOpen, (header, fileKey) => header.Unwrap(passphrase, fileKey), cancellationToken);

    public override int Read(Span<byte> buffer)
    {
        while (true)
        {
            if (buffer.IsEmpty || !NeedsChunk())
            {
                return TakePlain(buffer);
            }

            var free = MakeRoom();
            var read = _source.ReadAtLeast(free.Span, free.Length, throwOnEndOfStream: false);
            var direct = OpenChunk(read, buffer);
            if (direct > 0)
            {
                return direct;
            }
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            if (buffer.IsEmpty || !NeedsChunk())
            {
                return TakePlain(buffer.Span);
            }

            var free = MakeRoom();
            var read = await _source.ReadAtLeastAsync(free, free.Length, throwOnEndOfStream: false, cancellationToken);
            var direct = OpenChunk(read, buffer.Span);
            if (direct > 0)
            {
                return direct;
            }
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            _cipher.Dispose();
            CryptographicOperations.ZeroMemory(_plain.AsSpan(0, AgeFormat.ChunkSize));
            ArrayPool<byte>.Shared.Return(_plain);
            if (!_reading)
            {
                ArrayPool<byte>.Shared.Return(_sealed); // else an abandoned read may still fill it
            }

            if (!_leaveOpen)
            {
                _source.Dispose();
            }
        }

        base.Dispose(disposing);
    }

    private static Unwrap ByIdentity(IReadOnlyCollection<AgeIdentity> identities) => identities.Count > 0
        ? (header, fileKey) => header.Unwrap(identities, fileKey)
        : throw new ArgumentException("An age file is opened with one or more identities; there is none.", nameof(identities));

    private static AgeReader Open(Stream source, bool leaveOpen, Unwrap unwrap)
    {
        using var start = new FileStart();
        while (start.NeedsMore())
        {
            start.Add(source.ReadAtLeast(start.Free.Span, start.Free.Length, throwOnEndOfStream: false));
        }

        return Start(source, leaveOpen, unwrap, start);
    }

    private static async Task<AgeReader> OpenAsync(Stream source, bool leaveOpen, Unwrap unwrap, CancellationToken cancellationToken)
    {
        using var start = new FileStart();
        while (start.NeedsMore())
        {
            start.Add(await source.ReadAtLeastAsync(start.Free, start.Free.Length, throwOnEndOfStream: false, cancellationToken));
        }

        return Start(source, leaveOpen, unwrap, start);
    }

    private static AgeReader Start(Stream source, bool leaveOpen, Unwrap unwrap, FileStart start)
    {
        Span<byte> fileKey = stackalloc byte[AgeFormat.FileKeySize];
        try
        {
            unwrap(start.Header, fileKey);
            var cipher = new ChunkCipher(fileKey, start.PayloadNonce);
            var (buffer, from, to) = start.Detach();
            return new AgeReader(source, leaveOpen, cipher, buffer, from, to);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(fileKey);
        }
    }

    private bool NeedsChunk()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_plainStart < _plainEnd || _finished)
        {
            return false;
        }

        if (_failure is not null)
        {
            throw new AgeException(_failure.Failure, _failure.Message, _failure);
        }

        if (_reading)
        {
            throw new InvalidOperationException("An earlier read failed in the source or still runs, so the position is lost. Open the file again.");
        }

        return true;
    }

    private int TakePlain(Span<byte> buffer)
    {
        var taken = Math.Min(buffer.Length, _plainEnd - _plainStart);
        _plain.AsSpan(_plainStart, taken).CopyTo(buffer);
        _plainStart += taken;
        return taken;
    }

    /// <summary>The part of the buffer still to be filled, so that it holds a chunk and one byte of the next.</summary>
    private Memory<byte> MakeRoom()
    {
        _reading = true;
        const int Wanted = AgeFormat.SealedChunkSize + 1;
        var held = _sealedEnd - _sealedStart;
        if (held >= Wanted)
        {
            return Memory<byte>.Empty; // left over from reading the header
        }

        _sealed.AsSpan(_sealedStart, held).CopyTo(_sealed);
        (_sealedStart, _sealedEnd) = (0, held);
        return _sealed.AsMemory(held, Wanted - held);
    }

    /// <summary>Opens the next chunk: into <paramref name="destination"/> where that is large enough, else to be taken from here.</summary>
    /// <returns>The number of bytes that went to <paramref name="destination"/>.</returns>
    private int OpenChunk(int read, Span<byte> destination)
    {
        _sealedEnd += read;
        _reading = false;
        var held = _sealedEnd - _sealedStart;
        var last = held <= AgeFormat.SealedChunkSize; // no byte follows
        var size = Math.Min(held, AgeFormat.SealedChunkSize);
        if (size < AgeFormat.TagSize)
        {
            throw Fail(AgeFailure.TruncatedPayload, "The age file was cut short: its payload ends before the last chunk.");
        }

        if (last && size == AgeFormat.TagSize && !_cipher.AtFirstChunk)
        {
            throw Fail(AgeFailure.DamagedPayload, "The age file's last chunk is empty, which the format allows only for an empty payload.");
        }

        var chunk = _sealed.AsSpan(_sealedStart, size);
        var direct = destination.Length >= size - AgeFormat.TagSize;
        var plain = (direct ? destination : _plain)[..(size - AgeFormat.TagSize)];
        if (_cipher.TryOpen(chunk, last, plain))
        {
            _finished = last;
        }
        else if (size == AgeFormat.SealedChunkSize && _cipher.TryOpen(chunk, !last, plain))
        {
            // The chunk itself is genuine and is given out; what is wrong is what comes after it.
            _failure = last
                ? new AgeException(AgeFailure.TruncatedPayload, "The age file was cut short: its payload ends before the last chunk.")
                : new AgeException(AgeFailure.DamagedPayload, "Data follows the age file's last chunk.");
        }
        else
        {
            throw Fail(AgeFailure.DamagedPayload, "A chunk of the age file's payload does not authenticate: the file was changed or cut short.");
        }

        _sealedStart += size;
        (_plainStart, _plainEnd) = (0, direct ? 0 : plain.Length);
        return direct ? plain.Length : 0;
    }

    private AgeException Fail(AgeFailure failure, string message) => _failure = new AgeException(failure, message);
}

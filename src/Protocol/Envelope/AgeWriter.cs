using System.Buffers;
using System.Security.Cryptography;

namespace FedChain.Protocol.Envelope;

/// <summary>
/// Seals what is written to it for a set of recipients, or with a passphrase, as an age v1 file in the destination stream. The payload is encrypted once,
/// in constant memory, whatever its size and the number of recipients.
/// <para><see cref="Complete"/> or <see cref="CompleteAsync"/> writes the last chunk. Disposing without it leaves a file that every reader
/// refuses as truncated, so that an error half-way can't leave half an adapter that looks whole.</para>
/// </summary>
public sealed class AgeWriter : Stream
{
    private readonly Stream _destination;
    private readonly bool _leaveOpen;
    private readonly ChunkCipher _cipher;
    private readonly byte[] _plain = ArrayPool<byte>.Shared.Rent(AgeFormat.ChunkSize);
    private readonly byte[] _sealed = ArrayPool<byte>.Shared.Rent(AgeFormat.SealedChunkSize);
    private byte[]? _header; // with the payload's nonce; null once written
    private int _buffered;
    private bool _writing; // stays set where the destination failed
    private bool _completed;
    private bool _disposed;

    /// <param name="destination">Where the age file goes. Nothing is written to it before the first chunk is full, or completion.</param>
    /// <param name="recipients">One to <see cref="AgeFormat.MaxStanzas"/> recipients; each can open the file alone.</param>
    /// <param name="leaveOpen">Whether disposing this leaves <paramref name="destination"/> open.</param>
    /// <exception cref="ArgumentException">There is no recipient, more than fit the header's bounds, or recipients of more than one kind.</exception>
    public AgeWriter(Stream destination, IReadOnlyCollection<AgeRecipient> recipients, bool leaveOpen = false)
        : this(destination, recipients, leaveOpen, RandomNumberGenerator.Fill)
    {
    }

    /// <summary>Seals with a passphrase: whoever knows it opens the file, <c>age -d</c> included. Derives the key before it returns.</summary>
    /// <param name="destination">Where the age file goes. Nothing is written to it before the first chunk is full, or completion.</param>
    /// <param name="passphrase">Used before this returns, and not kept.</param>
    /// <param name="workFactor">Base-two logarithm of scrypt's N: 1 to <see cref="AgePassphrase.MaxWorkFactor"/>. Each step doubles time and memory.</param>
    /// <param name="leaveOpen">Whether disposing this leaves <paramref name="destination"/> open.</param>
    /// <exception cref="ArgumentOutOfRangeException">The work factor is outside its bounds.</exception>
    public AgeWriter(Stream destination, AgePassphrase passphrase, int workFactor = AgePassphrase.DefaultWorkFactor, bool leaveOpen = false)
        : this(destination, WithPassphrase(passphrase, workFactor), leaveOpen, RandomNumberGenerator.Fill)
    {
    }

    internal AgeWriter(Stream destination, IReadOnlyCollection<AgeRecipient> recipients, bool leaveOpen, RandomFill random)
        : this(destination, ToRecipients(recipients), leaveOpen, random)
    {
    }

    private AgeWriter(Stream destination, Wrap wrap, bool leaveOpen, RandomFill random)
    {
        ArgumentNullException.ThrowIfNull(destination);
        (_destination, _leaveOpen) = (destination, leaveOpen);
        Span<byte> fileKey = stackalloc byte[AgeFormat.FileKeySize];
        Span<byte> nonce = stackalloc byte[AgeFormat.PayloadNonceSize];
        try
        {
            random(fileKey);
            var stanzas = wrap(fileKey, random);
            random(nonce);
            _header = [.. AgeHeader.Encode(stanzas, fileKey), .. nonce];
            _cipher = new ChunkCipher(fileKey, nonce);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(fileKey);
        }
    }

    /// <summary>Makes a header's stanzas for a file key.</summary>
    private delegate List<AgeStanza> Wrap(ReadOnlySpan<byte> fileKey, RandomFill random);

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => !_completed && !_disposed;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        ThrowIfDone();
        while (!buffer.IsEmpty)
        {
            if (SealNext(ref buffer))
            {
                WriteSealed(AgeFormat.SealedChunkSize);
            }
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ThrowIfDone();
        while (!buffer.IsEmpty)
        {
            var rest = buffer.Span;
            var sealedOne = SealNext(ref rest);
            buffer = buffer[^rest.Length..];
            if (sealedOne)
            {
                await WriteSealedAsync(AgeFormat.SealedChunkSize, cancellationToken);
            }
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>Writes the last chunk and flushes the destination. Nothing can be written afterwards.</summary>
    public void Complete()
    {
        WriteSealed(SealLast());
        _destination.Flush();
    }

    /// <inheritdoc cref="Complete"/>
    public async Task CompleteAsync(CancellationToken cancellationToken = default)
    {
        await WriteSealedAsync(SealLast(), cancellationToken);
        await _destination.FlushAsync(cancellationToken);
    }

    /// <summary>Flushes the destination. A chunk that is not full stays here: it can't be sealed before it is known whether it is the last.</summary>
    public override void Flush() => _destination.Flush();

    public override Task FlushAsync(CancellationToken cancellationToken) => _destination.FlushAsync(cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            _cipher.Dispose();
            CryptographicOperations.ZeroMemory(_plain.AsSpan(0, AgeFormat.ChunkSize));
            ArrayPool<byte>.Shared.Return(_plain);
            if (!_writing)
            {
                ArrayPool<byte>.Shared.Return(_sealed); // else an abandoned write may still read it
            }

            if (!_leaveOpen)
            {
                _destination.Dispose();
            }
        }

        base.Dispose(disposing);
    }

    private static Wrap ToRecipients(IReadOnlyCollection<AgeRecipient> recipients)
    {
        if (recipients.Count is 0 or > AgeFormat.MaxStanzas || AgeFormat.HeaderSize(recipients) > AgeFormat.MaxHeaderBytes)
        {
            throw new ArgumentException(
                $"An age file is sealed to 1 to {AgeFormat.MaxStanzas} recipients, with a header of at most {AgeFormat.MaxHeaderBytes} bytes; got {recipients.Count} recipients.",
                nameof(recipients));
        }

        if (recipients.Select(r => r.Kind).Distinct().Count() > 1)
        {
            throw new ArgumentException(
                "An age file is sealed to recipients of one kind, X25519 or post-quantum hybrid; got both. With an X25519 recipient beside it, a hybrid one protects nothing.",
                nameof(recipients));
        }

        return (fileKey, random) =>
        {
            var stanzas = new List<AgeStanza>(recipients.Count);
            foreach (var recipient in recipients)
            {
                stanzas.Add(recipient.Wrap(fileKey, random));
            }

            return stanzas;
        };
    }

    private static Wrap WithPassphrase(AgePassphrase passphrase, int workFactor)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(workFactor, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(workFactor, AgePassphrase.MaxWorkFactor);
        return (fileKey, random) => [ScryptStanza.Wrap(fileKey, passphrase, workFactor, random)];
    }

    /// <summary>
    /// Takes bytes from <paramref name="input"/>. A full chunk is sealed only once more follows, since only then it is not the last.
    /// </summary>
    /// <returns>Whether <see cref="_sealed"/> holds a chunk to write.</returns>
    private bool SealNext(ref ReadOnlySpan<byte> input)
    {
        if (_buffered == AgeFormat.ChunkSize)
        {
            _cipher.Seal(_plain.AsSpan(0, AgeFormat.ChunkSize), last: false, _sealed);
            _buffered = 0;
            return true;
        }

        if (_buffered == 0 && input.Length > AgeFormat.ChunkSize)
        {
            _cipher.Seal(input[..AgeFormat.ChunkSize], last: false, _sealed); // no copy for large writes
            input = input[AgeFormat.ChunkSize..];
            return true;
        }

        var taken = Math.Min(input.Length, AgeFormat.ChunkSize - _buffered);
        input[..taken].CopyTo(_plain.AsSpan(_buffered));
        _buffered += taken;
        input = input[taken..];
        return false;
    }

    private int SealLast()
    {
        ThrowIfDone();
        _completed = true;
        _cipher.Seal(_plain.AsSpan(0, _buffered), last: true, _sealed);
        return _buffered + AgeFormat.TagSize;
    }

    private void WriteSealed(int size)
    {
        _writing = true;
        if (_header is not null)
        {
            _destination.Write(_header);
            _header = null;
        }

        _destination.Write(_sealed, 0, size);
        _writing = false;
    }

    private async ValueTask WriteSealedAsync(int size, CancellationToken cancellationToken)
    {
        _writing = true;
        if (_header is not null)
        {
            await _destination.WriteAsync(_header, cancellationToken);
            _header = null;
        }

        await _destination.WriteAsync(_sealed.AsMemory(0, size), cancellationToken);
        _writing = false;
    }

    private void ThrowIfDone()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_completed || _writing)
        {
            throw new InvalidOperationException(
                _completed ? "This age file is complete; nothing can be added to it."
                : "An earlier write failed in the destination or still runs, so a chunk may be missing. Seal into a new file.");
        }
    }
}

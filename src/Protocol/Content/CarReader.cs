namespace FedChain.Protocol.Content;

/// <summary>A block of a CAR.</summary>
/// <param name="Cid">Its CID, which names these bytes.</param>
/// <param name="Bytes">Good until the next block is read.</param>
public readonly record struct CarBlock(Cid Cid, ReadOnlyMemory<byte> Bytes);

/// <summary>
/// Reads a CAR version 1 as it arrives, a block at a time, each checked against its CID. Holds one block; a length that is beyond the limit
/// is refused before anything is allocated.
/// </summary>
public sealed class CarReader
{
    /// <summary>The longest header, in bytes; room for some hundred roots.</summary>
    public const int MaxHeaderSize = 32 * 1024;

    private const int ReadSize = 128 * 1024;

    private readonly Stream _source;
    private readonly int _maxBlockSize;
    private byte[] _buffer = new byte[2 * ReadSize];
    private int _start;
    private int _end;

    private CarReader(Stream source, int maxBlockSize)
    {
        _source = source;
        _maxBlockSize = maxBlockSize;
    }

    /// <summary>The CIDs that the header names; what they are to the reader is between him and the sender.</summary>
    public IReadOnlyList<Cid> Roots { get; private set; } = [];

    /// <summary>Reads the header.</summary>
    /// <param name="source">The CAR's bytes.</param>
    /// <param name="maxBlockSize">The largest block that is accepted, in bytes; 2 MiB, the largest that IPFS peers exchange, if not given.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="InvalidDataException">The source isn't a CAR version 1.</exception>
    /// <exception cref="EndOfStreamException">The source ends within the header.</exception>
    public static async Task<CarReader> OpenAsync(Stream source, int maxBlockSize = 2 << 20, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxBlockSize);
        var reader = new CarReader(source, maxBlockSize);
        var header = await reader.ReadPrefixedAsync(MaxHeaderSize, "header", cancellationToken)
            ?? throw new EndOfStreamException("Expected a CAR; the source is empty.");
        reader.Roots = CarHeader.Decode(header.Span);
        return reader;
    }

    /// <summary>The next block, or null at the end.</summary>
    /// <exception cref="InvalidDataException">A section that isn't a CID and a block, or holds other bytes than its CID names, or is too large.</exception>
    /// <exception cref="EndOfStreamException">The source ends within a section.</exception>
    public async ValueTask<CarBlock?> ReadAsync(CancellationToken cancellationToken = default)
    {
        var section = await ReadPrefixedAsync(Cid.MaxSize + _maxBlockSize, "section", cancellationToken);
        if (section is null)
        {
            return null;
        }

        if (!Cid.TryRead(section.Value.Span, out var cid, out var length))
        {
            throw new InvalidDataException("A section of the CAR doesn't begin with a CID.");
        }

        var block = section.Value[length..];
        if (block.Length > _maxBlockSize)
        {
            throw new InvalidDataException($"Block {cid} has {block.Length} bytes; at most {_maxBlockSize} are accepted.");
        }

        if (!cid.CanVerify)
        {
            throw new InvalidDataException($"Block {cid} can't be checked: only SHA-256 and identity multihashes are read.");
        }

        return cid.Matches(block.Span)
            ? new CarBlock(cid, block)
            : throw new InvalidDataException($"Block {cid} holds other bytes than its CID names.");
    }

    private async ValueTask<ReadOnlyMemory<byte>?> ReadPrefixedAsync(int max, string what, CancellationToken cancellationToken)
    {
        var available = await FillAsync(Varint.MaxLength, cancellationToken);
        if (available == 0)
        {
            return null;
        }

        var window = _buffer.AsSpan(_start, Math.Min(available, Varint.MaxLength));
        if (!Varint.TryRead(window, out var length, out var prefix))
        {
            throw available < Varint.MaxLength && window[^1] >= 0x80
                ? new EndOfStreamException($"The CAR ends within the length of a {what}.")
                : new InvalidDataException($"The length of a {what} of the CAR is over 63 bits or not in its shortest form.");
        }

        if (length == 0 || length > (ulong)max)
        {
            throw new InvalidDataException($"The CAR states a {what} of {length} bytes; expected 1 to {max}.");
        }

        _start += prefix;
        var size = (int)length;
        available = await FillAsync(size, cancellationToken);
        if (available < size)
        {
            throw new EndOfStreamException($"The CAR ends within a {what}: {available} of {size} bytes are there.");
        }

        var bytes = _buffer.AsMemory(_start, size);
        _start += size;
        return bytes;
    }

    /// <summary>Reads until <paramref name="wanted"/> bytes lie at <see cref="_start"/> or the source ends; returns how many lie there.</summary>
    private async ValueTask<int> FillAsync(int wanted, CancellationToken cancellationToken)
    {
        if (_end - _start >= wanted)
        {
            return _end - _start;
        }

        var needed = wanted + ReadSize; // what is read beyond the wanted is the start of the next section
        var target = _buffer.Length >= needed ? _buffer : new byte[needed];
        _buffer.AsSpan(_start.._end).CopyTo(target);
        _buffer = target;
        (_start, _end) = (0, _end - _start);
        while (_end < wanted)
        {
            var read = await _source.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
            if (read == 0)
            {
                break;
            }

            _end += read;
        }

        return _end;
    }
}

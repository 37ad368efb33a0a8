namespace FedChain.Protocol.Content;

/// <summary>Writes a CAR version 1 (ipld.io/specs/transport/car/carv1): a header, then each block with its CID, all prefixed by their length.</summary>
public sealed class CarWriter
{
    private readonly Stream _destination;
    private readonly byte[] _prefix = new byte[Varint.MaxLength + Cid.MaxSize];

    private CarWriter(Stream destination) => _destination = destination;

    /// <summary>Writes the header.</summary>
    public static async Task<CarWriter> StartAsync(Stream destination, IReadOnlyList<Cid> roots, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(destination);
        ArgumentNullException.ThrowIfNull(roots);
        var writer = new CarWriter(destination);
        var header = CarHeader.Encode(roots);
        var length = Varint.Write((ulong)header.Length, writer._prefix);
        await destination.WriteAsync(writer._prefix.AsMemory(0, length), cancellationToken);
        await destination.WriteAsync(header, cancellationToken);
        return writer;
    }

    /// <summary>Writes a block; that the CID names these bytes is the caller's word.</summary>
    public async ValueTask WriteAsync(Cid cid, ReadOnlyMemory<byte> block, CancellationToken cancellationToken = default)
    {
        var name = cid.ToArray();
        var length = Varint.Write((ulong)(name.Length + block.Length), _prefix);
        name.CopyTo(_prefix.AsSpan(length));
        await _destination.WriteAsync(_prefix.AsMemory(0, length + name.Length), cancellationToken);
        await _destination.WriteAsync(block, cancellationToken);
    }
}

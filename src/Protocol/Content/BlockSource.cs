namespace FedChain.Protocol.Content;

/// <summary>Gives the bytes of a block, or null where it isn't to be had. The bytes need only be good until the next call.</summary>
public delegate ValueTask<ReadOnlyMemory<byte>?> BlockSource(Cid cid, CancellationToken cancellationToken);

/// <summary>A block that is needed isn't to be had from where it was looked for.</summary>
public sealed class MissingBlockException : IOException
{
    public MissingBlockException(Cid cid)
        : base($"Block {cid} isn't here.")
    {
        Cid = cid;
    }

    public Cid Cid { get; }
}

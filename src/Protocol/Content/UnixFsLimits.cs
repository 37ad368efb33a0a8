namespace FedChain.Protocol.Content;

/// <summary>What a reader of a foreign file accepts.</summary>
public sealed record UnixFsLimits
{
    /// <summary>The largest file, in bytes; 4 GiB by default. Checked against the size that the root states, and no tree can give more than it states.</summary>
    public long MaxSize { get; init; } = 4L << 30;

    /// <summary>The deepest tree: a file of one block has depth 0. 32 by default (174 links a node need 2 for 7 GB).</summary>
    public int MaxDepth { get; init; } = 32;

    /// <summary>The largest block, in bytes. 2 MiB by default, the largest that IPFS peers exchange.</summary>
    public int MaxBlockSize { get; init; } = 2 << 20;

    /// <summary>
    /// The blocks that may be opened, per 256 bytes of stated size, beyond the first 1,024. Otherwise a few small blocks that link to
    /// each other could keep a reader busy for hours.
    /// </summary>
    public int BlocksPerQuarterKilobyte { get; init; } = 1;

    /// <summary>The source has checked every block against its CID, so it needn't be hashed again. False by default.</summary>
    public bool SourceVerifies { get; init; }
}

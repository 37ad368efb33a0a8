namespace FedChain.Protocol.Content;

/// <summary>How the leaves of a file are written, and which CID version its dag-pb nodes get.</summary>
public enum UnixFsLeaves
{
    /// <summary>Plain blocks, CIDv1: <c>ipfs add --cid-version=1 --raw-leaves</c>. What FedChain writes.</summary>
    RawV1,

    /// <summary>UnixFS nodes, CIDv0: plain <c>ipfs add</c>.</summary>
    DagPbV0,

    /// <summary>UnixFS nodes, CIDv1.</summary>
    DagPbV1,
}

/// <summary>The settings that fix a file's CID: two peers who use different ones name the same bytes differently. The layout is always balanced.</summary>
public sealed record UnixFsLayout
{
    /// <summary>FedChain's (docs/protocol.md, "Content names"): raw leaves of 262,144 bytes, 174 links.</summary>
    public static UnixFsLayout Default { get; } = new();

    public UnixFsLeaves Leaves { get; init; } = UnixFsLeaves.RawV1;

    /// <summary>Bytes of file in a leaf, 1 to 1 MiB; the last leaf may have fewer. 262,144 by default.</summary>
    public int ChunkSize
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 1 << 20);
            field = value;
        }
    } = 262_144;

    /// <summary>The most children of a node, 2 to 1,024. 174 by default.</summary>
    public int MaxLinks
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 2);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 1024);
            field = value;
        }
    } = 174;
}

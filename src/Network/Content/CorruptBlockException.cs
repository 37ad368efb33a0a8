using FedChain.Protocol.Content;

namespace FedChain.Network.Content;

/// <summary>A stored block's bytes aren't those that its CID names: the disk failed, or somebody wrote to the store.</summary>
public sealed class CorruptBlockException : IOException
{
    public CorruptBlockException(Cid cid, string path)
        : this(cid, path, $"Block {cid} is corrupted: {path} holds other bytes than its name says. Delete the file; the block can be fetched from other members again.")
    {
    }

    internal CorruptBlockException(Cid cid, string path, string message)
        : base(message)
    {
        Cid = cid;
        Path = path;
    }

    public Cid Cid { get; }

    /// <summary>The file, or the IPFS node, that holds the wrong bytes.</summary>
    public string Path { get; }
}

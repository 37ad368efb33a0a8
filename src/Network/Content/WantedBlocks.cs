using FedChain.Protocol.Content;

namespace FedChain.Network.Content;

/// <summary>
/// Which blocks of a file are still wanted: at first its root, and with every node its children. Blocks that nothing links to are never
/// wanted, so no endpoint can fill the disk with them; the tree is held to what <see cref="UnixFsReader"/> will accept.
/// </summary>
internal sealed class WantedBlocks
{
    private static readonly UnixFsLimits Limits = new();

    private readonly long _maxSize;
    private readonly Dictionary<Cid, Place> _wanted = [];
    private readonly HashSet<Cid> _had = [];
    private long _blocksLeft = 1;

    public WantedBlocks(Cid root, long maxSize)
    {
        Root = root;
        _maxSize = maxSize;
        _wanted.Add(root, new Place(Size: null, Depth: 0));
    }

    public Cid Root { get; }

    public bool IsComplete => _wanted.Count == 0;

    public bool HasNothing => _had.Count == 0;

    public IReadOnlyCollection<Cid> Cids => _wanted.Keys;

    public bool Wants(Cid cid) => _wanted.ContainsKey(cid);

    public bool Had(Cid cid) => _had.Contains(cid);

    /// <summary>The most bytes that the block may have.</summary>
    public long MaxSizeOf(Cid cid)
    {
        var stated = _wanted[cid].Size;
        return cid.IsRaw ? Math.Min((long)(stated ?? (ulong)_maxSize), Limits.MaxBlockSize) : Limits.MaxBlockSize;
    }

    /// <summary>Takes a wanted block, whose bytes were checked, and returns its children that are wanted now.</summary>
    /// <exception cref="FetchException">The block doesn't belong into a file, or the file is too large.</exception>
    public IReadOnlyList<Cid> Accept(Cid cid, ReadOnlyMemory<byte> block)
    {
        var place = _wanted[cid];
        if (cid.IsRaw)
        {
            CheckSize(cid, place, (ulong)block.Length);
        }

        var children = cid.IsRaw ? [] : AcceptNode(cid, place, block);
        _wanted.Remove(cid);
        _had.Add(cid);
        return children;
    }

    private List<Cid> AcceptNode(Cid cid, Place place, ReadOnlyMemory<byte> block)
    {
        var (links, file) = Decode(cid, block);
        CheckSize(cid, place, file.FileSize);
        if (links.Count != file.BlockSizes.Count || file.BlockSizes.Contains(0UL) || (links.Count > 0 && place.Depth == Limits.MaxDepth))
        {
            throw NotAFile(cid, "its links don't fit its sizes, or it is too deep");
        }

        var children = new List<Cid>();
        foreach (var (child, size) in links.Select(link => link.Cid).Zip(file.BlockSizes))
        {
            if (!child.CanVerify || (!child.IsRaw && !child.IsDagPb))
            {
                throw NotAFile(cid, $"it links to {child}, which can't be part of a file");
            }

            if (_had.Contains(child))
            {
                continue;
            }

            if (_wanted.TryAdd(child, new Place(size, place.Depth + 1)))
            {
                children.Add(child);
                if (_blocksLeft-- == 0)
                {
                    throw NotAFile(cid, "it has far more blocks than its size explains");
                }
            }
        }

        return children;
    }

    private static (IReadOnlyList<DagPbLink> Links, UnixFsFile File) Decode(Cid cid, ReadOnlyMemory<byte> block)
    {
        if (!cid.IsDagPb)
        {
            throw NotAFile(cid, $"its codec is 0x{cid.Codec:x}");
        }

        try
        {
            var node = DagPbNode.Decode(block);
            return (node.Links, UnixFsFile.Decode(node.Data ?? default));
        }
        catch (InvalidDataException e)
        {
            throw NotAFile(cid, e.Message);
        }
    }

    private void CheckSize(Cid cid, Place place, ulong size)
    {
        if (place.Size is { } stated)
        {
            if (size != stated)
            {
                throw NotAFile(cid, $"it has {size} bytes, and its parent states {stated}");
            }
        }
        else if (size > (ulong)_maxSize)
        {
            throw new FetchException(FetchFailure.TooLarge, $"{cid} is a file of {size} bytes; at most {_maxSize} are accepted");
        }
        else
        {
            _blocksLeft = 1024 + ((long)size / 256 * Limits.BlocksPerQuarterKilobyte);
        }
    }

    private static FetchException NotAFile(Cid cid, string why) => new(FetchFailure.NotAFile, $"{cid} is not (part of) a file that is accepted: {why}");

    private readonly record struct Place(ulong? Size, int Depth);
}

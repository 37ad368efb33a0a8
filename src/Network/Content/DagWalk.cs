using System.Buffers;
using System.Runtime.CompilerServices;
using FedChain.Protocol.Content;

namespace FedChain.Network.Content;

/// <summary>
/// The blocks under a root in depth-first order, each once. Follows dag-pb links whatever they are links of, so that it serves for any
/// DAG of raw and dag-pb blocks. Nodes are opened and leaves are not: a file's shape is known from a hundredth of a percent of it.
/// </summary>
internal static class DagWalk
{
    /// <summary>The deepest DAG that is walked.</summary>
    public const int MaxDepth = 64;

    /// <summary>The most blocks that are walked: 1 TB of a file.</summary>
    public const int MaxBlocks = 1 << 22;

    /// <exception cref="MissingBlockException">The store lacks a node; leaves are not looked for.</exception>
    /// <exception cref="CorruptBlockException">The store holds a damaged node.</exception>
    /// <exception cref="InvalidDataException">A node that isn't dag-pb, or a DAG beyond the limits.</exception>
    public static async IAsyncEnumerable<Cid> BlocksAsync(
        IContentStore store, Cid root, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var seen = new HashSet<Cid>();
        var next = new Stack<(Cid Cid, int Depth)>([(root, 0)]);
        while (next.TryPop(out var at))
        {
            if (!seen.Add(at.Cid))
            {
                continue;
            }

            yield return at.Cid;
            if (!at.Cid.IsDagPb)
            {
                continue;
            }

            var block = await store.GetAsync(at.Cid, buffer, cancellationToken) ?? throw new MissingBlockException(at.Cid);
            var links = DagPbNode.Decode(block).Links;
            if (links.Count > 0 && at.Depth == MaxDepth)
            {
                throw new InvalidDataException($"The DAG under {root} is deeper than {MaxDepth}.");
            }

            foreach (var link in links.Reverse())
            {
                next.Push((link.Cid, at.Depth + 1));
            }

            if (seen.Count + next.Count > MaxBlocks)
            {
                throw new InvalidDataException($"The DAG under {root} has more than {MaxBlocks} blocks.");
            }
        }
    }
}

using FedChain.Protocol.Files;

namespace FedChain.Node.Training;

/// <summary>
/// A shared adapter and one of the institution's own, side by side on the same layers, as one adapter of twice the rank:
/// s (B1 A1 + B2 A2) = s [B1 B2] [A1; A2], with s = alpha / r the same for all three.
/// </summary>
internal static class AdapterPair
{
    /// <exception cref="UserErrorException">The adapter's scaling allows no pair.</exception>
    public static AdapterConfig ConfigOf(AdapterConfig one)
    {
        if (one.RsLora)
        {
            throw new UserErrorException("No adapter of one's own can be trained beside one with rank-stabilised scaling: twice the rank would scale differently. Set \"ownAdapter\" to false.");
        }

        try
        {
            return new AdapterConfig(2 * one.Rank, 2 * one.Alpha, one.Targets, one.FractionBits);
        }
        catch (ArgumentException e)
        {
            throw new UserErrorException($"No adapter of one's own can be trained beside one of rank {one.Rank} and alpha {one.Alpha}: the pair has twice both, and {e.Message} Set \"ownAdapter\" to false.", e);
        }
    }

    /// <param name="shared">The first r rows of each A and columns of each B.</param>
    /// <param name="own">The rest; of the same layout.</param>
    /// <param name="layout">Of twice the rank.</param>
    public static Adapter Join(Adapter shared, Adapter own, AdapterLayout layout)
    {
        var values = new int[layout.Count];
        for (var i = 0; i < layout.Tensors.Length; i++)
        {
            var (pair, one) = (layout.Tensors[i], shared.Layout.Tensors[i]);
            foreach (var (from, to) in Strips(one, pair))
            {
                shared.Values.Slice(one.Offset + from, to.Length).CopyTo(values.AsSpan(to.First, to.Length));
                own.Values.Slice(one.Offset + from, to.Length).CopyTo(values.AsSpan(to.Second, to.Length));
            }
        }

        return new Adapter(layout, shared.FractionBits, values);
    }

    /// <param name="pair">Of twice the rank.</param>
    /// <param name="layout">Of each of the two.</param>
    public static (Adapter Shared, Adapter Own) Split(Adapter pair, AdapterLayout layout)
    {
        var (shared, own) = (new int[layout.Count], new int[layout.Count]);
        for (var i = 0; i < layout.Tensors.Length; i++)
        {
            var one = layout.Tensors[i];
            foreach (var (from, to) in Strips(one, pair.Layout.Tensors[i]))
            {
                pair.Values.Slice(to.First, to.Length).CopyTo(shared.AsSpan(one.Offset + from, to.Length));
                pair.Values.Slice(to.Second, to.Length).CopyTo(own.AsSpan(one.Offset + from, to.Length));
            }
        }

        return (new Adapter(layout, pair.FractionBits, shared), new Adapter(layout, pair.FractionBits, own));
    }

    /// <summary>Runs of values that lie together in both layouts: all of an A, (r, in) in (2r, in); each row of a B, (out, r) in (out, 2r).</summary>
    private static IEnumerable<(int From, (int First, int Second, int Length) To)> Strips(AdapterTensor one, AdapterTensor pair)
    {
        if (one.Factor == Factors.A)
        {
            yield return (0, (pair.Offset, pair.Offset + one.Count, one.Count));
            yield break;
        }

        for (var row = 0; row < one.Rows; row++)
        {
            var first = pair.Offset + (row * pair.Columns);
            yield return (row * one.Columns, (first, first + one.Columns, one.Columns));
        }
    }
}

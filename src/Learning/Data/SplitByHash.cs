using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace FedChain.Learning.Data;

/// <summary>
/// Splits 80 / 10 / 10 by a hash of the document's name, so that a document keeps its place on every machine and when others are added:
/// what was tested on once is never trained on.
/// </summary>
public static class SplitByHash
{
    public static Split Of(string key) => (Order("split", key) % 10) switch
    {
        8 => Split.Val,
        9 => Split.Test,
        _ => Split.Train,
    };

    /// <summary>The at most <paramref name="most"/> records whose ids hash lowest, in their old order: the same choice everywhere, and one that favours nothing.</summary>
    public static IReadOnlyList<DataRecord> AtMost(this IReadOnlyList<DataRecord> records, int most)
    {
        ArgumentNullException.ThrowIfNull(records);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(most);
        if (records.Count <= most)
        {
            return records;
        }

        var chosen = records.Select((record, index) => (index, order: Order("sample", record.Id))).OrderBy(r => r.order).ThenBy(r => r.index)
            .Take(most).Select(r => r.index).ToHashSet();
        return [.. records.Where((_, index) => chosen.Contains(index))];
    }

    internal static ulong Order(string purpose, string key) =>
        BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"fedchain/{purpose}|{key}")));
}

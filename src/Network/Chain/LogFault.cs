using FedChain.Protocol;

namespace FedChain.Network.Chain;

/// <summary>What no honest node would answer to a question for logs.</summary>
internal static class LogFault
{
    /// <returns>What is wrong with the logs of these contracts in the blocks asked for; null if nothing is.</returns>
    public static string? In(IReadOnlyList<ChainLog> logs, IReadOnlyCollection<Address> emitters, ulong from, ulong to)
    {
        var places = new HashSet<(ulong, uint)>();
        var hashes = new Dictionary<ulong, Hash256>();
        foreach (var log in logs)
        {
            var fault = !emitters.Contains(log.Emitter) ? $"is of {log.Emitter}, which wasn't asked for"
                : log.Block < from || log.Block > to ? $"lies outside the blocks {from} to {to} that were asked for"
                : !places.Add((log.Block, log.LogIndex)) ? "comes twice"
                : hashes.TryGetValue(log.Block, out var hash) && hash != log.BlockHash ? $"is of block {log.BlockHash}, others of the same height of block {hash}"
                : null;
            if (fault is not null)
            {
                return $"log {log.LogIndex} of block {log.Block} {fault}";
            }

            hashes[log.Block] = log.BlockHash;
        }

        return null;
    }

    /// <returns>The first log whose block has another hash than its header; null if there is none.</returns>
    public static string? Against(IReadOnlyDictionary<ulong, ChainBlock> headers, IEnumerable<ChainLog> logs) =>
        logs.FirstOrDefault(l => headers.TryGetValue(l.Block, out var header) && header.Hash != l.BlockHash) is { } log
            ? $"log {log.LogIndex} of block {log.Block} is of block {log.BlockHash}, but that block is {headers[log.Block].Hash}"
            : null;
}

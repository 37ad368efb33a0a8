using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.Network.Chain;

/// <summary>Asks for the logs of a federation's contracts: Membership, and those that its events name.</summary>
internal sealed class FederationLogs(ChainClient chain, Address membership, ulong firstBlock)
{
    /// <summary>Which node gave the latest ones.</summary>
    public RpcProvider? Source { get; private set; }

    /// <summary>
    /// The logs of a range of blocks in the order in which they count. A contract that an event names is read from its own beginning, right after that
    /// event, and what the one that it replaced says from there on is left out: it can still be called, and would tell of rounds that are no longer
    /// the federation's.
    /// </summary>
    /// <param name="events">All that count before the range.</param>
    /// <exception cref="FormatException">One of them is none that our contracts would emit.</exception>
    public async Task<List<IndexedLog>> ReadAsync(IReadOnlyList<ChainEvent> events, ulong from, ulong to, CancellationToken cancellation)
    {
        var logs = await AskAsync([.. EmittersAfter(events)], from, to, cancellation);
        for (var i = 0; i < logs.Count; i++)
        {
            var at = logs[i];
            var (replaced, added) = NamedBy(at.Log);
            if (added.Length == 0)
            {
                continue;
            }

            var theirs = await AskAsync(added, firstBlock, to, cancellation);
            var earlier = theirs.TakeWhile(l => Place(l).CompareTo(Place(at)) < 0).Select(l => l with { Since = at.Log.Block }).ToList();
            logs =
            [
                .. logs[..(i + 1)], .. earlier,
                .. logs[(i + 1)..].Where(l => l.Log.Emitter != replaced).Concat(theirs.Skip(earlier.Count)).OrderBy(Place),
            ];
        }

        return logs;
    }

    private async Task<List<IndexedLog>> AskAsync(Address[] emitters, ulong from, ulong to, CancellationToken cancellation)
    {
        var (logs, source) = await chain.AskLogsAsync(emitters, from, to, cancellation);
        Source = source ?? Source;
        return [.. logs.Select(l => new IndexedLog(l.Block, l)).OrderBy(Place)];
    }

    private static (ulong Block, uint Index) Place(IndexedLog log) => (log.Log.Block, log.Log.LogIndex);

    /// <summary>The contracts whose events count, Membership and those that the events read so far have named.</summary>
    private HashSet<Address> EmittersAfter(IReadOnlyList<ChainEvent> events)
    {
        var emitters = new HashSet<Address> { membership };
        foreach (var e in events.Where(e => e.Emitter == membership))
        {
            var (replaced, added) = NamedBy(e.Event);
            emitters.UnionWith(added);
            emitters.ExceptWith(replaced is { } old ? [old] : []);
        }

        return emitters;
    }

    private (Address? Replaced, Address[] Added) NamedBy(ChainLog log) => log.Emitter == membership ? NamedBy(Decode(log)) : (null, []);

    private static (Address? Replaced, Address[] Added) NamedBy(IContractEvent? contractEvent) => contractEvent switch
    {
        FederationFounded e => (null, [e.Governance, e.Rounds]),
        RoundsReplaced e => (e.Previous, [e.Rounds]),
        _ => (null, []),
    };

    /// <exception cref="FormatException">One of them is none that our contracts would emit.</exception>
    public static List<(IndexedLog Log, ChainEvent Event)> Decode(List<IndexedLog> logs)
    {
        var events = new List<(IndexedLog, ChainEvent)>(logs.Count);
        foreach (var indexed in logs)
        {
            if (Decode(indexed.Log) is { } decoded)
            {
                var log = indexed.Log;
                events.Add((indexed, new ChainEvent(decoded, log.Emitter, log.Block, log.BlockHash, log.Transaction, log.LogIndex)));
            }
        }

        return events;
    }

    private static IContractEvent? Decode(ChainLog log)
    {
        try
        {
            return ContractEvents.Decode(log.Topics, log.Data.Span);
        }
        catch (FormatException e)
        {
            throw new FormatException($"Log {log.LogIndex} of block {log.Block} is none that FedChain's contract would emit: {e.Message}", e);
        }
    }
}

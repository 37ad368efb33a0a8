using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Contracts;
using Microsoft.Data.Sqlite;

namespace FedChain.Network.Chain;

/// <summary>
/// Follows a federation's events from its deployment on, beginning with what its <see cref="EventIndex"/> holds. A look that finds nothing new is one
/// round trip. New blocks are taken only if each names the one before it as its parent, down to the last one read; where they don't, the chain
/// was reorganised, and the reader goes back to the newest block that is still on it. Not safe for several threads.
/// </summary>
public sealed class EventReader
{
    /// <summary>Of the latest blocks each one is known, so that a fork among them is found to the block; of older ones those that have events.</summary>
    private const ulong HeaderWindow = 64;
    private const int MaxBlocks = 1024;
    private const int MaxRaces = 10;
    private const int MaxContradictions = 3; // nodes behind one address may disagree for a moment

    private readonly ChainClient _chain;
    private readonly FederationLogs _logs;
    private readonly ulong _firstBlock;
    private readonly EventIndex _index;
    private readonly List<ChainCursor> _blocks = []; // known to be on the chain, oldest first; the last is where the reader stands
    private readonly List<ulong> _since = []; // for each event, the block from which on it counts
    private readonly List<ChainEvent> _events = [];
    private readonly List<ChainCursor> _unkept = []; // blocks without events wait, so that an idle chain writes nothing
    private ChainBlock? _at; // the block of the last cursor that was looked at
    private ChainCursor? _rewindTo; // until the caller has been told
    private int _told; // how many events, from the first on, the caller has been given
    private bool _isIndexRead;
    private bool _isIndexTrusted; // something was taken from it, and is still held to be true

    /// <param name="chain">The chain.</param>
    /// <param name="membership">The federation's one address.</param>
    /// <param name="deploymentBlock">Membership's own answer, see <see cref="MembershipClient.GetDeploymentBlockAsync"/>.</param>
    /// <param name="index">Where what was read is kept, disposed of by the caller; by default nowhere.</param>
    public EventReader(ChainClient chain, Address membership, ulong deploymentBlock, EventIndex? index = null) =>
        (_chain, _logs, _firstBlock, _index) = (chain, new FederationLogs(chain, membership, deploymentBlock), deploymentBlock, index ?? EventIndex.None());

    /// <summary>Where the reader stands; null before its first block.</summary>
    public ChainCursor? Cursor => _blocks.Count == 0 ? null : _blocks[^1];

    /// <summary>Every event that counts, in order.</summary>
    public IReadOnlyList<ChainEvent> Events => _events;

    /// <summary>Looks once, and delivers all that is new.</summary>
    /// <exception cref="ChainException">No answer, or a contract that is not FedChain's. The next look goes on from where this one came to.</exception>
    public async Task<ChainStep> ReadAsync(CancellationToken cancellation = default)
    {
        if (!_isIndexRead)
        {
            _isIndexRead = true;
            ReadIndex();
        }

        var head = await LookAsync(cancellation);
        var step = new ChainStep(_rewindTo, _told, _events[_told..], Cursor, head, Cursor is null ? null : _at);
        (_rewindTo, _told) = (null, _events.Count);
        return step;
    }

    /// <summary>What was read can't be right: forgets it, and goes on without who told it. If some of it came from the index, that is to blame at first.</summary>
    /// <exception cref="ChainException">The only node told it.</exception>
    internal void Reject(string lie)
    {
        var isIndexToBlame = _isIndexTrusted;
        _isIndexTrusted = false;
        GoBackTo(0);
        _index.Clear();
        if (!isIndexToBlame && _logs.Source is { } source)
        {
            _chain.Expose(source, lie);
        }
    }

    private void ReadIndex()
    {
        try
        {
            var logs = _index.ReadLogs();
            Take(FederationLogs.Decode(logs));
            _blocks.AddRange(_index.ReadBlocks(MaxBlocks));
            _isIndexTrusted = logs.Count > 0;
        }
        catch (Exception e) when (e is SqliteException or InvalidCastException or ArgumentException or FormatException)
        {
            GoBackTo(0); // the chain tells it again
            _rewindTo = null;
            _index.Clear();
        }
    }

    private async Task<ChainBlock> LookAsync(CancellationToken cancellation)
    {
        var contradictions = 0;
        for (var race = 0; race < MaxRaces; race++)
        {
            var replies = await _chain.BatchAsync(
                [ChainClient.BlockRequest(BlockTag.Latest), .. Cursor is { } at ? [ChainClient.BlockRequest(BlockTag.Number(at.Block))] : Array.Empty<RpcRequest>()],
                cancellation);
            var head = ChainBlock.Read(replies[0].Value);
            if (Cursor is { } cursor && !IsOnChain(replies[1], cursor))
            {
                if (!IsBehind(replies[0].Source, head, cursor) && !await _chain.IsElsewhereAsync(replies[0].Source, cancellation))
                {
                    await RewindAsync(cancellation);
                }

                continue;
            }

            _at = Cursor is null ? null : ChainBlock.Read(replies[1].Value);
            while (true)
            {
                var from = Cursor is { } last ? last.Block + 1 : _firstBlock;
                if (head.Number < from + _chain.Options.Confirmations)
                {
                    return head;
                }

                var to = Math.Min(head.Number - _chain.Options.Confirmations, from + _chain.Options.MaxLogRange - 1);
                if (await ReadRangeAsync(from, to, head, cancellation) is not { } contradiction)
                {
                    continue;
                }

                if (contradiction.Length > 0 && ++contradictions == MaxContradictions)
                {
                    _chain.Expose(_logs.Source!, contradiction);
                    contradictions = 0;
                }

                break;
            }
        }

        throw new ChainException("The chain reorganised at every look; is the RPC address a set of nodes that disagree?") { IsTransient = true };
    }

    /// <summary>
    /// Whether a node merely hasn't come as far as another one had: what it shows was read, and contradicts nothing. With a single node there was no
    /// other one, so its chain has become shorter.
    /// </summary>
    private bool IsBehind(RpcProvider source, ChainBlock head, ChainCursor cursor)
    {
        if (_chain.Providers.Count == 1 || head.Number >= cursor.Block || !_blocks.Contains(new ChainCursor(head.Number, head.Hash)))
        {
            return false;
        }

        var fault = $"Its latest block is {head.Number}, and block {cursor.Block} has been read elsewhere.";
        return _chain.PassOver(source, fault) ? true : throw new ChainException($"No node is up to date. {source.Endpoint.Authority}: {fault}") { IsTransient = true };
    }

    /// <returns>Null if the range was read; empty if the chain changed meanwhile; else what the node's own answers contradict each other in.</returns>
    private async Task<string?> ReadRangeAsync(ulong from, ulong to, ChainBlock head, CancellationToken cancellation)
    {
        var first = Math.Max(from, Math.Min(to, head.Number < HeaderWindow ? 0 : head.Number - HeaderWindow + 1));
        if (await ReadHeadersAsync(first, to, head, cancellation) is not { } headers)
        {
            return "";
        }

        List<IndexedLog> logs;
        List<(IndexedLog Log, ChainEvent Event)> events;
        try
        {
            logs = await _logs.ReadAsync(_events, from, to, cancellation);
            events = FederationLogs.Decode(logs);
        }
        catch (FormatException e)
        {
            return _chain.Providers.Count > 1 ? e.Message : throw new ChainException($"{e.Message} Check the federation's address.", e);
        }

        var after = await _chain.GetBlockAsync(BlockTag.Number(to), cancellation);
        if (headers[to].Hash != after?.Hash)
        {
            return "";
        }

        if (LogFault.Against(headers, logs.Select(l => l.Log)) is { } fault)
        {
            return fault;
        }

        Take(events);
        _at = headers[to];
        var known = logs.Select(l => new ChainCursor(l.Log.Block, l.Log.BlockHash)).Where(b => b.Block >= from)
            .Concat(headers.Values.Select(h => new ChainCursor(h.Number, h.Hash))).Distinct().OrderBy(b => b.Block).ToList();
        _blocks.AddRange(known);
        _blocks.RemoveRange(0, Math.Max(0, _blocks.Count - MaxBlocks));
        _unkept.AddRange(known);
        if (events.Count > 0 || _unkept.Count >= (int)HeaderWindow)
        {
            _index.Append(_unkept, events.Select(e => e.Log));
            _unkept.Clear();
        }

        return null;
    }

    /// <summary>The headers of a range, by height; null if they don't hang together, or not on the last block read.</summary>
    private async Task<SortedDictionary<ulong, ChainBlock>?> ReadHeadersAsync(ulong from, ulong to, ChainBlock head, CancellationToken cancellation)
    {
        var wanted = Enumerable.Range(0, (int)(to - from + 1)).Select(i => from + (ulong)i).Where(n => n != head.Number).ToList();
        var replies = wanted.Count == 0 ? [] : await _chain.BatchAsync([.. wanted.Select(n => ChainClient.BlockRequest(BlockTag.Number(n)))], cancellation);
        var headers = new SortedDictionary<ulong, ChainBlock>();
        if (to == head.Number)
        {
            headers[to] = head;
        }

        foreach (var (number, reply) in wanted.Zip(replies))
        {
            if (ChainClient.ReadOrNull(reply.Value, ChainBlock.Read) is not { } header || header.Number != number)
            {
                return null;
            }

            headers[number] = header;
        }

        var before = Cursor;
        foreach (var header in headers.Values)
        {
            if (before is { } parent && parent.Block + 1 == header.Number && parent.Hash != header.Parent)
            {
                return null;
            }

            before = new ChainCursor(header.Number, header.Hash);
        }

        return headers;
    }

    private void Take(List<(IndexedLog Log, ChainEvent Event)> events)
    {
        _since.AddRange(events.Select(e => e.Log.Since));
        _events.AddRange(events.Select(e => e.Event));
    }

    /// <summary>Goes back to the newest block read that is still on the chain, or before the first block.</summary>
    private async Task RewindAsync(CancellationToken cancellation)
    {
        var kept = _blocks.Count;
        while (kept > 0)
        {
            var first = Math.Max(0, kept - _chain.Options.MaxBatch);
            var replies = await _chain.BatchAsync([.. _blocks[first..kept].Select(c => ChainClient.BlockRequest(BlockTag.Number(c.Block)))], cancellation);
            while (kept > first && !IsOnChain(replies[kept - first - 1], _blocks[kept - 1]))
            {
                kept--;
            }

            if (kept > first)
            {
                break;
            }
        }

        GoBackTo(kept);
        _index.Rewind(_rewindTo!.Value.Block);
    }

    private void GoBackTo(int blocks)
    {
        _blocks.RemoveRange(blocks, _blocks.Count - blocks);
        var target = Cursor ?? new ChainCursor(_firstBlock == 0 ? 0 : _firstBlock - 1, Hash256.Zero);
        var kept = _since.Count;
        while (kept > 0 && _since[kept - 1] > target.Block)
        {
            kept--;
        }

        _since.RemoveRange(kept, _since.Count - kept);
        _events.RemoveRange(kept, _events.Count - kept);
        _unkept.RemoveAll(b => b.Block > target.Block);
        (_told, _rewindTo) = (Math.Min(_told, kept), target);
    }

    private static bool IsOnChain(RpcReply reply, ChainCursor cursor) => ChainClient.ReadOrNull(reply.Value, ChainBlock.Read)?.Hash == cursor.Hash;
}

using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.Network.Chain;

/// <summary>
/// Follows a federation's events from its deployment on. A look that finds nothing new is one round trip. A reorganisation is noticed by the hash of
/// the last block read, and answered by the newest block read that is still on the chain. Reads the events of Membership and of the contracts that
/// Membership's events name; a successor of Rounds is read from its own beginning, right after the event that names it, and what the one that it
/// replaced says from there on is left out: it can still be called, and would tell of rounds that are no longer the federation's.
/// Not safe for several threads.
/// </summary>
public sealed class EventReader
{
    private const int MaxCheckpoints = 256;
    private const int MaxRaces = 10;

    private readonly ChainClient _chain;
    private readonly ulong _firstBlock;
    private readonly List<ChainCursor> _read = []; // checkpoints, oldest first; the last is where the reader stands
    private readonly List<Emitter> _emitters;
    private ChainCursor? _rewindTo; // until the caller has been told

    /// <param name="chain">The node.</param>
    /// <param name="membership">The federation's one address.</param>
    /// <param name="deploymentBlock">Membership's own answer, see <see cref="MembershipClient.GetDeploymentBlockAsync"/>.</param>
    public EventReader(ChainClient chain, Address membership, ulong deploymentBlock)
    {
        (_chain, _firstBlock) = (chain, deploymentBlock);
        _emitters = [new(membership, deploymentBlock)];
    }

    /// <summary>Where the reader stands; null before its first block.</summary>
    public ChainCursor? Cursor => _read.Count == 0 ? null : _read[^1];

    /// <summary>Looks once, and delivers all that is new.</summary>
    /// <exception cref="ChainException">No answer, or a contract that is not FedChain's. The next look goes on from where this one began.</exception>
    public async Task<ChainStep> ReadAsync(CancellationToken cancellation = default)
    {
        var step = await LookAsync(cancellation);
        _rewindTo = null;
        return step;
    }

    private async Task<ChainStep> LookAsync(CancellationToken cancellation)
    {
        for (var race = 0; race < MaxRaces; race++)
        {
            var replies = await _chain.BatchAsync(
                [ChainClient.BlockRequest(BlockTag.Latest), .. Cursor is { } at ? [ChainClient.BlockRequest(BlockTag.Number(at.Block))] : Array.Empty<RpcRequest>()],
                cancellation);
            var head = ChainBlock.Read(replies[0].Value);
            if (Cursor is { } cursor && !IsOnChain(replies[1], cursor))
            {
                await RewindAsync(cancellation);
                continue;
            }

            var from = Cursor is { } last ? last.Block + 1 : _firstBlock;
            if (head.Number < from + _chain.Options.Confirmations)
            {
                return new ChainStep(_rewindTo, [], Cursor, head);
            }

            if (await ReadRangeAsync(from, head, cancellation) is { } events)
            {
                return new ChainStep(_rewindTo, events, Cursor, head);
            }
        }

        throw new ChainException("The chain reorganised at every look; is the RPC address a set of nodes that disagree?") { IsTransient = true };
    }

    /// <summary>Null if the chain changed meanwhile: the block at the end of the range is asked for before and after the logs.</summary>
    private async Task<List<ChainEvent>?> ReadRangeAsync(ulong from, ChainBlock head, CancellationToken cancellation)
    {
        var to = head.Number - _chain.Options.Confirmations;
        var before = to == head.Number ? head : await _chain.GetBlockAsync(BlockTag.Number(to), cancellation);
        var emitters = new List<Emitter>(_emitters);
        var events = await ReadEventsAsync(emitters, from, to, cancellation);
        var after = await _chain.GetBlockAsync(BlockTag.Number(to), cancellation);
        if (before is null || before.Hash != after?.Hash)
        {
            return null;
        }

        _emitters.Clear();
        _emitters.AddRange(emitters);
        foreach (var block in events.Select(e => new ChainCursor(e.Block, e.BlockHash)).Append(new ChainCursor(to, before.Hash)))
        {
            if (_read.Count == 0 || _read[^1].Block < block.Block)
            {
                _read.Add(block);
            }
        }

        _read.RemoveRange(0, Math.Max(0, _read.Count - MaxCheckpoints));
        return events;
    }

    private async Task<List<ChainEvent>> ReadEventsAsync(List<Emitter> emitters, ulong from, ulong to, CancellationToken cancellation)
    {
        var membership = emitters[0].Address;
        var events = Decode(await _chain.GetLogsAsync([.. emitters.Where(e => e.Until is null).Select(e => e.Address)], from, to, cancellation));
        for (var i = 0; i < events.Count; i++)
        {
            var at = events[i];
            var (replaced, added) = at.Event switch
            {
                FederationFounded e when at.Emitter == membership => ((Address?)null, new[] { e.Governance, e.Rounds }),
                RoundsReplaced e when at.Emitter == membership => (e.Previous, [e.Rounds]),
                _ => (null, []),
            };
            if (added.Length > 0)
            {
                var ended = emitters.FindIndex(e => e.Address == replaced && e.Until is null);
                if (ended >= 0)
                {
                    emitters[ended] = emitters[ended] with { Until = at.Block };
                }

                emitters.AddRange(added.Select(address => new Emitter(address, at.Block)));
                var theirs = Decode(await _chain.GetLogsAsync(added, _firstBlock, to, cancellation));
                var earlier = theirs.TakeWhile(e => (e.Block, e.LogIndex).CompareTo((at.Block, at.LogIndex)) < 0).ToList();
                events =
                [
                    .. events[..(i + 1)], .. earlier,
                    .. events[(i + 1)..].Where(e => e.Emitter != replaced).Concat(theirs.Skip(earlier.Count)).OrderBy(e => (e.Block, e.LogIndex)),
                ];
            }
        }

        return events;
    }

    private static List<ChainEvent> Decode(IReadOnlyList<ChainLog> logs)
    {
        var events = new List<ChainEvent>(logs.Count);
        foreach (var log in logs.OrderBy(l => (l.Block, l.LogIndex)))
        {
            try
            {
                if (ContractEvents.Decode(log.Topics, log.Data.Span) is { } decoded)
                {
                    events.Add(new ChainEvent(decoded, log.Emitter, log.Block, log.BlockHash, log.Transaction, log.LogIndex));
                }
            }
            catch (FormatException e)
            {
                throw new ChainException($"Log {log.LogIndex} of block {log.Block} is none that FedChain's contract would emit ({e.Message}) Check the federation's address.", e);
            }
        }

        return events;
    }

    /// <summary>Drops the checkpoints that are no longer on the chain; at the latest one that is, or before the first block.</summary>
    private async Task RewindAsync(CancellationToken cancellation)
    {
        var replies = await _chain.BatchAsync([.. _read.Select(c => ChainClient.BlockRequest(BlockTag.Number(c.Block)))], cancellation);
        var kept = _read.Count;
        while (kept > 0 && !IsOnChain(replies[kept - 1], _read[kept - 1]))
        {
            kept--;
        }

        _read.RemoveRange(kept, _read.Count - kept);
        var target = Cursor ?? new ChainCursor(_firstBlock == 0 ? 0 : _firstBlock - 1, Hash256.Zero);
        var membership = _emitters[0];
        _emitters.RemoveAll(e => e.Since > target.Block && e != membership);
        for (var i = 0; i < _emitters.Count; i++)
        {
            _emitters[i] = _emitters[i].Until > target.Block ? _emitters[i] with { Until = null } : _emitters[i];
        }

        _rewindTo = target;
    }

    /// <summary>A contract whose events count.</summary>
    /// <param name="Since">The block of the event that named it.</param>
    /// <param name="Until">The block of the event that replaced it.</param>
    private sealed record Emitter(Address Address, ulong Since, ulong? Until = null);

    private static bool IsOnChain(RpcReply reply, ChainCursor cursor) => ChainClient.ReadOrNull(reply.Value, ChainBlock.Read)?.Hash == cursor.Hash;
}

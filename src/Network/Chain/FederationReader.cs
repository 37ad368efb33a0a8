using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Rounds;

namespace FedChain.Network.Chain;

/// <summary>
/// A federation's state, kept up with the chain: new events are folded in; after a reorganisation the fold goes on from a state before the lost ones.
/// After each look that brought events the state is held against what the contracts say of themselves, so that a node that leaves logs out is found out.
/// </summary>
public sealed class FederationReader
{
    private const int MaxStates = 256;
    private const int MaxRejections = 3;

    private readonly ChainClient _chain;
    private readonly Address _membership;
    private readonly TimeProvider _time;
    private readonly EventReader _events;
    private readonly List<(int Events, FederationState State)> _states = [(0, FederationState.Empty)]; // the first, and the latest few
    private long _seen;
    private ulong _anchor;

    /// <inheritdoc cref="EventReader(ChainClient, Address, ulong, EventIndex?)"/>
    public FederationReader(ChainClient chain, Address membership, ulong deploymentBlock, TimeProvider time, EventIndex? index = null)
    {
        (_chain, _membership, _time, _seen) = (chain, membership, time, time.GetTimestamp());
        _events = new EventReader(chain, membership, deploymentBlock, index);
    }

    public FederationState State => _states[^1].State;

    /// <summary>Every event so far, in the order in which they count.</summary>
    public IReadOnlyList<ChainEvent> Events => _events.Events;

    /// <summary>The chain's latest block; null before the first look.</summary>
    public ChainBlock? Head { get; private set; }

    /// <summary>The block up to which <see cref="State"/> goes: the latest, or one so many below it as are to follow before it counts. Null before the first look.</summary>
    public ChainBlock? At { get; private set; }

    /// <summary>
    /// The chain's time, Unix seconds: that of the block up to which the state goes, and what has passed since it was first seen, for an idle chain makes
    /// no blocks. Where blocks must be confirmed it is late by as much as the state, so that no phase is taken to be over before all that was done in it
    /// is seen. Where not, the wall clock counts until the first new block, because the latest one may be old when this starts; a wrong clock misleads no
    /// longer than that.
    /// </summary>
    public ulong Now => _anchor + (ulong)_time.GetElapsedTime(_seen).TotalSeconds;

    /// <returns>How far the chain went back; null if it didn't.</returns>
    /// <exception cref="ChainException">No answer, a contract that is not FedChain's, or a node that lies and is the only one.</exception>
    public async Task<ChainCursor?> ReadAsync(CancellationToken cancellationToken)
    {
        ChainCursor? rewound = null;
        for (var rejections = 0; rejections <= MaxRejections; rejections++)
        {
            var step = await _events.ReadAsync(cancellationToken);
            rewound ??= step.RewindTo;
            if (await FaultOfAsync(step, cancellationToken) is { } lie)
            {
                _events.Reject(lie);
                continue;
            }

            Head = step.Head;
            var at = step.At ?? step.Head;
            if (At?.Hash != at.Hash)
            {
                var isFirst = At is null && _chain.Options.Confirmations == 0;
                _anchor = isFirst ? Math.Max(at.Timestamp, (ulong)_time.GetUtcNow().ToUnixTimeSeconds()) : at.Timestamp;
                At = at;
                _seen = _time.GetTimestamp();
            }

            return rewound;
        }

        throw new ChainException("One node after the other gave a log that contradicts the contracts. Give other RPC addresses.") { IsTransient = true };
    }

    private async Task<string?> FaultOfAsync(ChainStep step, CancellationToken cancellationToken)
    {
        try
        {
            Fold(step);
        }
        catch (InvalidDataException e)
        {
            return e.Message;
        }

        return step.Events.Count > 0 && step.Cursor is { } cursor ? await new StateCheck(_chain, _membership).FaultOfAsync(State, cursor, cancellationToken) : null;
    }

    private void Fold(ChainStep step)
    {
        _states.RemoveAll(s => s.Events > step.Kept);
        var (count, state) = _states[^1];
        var block = 0UL;
        foreach (var e in Events.Skip(count))
        {
            if (e.Block != block && count > _states[^1].Events)
            {
                _states.Add((count, state));
            }

            (count, state, block) = (count + 1, state.Apply(e.Event), e.Block);
        }

        if (count > _states[^1].Events)
        {
            _states.Add((count, state));
        }

        _states.RemoveRange(1, Math.Max(0, _states.Count - 1 - MaxStates));
    }
}

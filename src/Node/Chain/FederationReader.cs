using FedChain.Network.Chain;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Chain;

/// <summary>A federation's state, kept up with the chain: new events are folded in; after a reorganisation the fold starts again without the lost ones.</summary>
public sealed class FederationReader(ChainClient chain, Address membership, ulong deploymentBlock, TimeProvider time)
{
    private readonly EventReader _events = new(chain, membership, deploymentBlock);
    private readonly List<ChainEvent> _applied = [];
    private long _headSeen = time.GetTimestamp();
    private ulong _anchor;

    public FederationState State { get; private set; } = FederationState.Empty;

    /// <summary>Every event so far, in the order of the chain.</summary>
    public IReadOnlyList<ChainEvent> Events => _applied;

    /// <summary>The chain's latest block; null before the first look.</summary>
    public ChainBlock? Head { get; private set; }

    /// <summary>
    /// The chain's time, Unix seconds: the latest block's, and what has passed since it was first seen, for an idle chain makes no blocks. The wall
    /// clock counts only until the first new block, because the latest one may be old when this starts; a wrong clock misleads no longer than that.
    /// </summary>
    public ulong Now => _anchor + (ulong)time.GetElapsedTime(_headSeen).TotalSeconds;

    public async Task ReadAsync(CancellationToken cancellationToken)
    {
        var step = await _events.ReadAsync(cancellationToken);
        if (step.RewindTo is { } ancestor)
        {
            _applied.RemoveAll(e => e.Block > ancestor.Block);
            State = _applied.Aggregate(FederationState.Empty, (state, e) => state.Apply(e.Event));
        }

        foreach (var e in step.Events)
        {
            State = State.Apply(e.Event);
            _applied.Add(e);
        }

        if (Head?.Hash != step.Head.Hash)
        {
            _anchor = Head is null ? Math.Max(step.Head.Timestamp, (ulong)time.GetUtcNow().ToUnixTimeSeconds()) : step.Head.Timestamp;
            Head = step.Head;
            _headSeen = time.GetTimestamp();
        }
    }
}

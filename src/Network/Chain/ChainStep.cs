using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Contracts;

namespace FedChain.Network.Chain;

/// <summary>How far a reader has come: the last block whose events it has delivered. The hash tells branches apart.</summary>
public readonly record struct ChainCursor(ulong Block, Hash256 Hash);

/// <summary>What a look at the chain brought.</summary>
/// <param name="RewindTo">Set if blocks that were read have left the chain: the newest one read that hasn't, or the one before the deployment.</param>
/// <param name="Kept">How many of the events delivered so far still count, from the first on; all of them unless <paramref name="RewindTo"/> is set.</param>
/// <param name="Events">The new events, in the order in which they count.</param>
/// <param name="Cursor">Where the reader stands now; null before the deployment's block is confirmed.</param>
/// <param name="Head">The chain's latest block.</param>
/// <param name="At">The block of <paramref name="Cursor"/>; its time is the clock by which the events are to be judged.</param>
public sealed record ChainStep(ChainCursor? RewindTo, int Kept, IReadOnlyList<ChainEvent> Events, ChainCursor? Cursor, ChainBlock Head, ChainBlock? At);

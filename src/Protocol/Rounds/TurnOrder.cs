using System.Collections.Immutable;
using System.Numerics;
using FedChain.Protocol.Ethereum;

namespace FedChain.Protocol.Rounds;

/// <summary>
/// Who aggregates, in which order: the first min(maxTurns, n) entries of a Fisher-Yates shuffle of 0..n-1, in which for i = 0, 1, … entry i is
/// exchanged with entry i + keccak(beacon, round, i) mod (n - i). Source: docs/protocol.md, "Turns".
/// </summary>
public static class TurnOrder
{
    /// <param name="submitters">n, in order of submission.</param>
    public static ImmutableArray<int> Of(Hash256 beacon, RoundId round, int submitters, int maxTurns)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(submitters);
        ArgumentOutOfRangeException.ThrowIfNegative(maxTurns);
        var order = Enumerable.Range(0, submitters).ToArray();
        var turns = Math.Min(maxTurns, submitters);
        for (var i = 0; i < turns; i++)
        {
            var draw = new Word(Keccak256.OfWords(beacon, round, (ulong)i)).ToUnsigned();
            var j = i + (int)(draw % new BigInteger(submitters - i));
            (order[i], order[j]) = (order[j], order[i]);
        }

        return [.. order.AsSpan(0, turns)];
    }
}

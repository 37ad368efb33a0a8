using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Rounds;

namespace FedChain.Network.Chain;

/// <summary>
/// Holds a folded state against what the contracts say of themselves in the same block: the round's number, its submissions with their rolling set and
/// beacon, its candidate and votes, the policy, the pause, the seats. A log that was left out or made up shows in one of them.
/// </summary>
internal sealed class StateCheck(ChainClient chain, Address membership)
{
    /// <returns>What differs; null if nothing does, or the node can't say: one without old states, or whose chain has another block there by now.</returns>
    /// <exception cref="ChainException">No answer.</exception>
    public async Task<string?> FaultOfAsync(FederationState state, ChainCursor at, CancellationToken cancellation)
    {
        var tag = BlockTag.Number(at.Block);
        var replies = await chain.BatchAsync(
            [
                ChainClient.CallRequest(state.RoundsContract, RoundsAbi.CurrentRound.Encode([]), tag),
                ChainClient.CallRequest(state.RoundsContract, RoundsAbi.Policy.Encode([]), tag),
                ChainClient.CallRequest(state.RoundsContract, RoundsAbi.Paused.Encode([]), tag),
                ChainClient.CallRequest(membership, MembershipAbi.Voters.Encode([]), tag),
                ChainClient.BlockRequest(tag),
            ],
            cancellation);
        if (replies.Any(r => r.Error is not null) || ChainClient.ReadOrNull(replies[^1].Value, ChainBlock.Read)?.Hash != at.Hash)
        {
            return null;
        }

        try
        {
            var round = RoundView.Read(RoundsAbi.CurrentRound.DecodeOutput(RpcJson.Bytes(replies[0].Value)).List(0));
            var policy = PolicyView.Read(RoundsAbi.Policy.DecodeOutput(RpcJson.Bytes(replies[1].Value)));
            var paused = RoundsAbi.Paused.DecodeOutput(RpcJson.Bytes(replies[2].Value)).Bool(0);
            var voters = MembershipAbi.Voters.DecodeOutput(RpcJson.Bytes(replies[3].Value)).UInt64(0);
            return Differences(state, round, policy, paused, voters).FirstOrDefault(d => d is not null) is { } difference
                ? $"its logs up to block {at.Block} give {difference}" : null;
        }
        catch (FormatException)
        {
            return null; // not FedChain's contracts; who follows them will say so
        }
    }

    private static IEnumerable<string?> Differences(FederationState state, RoundView round, PolicyView policy, bool paused, ulong voters)
    {
        yield return Compare("policy", state.LatestPolicy?.Policy, policy.Hash);
        yield return Compare("pause", state.Paused, paused);
        yield return Compare("members with a vote", (ulong)state.EligibleNext.Count, voters);
        if (state.Current is { IsSuperseded: true })
        {
            yield break; // the contract in use has no round of its own yet
        }

        yield return Compare("round", state.Current?.Id.Value ?? 0, round.Number.Value);
        if (state.Current is not { } current)
        {
            yield break;
        }

        yield return Compare("submissions", (uint)current.Submissions.Length, round.Submissions);
        yield return Compare("set of submissions", current.Set, round.Set);
        yield return Compare("beacon", current.Beacon, round.Beacon);
        yield return Compare("close", current.ClosesAt, round.ClosesAt);
        if (!round.Candidate.IsZero)
        {
            var candidate = current.Candidates.LastOrDefault();
            yield return Compare("candidate", candidate?.Id, round.Candidate);
            yield return Compare("votes for the candidate", (uint?)candidate?.Votes.Values.Count(v => v), round.Valid);
            yield return Compare("votes against the candidate", (uint?)candidate?.Votes.Values.Count(v => !v), round.Invalid);
        }
    }

    private static string? Compare<T>(string what, T folded, T asked) => Equals(folded, asked) ? null : $"{what} {folded?.ToString() ?? "none"}, but the contract has {asked}";
}

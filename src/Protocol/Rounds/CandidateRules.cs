using System.Collections.Immutable;
using FedChain.Protocol.Ethereum.Signing;
using FedChain.Protocol.Manifests;

namespace FedChain.Protocol.Rounds;

/// <summary>
/// What must be true of signed holdings and of a global manifest, apart from the arithmetic: the aggregator keeps to it, attesters and auditors check
/// it. Each refusal can be shown to anybody from the bytes. Source: docs/protocol.md, "Global manifest".
/// </summary>
public static class CandidateRules
{
    /// <summary>Why a statement of holdings doesn't count in a round; null if it does.</summary>
    public static string? Refusal(SignedHolding holding, RoundState round, SigningDomain domain)
    {
        if (round.SubmissionOf(holding.Member) is null)
        {
            return $"member {holding.Member} signed holdings, but did not submit";
        }

        if (!holding.Held.IsOf(round.Submissions.Length))
        {
            return $"the holdings of member {holding.Member} aren't a bitmap of {round.Submissions.Length} submissions";
        }

        var digest = domain.Digest(new Ethereum.Signing.Holdings(round.Id, round.Set, holding.Held.Bytes.ToArray()));
        var expected = round.Seats[holding.Member].Operator;
        return !holding.Signature.TryRecover(digest, out var signer) ? $"the holdings of member {holding.Member} carry a signature that no key can have made"
            : signer == expected ? null
            : $"the holdings of member {holding.Member} are signed by {signer}, expected its operator {expected}";
    }

    /// <summary>The submissions that enter the aggregate, by these holdings.</summary>
    /// <exception cref="ArgumentException">Fewer holdings than a quorum.</exception>
    public static SubmissionBitmap Included(RoundState round, IEnumerable<SignedHolding> holdings)
    {
        var n = round.Submissions.Length;
        return Inclusion.Of(n, Quorum.Of(n), [.. holdings.Select(h => h.Held)]);
    }

    /// <summary>The least number of included updates that make an aggregate in a round: the round's minimum, or what the rule needs if that is more.</summary>
    public static int Needed(RoundState round, AggregationRule rule) => Math.Max(round.Minimum, rule.MinimumUpdates);

    /// <summary>Why a global manifest is wrong, whatever its aggregate; null if nothing is. A wrong one is attested invalid.</summary>
    /// <param name="manifest">As the candidate's digest names it.</param>
    /// <param name="holdings">The manifest's holdings, read from it or from the file that it names.</param>
    /// <param name="round">The round.</param>
    /// <param name="rule">The rule of the round's policy.</param>
    /// <param name="candidate">As the chain has it.</param>
    /// <param name="domain">In which holdings are signed.</param>
    public static string? Refusal(
        GlobalManifest manifest, ImmutableArray<SignedHolding> holdings, RoundState round, AggregationRule rule, Candidate candidate, SigningDomain domain)
    {
        var said = (manifest.Chain, manifest.Rounds, manifest.Round, manifest.Turn, manifest.Aggregator, manifest.Policy, manifest.Base, manifest.Set, manifest.Aggregate);
        var expected = (domain.ChainId, domain.Rounds, round.Id, candidate.Turn, candidate.Aggregator, round.Policy, round.Base, round.Set, candidate.Aggregate);
        if (said != expected)
        {
            return $"the global manifest says {said}, but the chain says {expected}";
        }

        var n = round.Submissions.Length;
        if (holdings.Length < Quorum.Of(n) || holdings.Length > n)
        {
            return $"it rests on {holdings.Length} signed holdings; {Quorum.Of(n)} to {n} are needed";
        }

        foreach (var holding in holdings)
        {
            if (Refusal(holding, round, domain) is { } refusal)
            {
                return refusal;
            }
        }

        var included = Included(round, holdings);
        if (included != manifest.Included)
        {
            return $"it includes the submissions {manifest.Included}, but by its holdings they are {included}";
        }

        var needed = Needed(round, rule);
        var enough = included.Count >= needed;
        if (enough == manifest.Aggregate.IsZero)
        {
            return enough ? $"it gives up, although {included.Count} updates are included and {needed} suffice"
                : $"it aggregates {included.Count} updates; at least {needed} are needed";
        }

        var carries = enough && rule is AggregationRule.Momentum;
        return carries == manifest.State is not null ? null
            : carries ? "it names no state, but momentum carries one on"
            : $"it names the state {manifest.State!.Plaintext}, but nothing is carried on from here";
    }
}

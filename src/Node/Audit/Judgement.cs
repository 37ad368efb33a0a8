using FedChain.Aggregator;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Signing;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Audit;

/// <summary>Whether a candidate is the one that its included updates make.</summary>
/// <param name="Right">Null if something is missing to tell.</param>
/// <param name="Reason">What was found.</param>
/// <param name="Made">What the updates make, if it is what was published.</param>
internal sealed record Judgement(bool? Right, string Reason, Aggregate? Made = null)
{
    /// <param name="candidate">What was published.</param>
    /// <param name="manifest">Its manifest.</param>
    /// <param name="round">The round.</param>
    /// <param name="verdicts">Of the submissions that could be opened, by index.</param>
    /// <param name="terms">What the updates were validated against.</param>
    /// <param name="velocity">What server momentum carried on to the round; null for nothing.</param>
    /// <param name="name">Names a member for people.</param>
    /// <param name="cancellationToken">Looked at while computing.</param>
    public static Judgement Of(
        Candidate candidate,
        GlobalManifest manifest,
        RoundState round,
        IReadOnlyDictionary<int, UpdateVerdict> verdicts,
        RoundTerms terms,
        StateVector? velocity,
        Func<MemberId, string> name,
        CancellationToken cancellationToken)
    {
        var domain = new SigningDomain(terms.Chain, terms.Rounds);
        var rule = terms.Policy.Rule;
        if (manifest.Holdings is HoldingsSource.Inline(var holdings) && CandidateRules.Refusal(manifest, holdings, round, rule, candidate, domain) is { } refusal)
        {
            return new(false, refusal);
        }

        if (candidate.Aggregate.IsZero)
        {
            return new(true, $"only {manifest.Included.Count} updates can be included, and {CandidateRules.Needed(round, rule)} are needed");
        }

        if (!manifest.Included.IsOf(round.Submissions.Length) || manifest.Included.Count < rule.MinimumUpdates)
        {
            return new(false, $"it includes {manifest.Included}, of {round.Submissions.Length} submissions");
        }

        var updates = new List<ValidUpdate>();
        foreach (var index in manifest.Included.Indices)
        {
            var member = name(round.Submissions[index].Member);
            switch (verdicts.GetValueOrDefault(index))
            {
                case UpdateVerdict.Accepted(var update):
                    updates.Add(update);
                    break;
                case UpdateVerdict.Refused refused:
                    return new(false, $"it includes the update of member {member}, which is invalid ({refused.Reason})");
                default:
                    return new(null, $"the update of member {member} could not be opened");
            }
        }

        var made = Recomputation.Compute(terms, updates, velocity, cancellationToken: cancellationToken);
        if (made.Digest != candidate.Aggregate)
        {
            return new(false, $"the {updates.Count} included updates make {made.Digest}, but {candidate.Aggregate} was published by member {name(candidate.Aggregator)}");
        }

        var carried = made.Velocity is null ? (Hash256?)null : StateFile.Digest(StateKind.Velocity, made.Velocity);
        return carried == manifest.State?.Plaintext ? new(true, $"the {updates.Count} included updates make {made.Digest}{(carried is null ? "" : $" and carry on {carried}")}", made)
            : new(false, $"the {updates.Count} included updates carry on the velocity {carried}, but {manifest.State?.Plaintext} is named by member {name(candidate.Aggregator)}");
    }
}

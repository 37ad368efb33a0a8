using FedChain.Aggregator;
using FedChain.Protocol;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Numerics;

namespace FedChain.Node.Study;

/// <summary>What an institution brings to a round.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Adapter">What local training came to.</param>
/// <param name="Samples">Its training records.</param>
/// <param name="Untouched">Loss of the base model on its validation records.</param>
/// <param name="Before">Loss of the round's base adapter on them.</param>
internal sealed record LocalUpdate(string Name, Adapter Adapter, long Samples, Micronats Untouched, Micronats Before);

/// <summary>Rounds without chain and network: updates are written, validated and aggregated exactly as peers do it.</summary>
internal sealed class SimulatedFederation
{
    private static readonly Address Nowhere = new(new byte[Address.Size]);

    private readonly Policy _policy;
    private readonly Dictionary<string, MemberId> _members;
    private readonly Dictionary<string, StateVector> _residuals;
    private StateVector? _velocity;
    private ulong _finalised;

    public SimulatedFederation(StudyData data, AdapterConfig config, StudyMethod.Federated method, AdapterLayout layout, Hash256 seed)
    {
        _policy = new Policy
        {
            BaseModel = data.ModelDigest,
            Adapter = config,
            Seed = seed,
            Schedule = method.Schedule,
            Rule = method.Rule,
            WeightCap = method.WeightCap,
            Encoding = method.Encoding,
        };
        _members = data.Institutions.Select((institution, i) => (institution.Name, Id: new MemberId((uint)i + 1))).ToDictionary(m => m.Name, m => m.Id);
        _residuals = _members.Keys.ToDictionary(name => name, _ => StateVector.Zero(layout));
        Global = Adapter.First(layout, seed, config.FractionBits);
    }

    /// <summary>The adapter that the next round starts from.</summary>
    public Adapter Global { get; private set; }

    /// <summary>What the next round trains.</summary>
    public Factors Factors => _policy.FactorsAt(_finalised);

    /// <summary>Bytes that one member has sent so far, before encryption.</summary>
    public long BytesPerMember { get; private set; }

    /// <summary>A round's end: the updates make the next global adapter; with fewer than the rule needs, the old one stays.</summary>
    /// <returns>Whose updates were refused, and why.</returns>
    public IReadOnlyList<string> Aggregate(IReadOnlyList<LocalUpdate> updates, CancellationToken cancellationToken)
    {
        var terms = new RoundTerms(1, Nowhere, new RoundId(_finalised + 1), _policy.JsonHash, _policy, _finalised, AdapterFile.Digest(Global), Global, StudySeed.Hash(_finalised, "beacon"));
        var valid = new List<ValidUpdate>();
        var included = new Dictionary<string, StateVector>();
        var refused = new List<string>();
        foreach (var update in updates)
        {
            var (encoded, residual) = ErrorFeedback.Encode(_policy.Encoding, Global, terms.Factors, update.Adapter.DifferenceTo(Global, terms.Factors), _residuals[update.Name]);
            switch (Validate(update, encoded, terms, cancellationToken))
            {
                case UpdateVerdict.Accepted accepted:
                    valid.Add(accepted.Update);
                    included.Add(update.Name, residual);
                    break;
                case UpdateVerdict.Refused no:
                    refused.Add($"{update.Name}: {no.Reason}, {no.Detail}");
                    break;
            }
        }

        if (valid.Count < _policy.Rule.MinimumUpdates)
        {
            refused.Add($"{valid.Count} valid updates are fewer than the {_policy.Rule.MinimumUpdates} that the rule needs: {RoundResult.NoAggregate}");
            return refused;
        }

        var aggregate = Recomputation.Compute(terms, valid, _velocity, threads: 1, cancellationToken);
        (Global, _velocity) = (aggregate.Adapter, aggregate.Velocity);
        _finalised++;
        foreach (var (name, residual) in included)
        {
            _residuals[name] = residual;
        }

        return refused;
    }

    private UpdateVerdict Validate(LocalUpdate update, EncodedDifferences encoded, RoundTerms terms, CancellationToken cancellationToken)
    {
        var member = _members[update.Name];
        var metadata = new UpdateMetadata(
            terms.Chain, terms.Rounds, terms.Round, member, terms.PolicyHash, terms.BaseDigest, default, update.Samples, new UpdateLosses(update.Untouched, update.Before, update.Before));
        using var file = new MemoryStream();
        var digest = UpdateFile.Write(file, metadata, encoded);
        BytesPerMember += file.Length / _members.Count;
        var manifest = new UpdateManifest(terms.Chain, terms.Rounds, terms.Round, member, terms.PolicyHash, terms.BaseDigest, Protocol.Content.Cid.RawOf(digest), file.Length, digest);
        return UpdateValidator.Validate(UpdatePlaintext.Of(file.ToArray()), manifest, member, terms, cancellationToken);
    }
}

using System.Security.Cryptography;
using FedChain.Node.Models;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Files;
using FedChain.Protocol.Governance;
using FedChain.Protocol.Manifests;

namespace FedChain.Node.Governance;

/// <summary>What to change in a federation's policy; null leaves a value as it is. Units and bounds are the policy's.</summary>
internal sealed record PolicyEdit
{
    public uint? Training { get; init; }

    public uint? Publishing { get; init; }

    public uint? Attesting { get; init; }

    public uint? Interval { get; init; }

    public uint? Minimum { get; init; }

    public byte? MaxTurns { get; init; }

    public uint? Rounds { get; init; }

    /// <summary>Factors separated by commas, such as "B,A".</summary>
    public string? Schedule { get; init; }

    /// <summary>See <see cref="RuleText"/>.</summary>
    public string? Rule { get; init; }

    /// <summary>Server momentum in thousandths, 0 for none.</summary>
    public int? Momentum { get; init; }

    /// <summary>"int32", "int16" or "int8".</summary>
    public string? Encoding { get; init; }

    public long? WeightCap { get; init; }

    public bool? PostQuantum { get; init; }

    public int? MaxSteps { get; init; }

    /// <summary>A JSON text that replaces the policy's own, before the other changes.</summary>
    public string? Json { get; init; }

    /// <summary>Start again from another first adapter.</summary>
    public bool NewSeed { get; init; }

    /// <param name="present">The policy that was set last.</param>
    /// <param name="openModel">The base model; asked for only if the first adapter has to be made anew.</param>
    /// <param name="cancellationToken">Stops reading the model.</param>
    /// <exception cref="UserErrorException">Nothing is asked for, a value is out of its bounds, or the base model at hand is another than the policy's.</exception>
    public async Task<ProposedAction.SetPolicy> ApplyAsync(PolicySet present, Func<BaseModel> openModel, CancellationToken cancellationToken)
    {
        if (this == new PolicyEdit())
        {
            throw new UserErrorException("Nothing to change was given. See fedchain propose policy --help; the same policy again, for more rounds, is --rounds NUMBER.");
        }

        var former = Admission.PolicyOf(present);
        var policy = Changed(former);
        var p = present.Params;
        var parameters = new PolicyParams(
            Training ?? p.Training, Publishing ?? p.Publishing, Attesting ?? p.Attesting, Interval ?? p.Interval, Minimum ?? p.Minimum, MaxTurns ?? p.MaxTurns, Rounds ?? p.Rounds);
        var genesis = present.Genesis;
        var isOther = former is null || policy.BaseModel != former.BaseModel || policy.Adapter != former.Adapter;
        if (isOther || policy.Seed != former!.Seed)
        {
            var model = openModel();
            var digest = await model.DigestAsync(cancellationToken);
            if (digest != policy.BaseModel)
            {
                throw new UserErrorException(
                    $"The first adapter has to be made anew, from the base model {policy.BaseModel}; the model in {model.Path} is {digest}. Name the right folder as \"model\" in home.json, or with --model.");
            }

            genesis = FoundingPolicy.GenesisOf(model, policy.Adapter, policy.Seed);
            if (isOther && genesis == present.Genesis)
            {
                throw new UserErrorException("The base model or the adapter's configuration changes, but the first adapter would be the same file, so the base would not restart. Add --new-seed.");
            }
        }

        return new ProposedAction.SetPolicy(present.Policy, policy.ToString(), parameters, genesis);
    }

    /// <summary>The policy's JSON with what is to change in it.</summary>
    /// <param name="former">The policy as it is; null if this version can't read it.</param>
    /// <exception cref="UserErrorException">There is nothing to change, or a value is out of its bounds or makes no sense beside the others.</exception>
    public Policy Changed(Policy? former)
    {
        var policy = Json is not null ? Read(Json)
            : former ?? throw new UserErrorException("The policy that was set last can't be read by this version, so it can't be changed; --json-file replaces it.");
        policy = policy with
        {
            Rule = RuleAfter(policy.Rule),
            Encoding = Encoding is null ? policy.Encoding
                : UpdateEncodings.TryParse(Encoding, out var encoding) ? encoding
                : throw new UserErrorException($"--encoding takes int32, int16 or int8; got '{Encoding}'."),
            WeightCap = WeightCap ?? policy.WeightCap,
            Schedule = Schedule is null ? policy.Schedule : [.. Schedule.Split(',').Select(Factor)],
            PostQuantum = PostQuantum ?? policy.PostQuantum,
            Work = policy.Work with { MaxSteps = MaxSteps ?? policy.Work.MaxSteps },
            Seed = NewSeed ? new Hash256(RandomNumberGenerator.GetBytes(Hash256.Size)) : policy.Seed,
        };
        try
        {
            policy.ToBytes();
        }
        catch (InvalidOperationException e)
        {
            throw new UserErrorException(e.Message, e);
        }

        return policy is { WeightCap: 1, Rule.Combining: AggregationRule.Mean(Weighting.Samples) or AggregationRule.FairMean(Weighting.Samples, _, _) }
            ? throw new UserErrorException("Weights by samples with a cap of 1 would make every update of more than one sample invalid. Add --weight-cap NUMBER.")
            : policy;
    }

    /// <summary>A note for a rule that so many members can't satisfy; null if they can.</summary>
    public static string? Shortage(AggregationRule rule, int members) => rule.MinimumUpdates <= members ? null
        : $"note: this rule needs {rule.MinimumUpdates} included updates, and there are {members} members: until there are as many, its rounds end without an aggregate";

    private AggregationRule RuleAfter(AggregationRule former)
    {
        var rule = Rule is null ? former : RuleText.Parse(Rule);
        var beta = Momentum ?? (rule as AggregationRule.Momentum ?? former as AggregationRule.Momentum)?.Beta ?? 0;
        return beta == 0 ? rule.Combining : new AggregationRule.Momentum(beta, rule.Combining);
    }

    private static Policy Read(string json)
    {
        try
        {
            return Policy.Parse(CanonicalJson.Serialize(CanonicalJson.ParseAnyForm(System.Text.Encoding.UTF8.GetBytes(json), 4 * Policy.MaxSize)));
        }
        catch (InvalidDataException e)
        {
            throw new UserErrorException($"--json-file holds no policy: {e.Message}", e);
        }
    }

    private static Factors Factor(string text) => text.Trim() switch
    {
        "A" => Factors.A,
        "B" => Factors.B,
        "AB" => Factors.Both,
        _ => throw new UserErrorException($"--schedule takes A, B or AB, separated by commas, such as B,A; got '{text}'."),
    };
}

using FedChain.Learning;
using FedChain.Network.Chain;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;

namespace FedChain.Node.Models;

/// <summary>What a new federation starts with: the policy, what the contract follows of it, and the digest of the first adapter.</summary>
public sealed record FoundingPolicy(Policy Policy, PolicyParams Params, Hash256 Genesis)
{
    private const long MaxSamples = 1L << 30;

    /// <param name="seed">Fixes the first adapter; 32 bytes that nobody can have chosen for their own ends.</param>
    public static async Task<FoundingPolicy> CreateAsync(
        BaseModel model, AdapterConfig adapter, Hash256 seed, int maxSteps, PolicyParams parameters, CancellationToken cancellationToken)
    {
        var policy = Usual(await model.DigestAsync(cancellationToken), adapter, seed, maxSteps);
        return new FoundingPolicy(policy, parameters, GenesisOf(model, adapter, seed));
    }

    /// <summary>The digest of the adapter that training starts from.</summary>
    /// <exception cref="ArgumentException">The model has no layer of a targeted name.</exception>
    public static Hash256 GenesisOf(BaseModel model, AdapterConfig adapter, Hash256 seed)
    {
        using var decoder = CausalLanguageModel.Load(model.Path, ComputeDevice.Cpu);
        return AdapterFile.Digest(Adapter.First(decoder.LayoutFor(adapter), seed, adapter.FractionBits));
    }

    /// <summary>A policy of the same size, for what it would cost: digests that are not known without the model are made up.</summary>
    public static FoundingPolicy ForEstimate(AdapterConfig adapter, int maxSteps, PolicyParams parameters)
    {
        var digest = new Hash256([.. Enumerable.Repeat((byte)0xff, Hash256.Size)]);
        return new FoundingPolicy(Usual(digest, adapter, digest, maxSteps), parameters, digest);
    }

    /// <summary>What the study of ways to train together found best (decision 25).</summary>
    private static Policy Usual(Hash256 baseModel, AdapterConfig adapter, Hash256 seed, int maxSteps) => new()
    {
        BaseModel = baseModel,
        Adapter = adapter,
        Seed = seed,
        Encoding = UpdateEncoding.Int8,
        Rule = new AggregationRule.FairMean(Weighting.Uniform, Fairness.Gain, Power: 1),
        Work = new LocalWork(maxSteps, MaxSamples),
    };

    /// <summary>What the contracts are deployed with.</summary>
    public FederationPlan ForChain(IReadOnlyList<Address> founders) => new(founders, Policy.ToString(), Params, Genesis);
}

using CsCheck;
using FedChain.Protocol;
using FedChain.Protocol.Content;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Numerics;

namespace FedChain.Aggregator.Tests;

/// <summary>A round of a small federation, and updates as its members would write them.</summary>
internal sealed record Federation(RoundTerms Terms)
{
    private static readonly Address Rounds = Address.Parse("0x5fbdb2315678afecb367f032d93f642f64180aa3");

    public static Federation Of(AdapterLayout layout, Policy policy, int[] @base, ulong finalised = 0, Hash256 beacon = default)
    {
        var adapter = new Adapter(layout, policy.Adapter.FractionBits, @base);
        return new Federation(new RoundTerms(31337, Rounds, new RoundId(5), policy.JsonHash, policy, finalised, AdapterFile.Digest(adapter), adapter, beacon));
    }

    /// <summary>The same round under another rule.</summary>
    public Federation With(AggregationRule rule, Hash256 beacon = default)
    {
        var policy = Terms.Policy with { Rule = rule };
        return new Federation(Terms with { Policy = policy, PolicyHash = policy.JsonHash, Beacon = beacon });
    }

    /// <summary>The same round under another encoding.</summary>
    public Federation With(UpdateEncoding encoding)
    {
        var policy = Terms.Policy with { Encoding = encoding };
        return new Federation(Terms with { Policy = policy, PolicyHash = policy.JsonHash });
    }

    /// <summary>One layer of rank 1 with so many values.</summary>
    public static Federation Flat(int count, int value = 0)
    {
        var config = new AdapterConfig(1, 1, ["q"]);
        var layout = AdapterLayout.Create(config, [("l.q", count - 1, 1)]);
        return Of(layout, new Policy { BaseModel = default, Adapter = config, Seed = default }, [.. Enumerable.Repeat(value, layout.Count)]);
    }

    /// <summary>Two layers of rank 2: 60 values, 24 of them in A.</summary>
    public static Federation Small(Func<Policy, Policy>? change = null, ulong finalised = 0)
    {
        var config = new AdapterConfig(2, 4, ["q_proj", "v_proj"]);
        var policy = new Policy { BaseModel = default, Adapter = config, Seed = default };
        var layout = AdapterLayout.Create(config, [("l.0.q_proj", 6, 9), ("l.0.v_proj", 6, 9)]);
        return Of(layout, change is null ? policy : change(policy), Adapter.First(layout, Hash256.Zero, 20).Values.ToArray(), finalised);
    }

    public static Aggregate Aggregate(RoundTerms terms, IReadOnlyList<ValidUpdate> updates, int threads = 0, StateVector? velocity = null) =>
        Recomputation.Compute(terms, updates, velocity, threads, TestContext.Current.CancellationToken);

    public int Count => Terms.Base.Layout.CountOf(Terms.Factors);

    public UpdateMetadata Metadata(uint member, long samples = 10) => new(
        Terms.Chain, Terms.Rounds, Terms.Round, new MemberId(member), Terms.PolicyHash, Terms.BaseDigest, Hash256.Zero, samples,
        new UpdateLosses(new Micronats(3), new Micronats(2), new Micronats(1)));

    /// <summary>An update's file and its manifest, both as its member would make them.</summary>
    public (byte[] File, UpdateManifest Manifest) Update(uint member, int[] differences, long samples = 10, Func<UpdateMetadata, UpdateMetadata>? change = null)
    {
        var stream = new MemoryStream();
        var metadata = Metadata(member, samples);
        var digest = UpdateFile.Write(stream, change is null ? metadata : change(metadata), Encoded(differences));
        return (stream.ToArray(), Manifest(member, digest));
    }

    /// <summary>As the policy asks for; what it can't hold is left out.</summary>
    public EncodedDifferences Encoded(int[] differences) => Terms.Policy.Encoding == UpdateEncoding.Int32
        ? EncodedDifferences.Exact(Terms.Base.Layout, Terms.Factors, differences)
        : EncodedDifferences.Nearest(Terms.Policy.Encoding, Terms.Base, Terms.Factors, differences);

    public UpdateManifest Manifest(uint member, Hash256 plaintext) => new(
        Terms.Chain, Terms.Rounds, Terms.Round, new MemberId(member), Terms.PolicyHash, Terms.BaseDigest, Cid.RawOf(plaintext), 1, plaintext);

    public ValidUpdate Valid(uint member, int[] differences, long samples = 10, UpdateLosses? losses = null)
    {
        var (file, manifest) = Update(member, differences, samples, m => m with { Losses = losses ?? m.Losses });
        var verdict = UpdateValidator.Validate(UpdatePlaintext.Of(file), manifest, new MemberId(member), Terms, TestContext.Current.CancellationToken);
        return Assert.IsType<UpdateVerdict.Accepted>(verdict).Update;
    }

    /// <summary>Differences that keep every value in range, at the range's edges too.</summary>
    public Gen<int[]> Differences()
    {
        var values = Terms.Base.Layout.Of(Terms.Factors).SelectMany(t => Terms.Base[t].ToArray()).ToArray();
        return Gen.OneOf(Gen.Int[-FixedPoint.MaxValue, FixedPoint.MaxValue], Gen.Int[-3, 3], Gen.Const(FixedPoint.MaxValue), Gen.Const(-FixedPoint.MaxValue))
            .Array[values.Length].Select(results => results.Select((r, i) => r - values[i]).ToArray());
    }
}

using System.Text.Json;
using FedChain.Protocol;
using FedChain.Protocol.Content;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Numerics;

namespace FedChain.Aggregator.Tests;

/// <summary>Whole rounds against an implementation in another language (tests/vectors/rounds.py): first adapter, update files, aggregate.</summary>
public sealed class RoundVectorTests
{
    private static readonly Hash256 PolicyHash = Hash256.Parse("0x" + string.Concat(Enumerable.Repeat("ab", 32)));
    private static readonly Address Rounds = Address.Parse("0x" + string.Concat(Enumerable.Repeat("5f", 20)));

    public static TheoryData<string> Cases => [.. JsonDocument
        .Parse(File.ReadAllBytes(Path.Combine(FedChain.Tests.Shared.RepositoryRoot, "tests/vectors/rounds.json")))
        .RootElement.EnumerateArray().Select(c => c.GetRawText())];

    [Theory]
    [MemberData(nameof(Cases))]
    [Trait("Category", "Vectors")]
    public void Every_file_of_a_round_has_the_digest_of_the_independent_implementation(string json)
    {
        var c = JsonDocument.Parse(json).RootElement;
        var factors = c.GetProperty("factors").GetString() switch { "A" => Factors.A, "B" => Factors.B, _ => Factors.Both };
        var config = new AdapterConfig(c.GetProperty("rank").GetInt32(), 8, ["q_proj"], c.GetProperty("fractionBits").GetInt32());
        var layout = AdapterLayout.Create(config, c.GetProperty("layers").EnumerateArray().Select(layer =>
            (layer.GetProperty("path").GetString()!, layer.GetProperty("inputs").GetInt32(), layer.GetProperty("outputs").GetInt32())));
        var policy = new Policy
        {
            BaseModel = default,
            Adapter = config,
            Seed = Hash256.Parse(c.GetProperty("seed").GetString()!),
            Schedule = [factors],
            Rule = new AggregationRule.Mean(Weighting.Samples),
            WeightCap = Policy.MaxWeight,
        };
        var first = Adapter.First(layout, policy.Seed, config.FractionBits);
        var terms = new RoundTerms(31337, Rounds, new RoundId(4), PolicyHash, policy, 0, AdapterFile.Digest(first), first, Hash256.Zero);
        Assert.Equal(c.GetProperty("base").GetString(), terms.BaseDigest.ToString());

        var updates = c.GetProperty("updates").EnumerateArray().Select(update => Read(update, terms)).ToArray();
        var aggregate = Federation.Aggregate(terms, updates);
        Assert.Equal(c.GetProperty("aggregate").GetString(), aggregate.Digest.ToString());
        Assert.Equal(c.GetProperty("aggregateSize").GetInt64(), AdapterFile.LengthOf(layout));
    }

    private static ValidUpdate Read(JsonElement update, RoundTerms terms)
    {
        var member = new MemberId(update.GetProperty("member").GetUInt32());
        var losses = new UpdateLosses(new Micronats(3_100_000), new Micronats(2_900_000), new Micronats(2_799_999 + member.Value));
        var metadata = new UpdateMetadata(
            terms.Chain, terms.Rounds, terms.Round, member, terms.PolicyHash, terms.BaseDigest,
            Hash256.Parse(update.GetProperty("salt").GetString()!), update.GetProperty("samples").GetInt64(), losses);
        var file = new MemoryStream();
        int[] differences = [.. update.GetProperty("differences").EnumerateArray().Select(d => d.GetInt32())];
        var digest = UpdateFile.Write(file, metadata, EncodedDifferences.Exact(terms.Base.Layout, terms.Factors, differences));
        Assert.Equal(update.GetProperty("sha256").GetString(), digest.ToString());
        Assert.Equal(update.GetProperty("size").GetInt64(), file.Length);

        var manifest = new UpdateManifest(
            terms.Chain, terms.Rounds, terms.Round, member, terms.PolicyHash, terms.BaseDigest, Cid.RawOf(digest), file.Length, digest);
        var verdict = UpdateValidator.Validate(UpdatePlaintext.Of(file.ToArray()), manifest, member, terms, TestContext.Current.CancellationToken);
        return Assert.IsType<UpdateVerdict.Accepted>(verdict).Update;
    }
}

using System.Text;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;

namespace FedChain.Protocol.Tests.Manifests;

public sealed class AggregationRuleTests
{
    private static readonly Policy Policy = new() { BaseModel = default, Adapter = new AdapterConfig(8, 16, ["q_proj"]), Seed = default };

    public static TheoryData<AggregationRule, string, int> Rules => new()
    {
        { new AggregationRule.Mean(Weighting.Samples), """{"name":"mean","weights":"samples"}""", 1 },
        { new AggregationRule.FairMean(Weighting.Uniform, Fairness.Gain, 1), """{"by":"gain","name":"fair-mean","power":1,"weights":"uniform"}""", 1 },
        { new AggregationRule.FairMean(Weighting.Samples, Fairness.Loss, 2), """{"by":"loss","name":"fair-mean","power":2,"weights":"samples"}""", 1 },
        { new AggregationRule.ClippedMean(null), """{"name":"clipped-mean","norm":"median"}""", 1 },
        { new AggregationRule.ClippedMean(524288), """{"name":"clipped-mean","norm":524288}""", 1 },
        { new AggregationRule.Median(), """{"name":"median"}""", 1 },
        { new AggregationRule.TrimmedMean(2), """{"name":"trimmed-mean","trim":2}""", 5 },
        { new AggregationRule.MultiKrum(2, 4), """{"faulty":2,"name":"multi-krum","selected":4}""", 7 },
        { new AggregationRule.BucketedMedian(3), """{"name":"bucketed-median","size":3}""", 7 },
        { new AggregationRule.Momentum(500, new AggregationRule.Mean(Weighting.Uniform)), """{"beta":500,"name":"momentum","of":{"name":"mean","weights":"uniform"}}""", 1 },
        { new AggregationRule.Momentum(990, new AggregationRule.TrimmedMean(1)), """{"beta":990,"name":"momentum","of":{"name":"trimmed-mean","trim":1}}""", 3 },
    };

    [Theory]
    [MemberData(nameof(Rules), DisableDiscoveryEnumeration = true)]
    public void A_rule_is_this_text_and_needs_so_many_updates(AggregationRule rule, string text, int needed)
    {
        var policy = Policy with { Rule = rule };
        Assert.Contains($"\"rule\":{text}", policy.ToString(), StringComparison.Ordinal);
        Assert.Equal(rule, Policy.Parse(policy.ToBytes()).Rule);
        Assert.Equal(needed, rule.MinimumUpdates);
    }

    [Theory]
    [InlineData("""{"name":"krum"}""", "'name' should be a rule that this version knows (\"mean\", \"fair-mean\", \"clipped-mean\", \"median\", \"trimmed-mean\", \"multi-krum\", \"bucketed-median\", \"momentum\"); got \"krum\"")]
    [InlineData("""{"name":"mean","weights":"loss"}""", "'weights' should be \"uniform\" or \"samples\"; got \"loss\"")]
    [InlineData("""{"name":"mean","weights":"uniform","x":1}""", "unknown field 'x'")]
    [InlineData("""{"by":"need","name":"fair-mean","power":1,"weights":"uniform"}""", "'by' should be \"gain\" or \"loss\"; got \"need\"")]
    [InlineData("""{"by":"gain","name":"fair-mean","power":3,"weights":"uniform"}""", "'power' should be an integer from 1 to 2; got 3")]
    [InlineData("""{"name":"fair-mean","power":1,"weights":"uniform"}""", "lacks the field 'by'")]
    [InlineData("""{"name":"clipped-mean","norm":0}""", "'norm' should be an integer from 1 to 549755813888 or \"median\"; got 0")]
    [InlineData("""{"name":"clipped-mean","norm":"mean"}""", "'norm' should be an integer from 1 to 549755813888 or \"median\"; got \"mean\"")]
    [InlineData("""{"name":"median","weights":"uniform"}""", "unknown field 'weights'")]
    [InlineData("""{"name":"trimmed-mean","trim":0}""", "'trim' should be an integer from 1 to 32767; got 0")]
    [InlineData("""{"faulty":0,"name":"multi-krum","selected":1}""", "'faulty' should be an integer from 1 to 32766; got 0")]
    [InlineData("""{"faulty":1,"name":"multi-krum","selected":0}""", "'selected' should be an integer from 1 to 65536; got 0")]
    [InlineData("""{"name":"bucketed-median","size":1}""", "'size' should be an integer from 2 to 32767; got 1")]
    [InlineData("""{"beta":0,"name":"momentum","of":{"name":"median"}}""", "'beta' should be an integer from 1 to 990; got 0")]
    [InlineData("""{"beta":991,"name":"momentum","of":{"name":"median"}}""", "'beta' should be an integer from 1 to 990; got 991")]
    [InlineData("""{"beta":5,"name":"momentum","of":{"beta":5,"name":"momentum","of":{"name":"median"}}}""", "'of' should be another rule than momentum")]
    [InlineData("""{"beta":5,"name":"momentum"}""", "lacks the field 'of'")]
    public void A_wrong_rule_is_refused_by_field(string rule, string message)
    {
        var text = Policy.ToString().Replace("""{"name":"mean","weights":"uniform"}""", rule, StringComparison.Ordinal);
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => Policy.Parse(Encoding.UTF8.GetBytes(text))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Only_means_by_samples_weigh_updates_by_what_they_claim()
    {
        var losses = new UpdateLosses(new(3), new(2), new(1));
        var update = new UpdateMetadata(1, Address.Zero, new RoundId(1), new MemberId(1), default, default, default, 240, losses);
        Assert.Equal(240, (Policy with { Rule = new AggregationRule.Mean(Weighting.Samples) }).WeightOf(update));
        Assert.Equal(240, (Policy with { Rule = new AggregationRule.FairMean(Weighting.Samples, Fairness.Gain, 1) }).WeightOf(update));
        Assert.Equal(240, (Policy with { Rule = new AggregationRule.Momentum(5, new AggregationRule.Mean(Weighting.Samples)) }).WeightOf(update));
        Assert.All(
            new AggregationRule[] { new AggregationRule.Mean(Weighting.Uniform), new AggregationRule.FairMean(Weighting.Uniform, Fairness.Gain, 1), new AggregationRule.Median() },
            rule => Assert.Equal(1, (Policy with { Rule = rule }).WeightOf(update)));
    }
}

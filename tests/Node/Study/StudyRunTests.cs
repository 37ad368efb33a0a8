using FedChain.Learning;
using FedChain.Learning.Data;
using FedChain.Learning.Models;
using FedChain.Node.Models;
using FedChain.Node.Study;
using FedChain.Protocol;
using FedChain.Protocol.Files;

namespace FedChain.Node.Tests.Study;

public sealed class StudyRunTests
{
    private static readonly StudyData Data = new("model", new Hash256(new byte[32]), [new PreparedData("a", [], [], [], 0), new PreparedData("b", [], [], [], 0)]);
    private static readonly AdapterConfig Config = new(8, 16, ["q_proj"]);

    /// <summary>Results of long studies are kept under these names: with another one they would be trained anew.</summary>
    [Theory]
    [InlineData("alone", "6b8f5526303a1ab2")]
    [InlineData("centralised:rate=0.02", "85c957809272be4e")]
    [InlineData("fair-gain:bits=8", "739174169942a3fa")]
    [InlineData("alternating:remember=1:rounds=5", "8fc3f52ccc320d2a")]
    [InlineData("personal", "f5109772c667555b")]
    public void A_run_keeps_its_fingerprint_from_version_to_version(string method, string expected) =>
        Assert.Equal(expected, FingerprintOf(new StudyRun(StudyPlan.Chosen([method])[0], 1)));

    [Fact]
    public void So_does_one_with_dishonest_members() =>
        Assert.Equal("114c58fa74e58a6a", FingerprintOf(new StudyRun(StudyPlan.Chosen(["fedit"])[0], 2) { Attack = new(AttackKind.Scale, 1) }));

    [Fact]
    public void Weights_that_are_held_otherwise_have_fingerprints_of_their_own()
    {
        var run = new StudyRun(StudyPlan.Chosen(["alone"])[0], 1);
        Assert.Equal(FingerprintOf(run), FingerprintOf(run, Held(null)));
        Assert.Equal(FingerprintOf(run), FingerprintOf(run, Held(WeightType.Float32)));
        Assert.Equal(3, new[] { WeightType.Float32, WeightType.BFloat16, WeightType.Int8 }.Select(w => FingerprintOf(run, Held(w))).Distinct().Count());

        static string? Held(WeightType? weights) => new ModelPlacement(ComputeDevice.Cpu, weights, Threads: 1).Unusual;
    }

    [Theory]
    [InlineData("alone")]
    [InlineData("centralised")]
    [InlineData("fedit")]
    public void A_rank_of_its_own_keeps_alpha_a_rank_and_is_another_run(string name)
    {
        var method = StudyPlan.Chosen([$"{name}:rank=16"])[0];
        Assert.Equal(new AdapterConfig(16, 32, ["q_proj"]), method.Adapted(Config));
        Assert.Same(Config, StudyPlan.Chosen([name])[0].Adapted(Config));
        Assert.NotEqual(FingerprintOf(new StudyRun(method with { Rank = null }, 1)), FingerprintOf(new StudyRun(method, 1))); // not by the name alone
    }

    private static string FingerprintOf(StudyRun run, string? held = null) => run.Fingerprint(Data, Config, new StudyBudget(), held);
}

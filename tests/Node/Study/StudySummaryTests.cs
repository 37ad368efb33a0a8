using FedChain.Node.Study;
using TestResult = FedChain.Node.Study.TestResult;

namespace FedChain.Node.Tests.Study;

public sealed class StudySummaryTests
{
    private static readonly double Bit = Math.Log(2);

    [Fact]
    public void Gains_are_bits_per_byte_saved_and_the_weakest_is_named()
    {
        var summary = StudySummary.Of(Baseline, [Shared("fedit", 1, a: 30, b: 35)], personal: true);

        Assert.Equal(new Spread((1 + 0.5) / 2, 0), summary.Own); // 40 -> 30 and 40 -> 35 bits over 10 bytes
        Assert.Equal(new Spread(0.5, 0), summary.Weakest);
        Assert.Equal("b", summary.WeakestInstitution);
        Assert.Equal(2 / ((1 / 1.0) + (1 / 0.5)), summary.Harmonic!.Value, 12);
        Assert.Equal(summary.Own, summary.Others); // one model for all: it is "another's" for everybody
        Assert.Null(summary.WorstRise);
    }

    [Fact]
    public void What_institutions_made_alone_is_measured_on_the_others_tests_too()
    {
        var alone = Run("alone", 1, ("a", "a", 20), ("a", "b", 44), ("b", "a", 36), ("b", "b", 30));
        var summary = StudySummary.Of(Baseline, [alone], personal: true);

        Assert.Equal((2 + 1) / 2.0, summary.Own.Mean, 12);
        Assert.Equal((-0.4 + 0.4) / 2, summary.Others!.Value.Mean, 12);
        Assert.Equal(-0.4, summary.Matrix["a"]["b"], 12);
    }

    [Fact]
    public void A_method_with_personal_models_is_looked_at_both_ways()
    {
        var run = Run("personal", 1, ("global", "a", 32), ("global", "b", 32), ("a", "a", 20), ("b", "b", 24));

        Assert.Equal(0.8, StudySummary.Of(Baseline, [run], personal: false).Own.Mean, 12);
        var own = StudySummary.Of(Baseline, [run], personal: true);
        Assert.Equal(1.8, own.Own.Mean, 12);
        Assert.Null(own.Others); // nobody else sees them
    }

    [Fact]
    public void Seeds_are_averaged_and_their_spread_is_told()
    {
        var summary = StudySummary.Of(Baseline, [Shared("fedit", 1, 30, 30), Shared("fedit", 2, 28, 28)], personal: true);

        Assert.Equal(1.1, summary.Own.Mean, 12);
        Assert.Equal(Math.Sqrt(2) * 0.1, summary.Own.Deviation, 12);
    }

    [Fact]
    public void A_harmonic_mean_needs_gains_and_a_rise_is_the_worst_of_all_rounds()
    {
        var run = Shared("fedit", 1, a: 50, b: 30) with
        {
            Rounds = [.. new[] { 4.0, 3.0, 3.3, 3.2 }.Select((loss, i) => new RoundResult(i + 1, new Dictionary<string, double> { ["a"] = loss, ["b"] = loss }, []))],
        };
        var summary = StudySummary.Of(Baseline, [run], personal: true);

        Assert.Null(summary.Harmonic);
        Assert.Equal(0.1, summary.WorstRise!.Value, 12);
    }

    [Fact]
    public void A_difference_holds_on_every_resample_if_every_record_agrees_and_on_few_if_one_decides()
    {
        var better = Records("x", [10, 20, 30]);
        var same = PairedBootstrap.Compare([better], true, [better], true);
        Assert.Equal(new Comparison(0, 0, 0), same);

        var all = PairedBootstrap.Compare([better], true, [Records("y", [11, 21, 31])], true);
        Assert.Equal(0.1, all.Difference, 12); // a bit per ten bytes
        Assert.Equal(all.Difference, all.Low, 12);
        Assert.Equal(all.Difference, all.High, 12);

        var one = PairedBootstrap.Compare([better], true, [Records("y", [10, 20, 40])], true);
        Assert.Equal(10 / 30.0, one.Difference, 12);
        Assert.Equal(0, one.Low); // many resamples lack that record
        Assert.True(one.High > one.Difference);
    }

    private static RunResult Baseline => Shared("base", 1, 40, 40);

    private static RunResult Shared(string name, ulong seed, double a, double b) => Run(name, seed, ("global", "a", a), ("global", "b", b));

    /// <summary>Two institutions with one test record of ten bytes each; losses in bits.</summary>
    private static RunResult Run(string name, ulong seed, params (string Model, string Institution, double Bits)[] tests) => new()
    {
        Fingerprint = name,
        Name = name,
        LearningRate = 1,
        Seed = seed,
        Seconds = 0,
        Participants = ["a", "b"],
        Validation = new Dictionary<string, double>(),
        Tests = [.. tests.Select(t => new TestResult(t.Model, t.Institution, [t.Bits * Bit], [10]))],
    };

    private static RunResult Records(string name, double[] bits) => Run(name, 1) with
    {
        Participants = ["a"],
        Tests = [new TestResult("global", "a", [.. bits.Select(b => b * Bit)], [10, 10, 10])],
    };
}

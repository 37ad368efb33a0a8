using FedChain.Protocol.Files;

namespace FedChain.Protocol.Manifests;

/// <summary>What an update weighs in a mean.</summary>
public enum Weighting
{
    /// <summary>1, whoever it is from.</summary>
    Uniform,

    /// <summary>The number of samples that the update claims; more than the policy's cap makes it invalid.</summary>
    Samples,
}

/// <summary>By which of its losses an update's weight is raised or lowered.</summary>
public enum Fairness
{
    /// <summary>By how little the member has gained so far: who has less than the median weighs more.</summary>
    Gain,

    /// <summary>
    /// By how high the member's loss is, as q-FedAvg weights its clients (Li et al. 2020), without that method's step length. It favours whoever's
    /// task has most entropy rather than who is served worst; it is there to be compared with.
    /// </summary>
    Loss,
}

/// <summary>
/// How a policy makes one adapter of many updates. Every rule is deterministic over integers: order, threads and processors change no bit of it.
/// Formulas: docs/protocol.md, "Aggregation".
/// </summary>
public abstract record AggregationRule
{
    /// <summary>The largest norm that an update can have or be clipped to: 2^39 > (2^24 - 2) sqrt(2^29).</summary>
    public const long MaxNorm = 1L << 39;

    /// <summary>The powers that losses and gains are raised to are 1 and this.</summary>
    public const int MaxPower = 2;

    /// <summary>What <see cref="Momentum.Beta"/> counts: thousandths.</summary>
    public const int MomentumUnit = 1000;

    /// <summary>The most that <see cref="Momentum.Beta"/> can be.</summary>
    public const int MaxBeta = 990;

    private const int MaxUpdates = 1 << 16;
    private const string What = "policy's rule";

    private static readonly string[] Names =
        ["mean", "fair-mean", "clipped-mean", "median", "trimmed-mean", "multi-krum", "bucketed-median", "momentum"];

    private AggregationRule()
    {
    }

    /// <summary>The rule that makes a step of the updates, under <see cref="Momentum"/> the one that it is applied to.</summary>
    public AggregationRule Combining => this is Momentum(_, var of) ? of : this;

    /// <summary>Fewer included updates than these don't make an aggregate, whatever the policy's minimum: the round ends as with fewer than that.</summary>
    public int MinimumUpdates => Combining switch
    {
        TrimmedMean(var trim) => (2 * trim) + 1,
        MultiKrum(var faulty, _) => (2 * faulty) + 3,
        BucketedMedian(var size) => (2 * size) + 1,
        _ => 1,
    };

    /// <summary>(sum of w d) / (sum of w).</summary>
    public sealed record Mean(Weighting Weights) : AggregationRule;

    /// <summary>The mean with each weight brought to between 1 and three times itself by the members' losses.</summary>
    /// <param name="Weights">w, before that.</param>
    /// <param name="By">What is compared with the median member's.</param>
    /// <param name="Power">q, 1 or 2.</param>
    public sealed record FairMean(Weighting Weights, Fairness By, int Power) : AggregationRule;

    /// <summary>The uniform mean of updates scaled down to a norm that they may not exceed.</summary>
    /// <param name="Norm">Euclidean, in steps of the adapter's grid, 1 to <see cref="MaxNorm"/>; null for the lower median of the included updates' norms.</param>
    public sealed record ClippedMean(long? Norm) : AggregationRule;

    /// <summary>The middle value of each coordinate; the mean of the middle two where their number is even.</summary>
    public sealed record Median : AggregationRule;

    /// <summary>The mean of each coordinate without its largest and its smallest values.</summary>
    /// <param name="Trim">How many of either, from 1.</param>
    public sealed record TrimmedMean(int Trim) : AggregationRule;

    /// <summary>The mean of the updates that lie closest to their neighbours (Blanchard et al. 2017).</summary>
    /// <param name="Faulty">f, how many members are withstood, from 1; with n updates, n >= 2f + 3.</param>
    /// <param name="Selected">m, how many updates enter, from 1; at most n - f - 2 do, whatever it says.</param>
    public sealed record MultiKrum(int Faulty, int Selected) : AggregationRule;

    /// <summary>The coordinate median over the means of buckets into which the updates are drawn by lot (Karimireddy et al. 2022).</summary>
    /// <param name="Size">Updates in a bucket, from 2; the last one has fewer where the division leaves a rest.</param>
    public sealed record BucketedMedian(int Size) : AggregationRule;

    /// <summary>
    /// Server momentum, the heavy ball of FedAvgM (Hsu et al. 2019): velocity' = beta velocity + step, and the adapter moves by velocity'. Every member
    /// recomputes the velocity, and the global manifest names it.
    /// </summary>
    /// <param name="Beta">In thousandths, 1 to 990.</param>
    /// <param name="Of">The rule that makes the step; not again momentum.</param>
    public sealed record Momentum(int Beta, AggregationRule Of) : AggregationRule;

    /// <summary>Its canonical JSON. (A record's own text would go through <see cref="Combining"/> without end.)</summary>
    public sealed override string ToString() => System.Text.Encoding.UTF8.GetString(CanonicalJson.Serialize(ToJson()));

    internal JsonValue ToJson() => this switch
    {
        Mean(var weights) => JsonValue.Of(("name", "mean"), ("weights", Text(weights))),
        FairMean(var weights, var by, var power) => JsonValue.Of(
            ("by", by == Fairness.Gain ? "gain" : "loss"), ("name", "fair-mean"), ("power", power), ("weights", Text(weights))),
        ClippedMean(var norm) => JsonValue.Of(("name", "clipped-mean"), ("norm", norm is { } some ? some : "median")),
        Median => JsonValue.Of(("name", "median")),
        TrimmedMean(var trim) => JsonValue.Of(("name", "trimmed-mean"), ("trim", trim)),
        MultiKrum(var faulty, var selected) => JsonValue.Of(("faulty", faulty), ("name", "multi-krum"), ("selected", selected)),
        BucketedMedian(var size) => JsonValue.Of(("name", "bucketed-median"), ("size", size)),
        Momentum(var beta, var of) => JsonValue.Of(("beta", beta), ("name", "momentum"), ("of", of.ToJson())),
        _ => throw new InvalidOperationException("A rule is one of the rules above."),
    };

    /// <summary>The rule that a policy's JSON describes.</summary>
    /// <exception cref="InvalidDataException">A rule or parameter that this version does not know, by name.</exception>
    public static AggregationRule Parse(JsonValue json)
    {
        var fields = new JsonFields(json, What);
        AggregationRule rule = fields.Text("name", 64) switch
        {
            "mean" => new Mean(WeightsOf(fields)),
            "fair-mean" => new FairMean(
                WeightsOf(fields),
                fields.Text("by", 64) switch { "gain" => Fairness.Gain, "loss" => Fairness.Loss, _ => throw fields.Wrong("by", "\"gain\" or \"loss\"") },
                (int)fields.Integer("power", 1, MaxPower)),
            "clipped-mean" => new ClippedMean(fields.Value("norm") switch
            {
                JsonValue.Text("median") => null,
                JsonValue.Integer(>= 1 and <= MaxNorm and var norm) => norm,
                _ => throw fields.Wrong("norm", $"an integer from 1 to {MaxNorm} or \"median\""),
            }),
            "median" => new Median(),
            "trimmed-mean" => new TrimmedMean((int)fields.Integer("trim", 1, (MaxUpdates - 1) / 2)),
            "multi-krum" => new MultiKrum((int)fields.Integer("faulty", 1, (MaxUpdates - 3) / 2), (int)fields.Integer("selected", 1, MaxUpdates)),
            "bucketed-median" => new BucketedMedian((int)fields.Integer("size", 2, (MaxUpdates - 1) / 2)),
            "momentum" when Parse(fields.Value("of")) is var of => of is Momentum
                ? throw fields.Wrong("of", "another rule than momentum")
                : new Momentum((int)fields.Integer("beta", 1, MaxBeta), of),
            _ => throw fields.Wrong("name", $"a rule that this version knows ({string.Join(", ", Names.Select(n => $"\"{n}\""))})"),
        };
        fields.Done();
        return rule;
    }

    private static Weighting WeightsOf(JsonFields fields) => fields.Text("weights", 64) switch
    {
        "uniform" => Weighting.Uniform,
        "samples" => Weighting.Samples,
        _ => throw fields.Wrong("weights", "\"uniform\" or \"samples\""),
    };

    private static string Text(Weighting weights) => weights == Weighting.Uniform ? "uniform" : "samples";
}

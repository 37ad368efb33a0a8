using System.Globalization;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;

namespace FedChain.Node.Study;

/// <summary>The methods that a study knows by name, with the learning rates from which a tuning begins.</summary>
internal static class StudyPlan
{
    /// <summary>What others are compared with.</summary>
    public const string Reference = "fedit";

    /// <summary>All methods, in the order of a report.</summary>
    public static IReadOnlyList<StudyMethod> Methods { get; } =
    [
        new StudyMethod.Alone(1e-2),
        new StudyMethod.Centralised(1e-2),
        new StudyMethod.Federated("fedit", 2e-2),
        new StudyMethod.Federated("fedit-samples", 1e-2) { Rule = new AggregationRule.Mean(Weighting.Samples), WeightCap = Policy.MaxWeight },
        new StudyMethod.Federated("alternating", 2e-2) { Schedule = Policy.Alternating },
        new StudyMethod.Federated("ffa", 2e-2) { Schedule = [Factors.B] },
        new StudyMethod.Federated("fedex", 1e-2) { TakesUpResidual = true },
        new StudyMethod.Federated("fedprox", 1e-2) { Proximal = 0.1 },
        new StudyMethod.Federated("fair-gain", 2e-2) { Rule = new AggregationRule.FairMean(Weighting.Uniform, Fairness.Gain, 1), RemembersOptimiser = true },
        new StudyMethod.Federated("fair-loss", 1e-2) { Rule = new AggregationRule.FairMean(Weighting.Uniform, Fairness.Loss, 2) },
        new StudyMethod.Federated("clipped", 1e-2) { Rule = new AggregationRule.ClippedMean(null) },
        new StudyMethod.Federated("median", 1e-2) { Rule = new AggregationRule.Median() },
        new StudyMethod.Federated("trimmed", 1e-2) { Rule = new AggregationRule.TrimmedMean(2) },
        new StudyMethod.Federated("krum", 1e-2) { Rule = new AggregationRule.MultiKrum(2, 4) },
        new StudyMethod.Federated("bucketed", 1e-2) { Rule = new AggregationRule.BucketedMedian(2) },
        new StudyMethod.Federated("momentum", 1e-2) { Rule = new AggregationRule.Momentum(500, new AggregationRule.Mean(Weighting.Uniform)) },
        new StudyMethod.Federated("int16", 1e-2) { Encoding = UpdateEncoding.Int16 },
        new StudyMethod.Federated("int8", 1e-2) { Encoding = UpdateEncoding.Int8 },
        new StudyMethod.Federated("finetuned", 1e-2) { Rule = new AggregationRule.FairMean(Weighting.Uniform, Fairness.Gain, 1), RemembersOptimiser = true, PersonalShare = 0.6, KeepsCurve = true },
        new StudyMethod.Federated("personal", 1e-2) { Rule = new AggregationRule.FairMean(Weighting.Uniform, Fairness.Gain, 1), RemembersOptimiser = true, HasOwnBeside = true, PersonalShare = 0.6, KeepsCurve = true },
    ];

    /// <summary>What is compared if nothing else is asked for.</summary>
    public static IReadOnlyList<string> Headline { get; } = ["alone", "centralised", "fedit", "fair-gain", "finetuned", "personal"];

    /// <exception cref="UserErrorException">No method of that name.</exception>
    public static IReadOnlyList<StudyMethod> Chosen(IReadOnlyList<string> names) => names is ["all"] ? Methods : [.. (names.Count == 0 ? Headline : names).Distinct(StringComparer.Ordinal).Select(Method)];

    /// <summary>A method by its name, or a variant of it: <c>fedit:rate=0.02:rounds=5</c>. The whole text is the variant's name in the report.</summary>
    private static StudyMethod Method(string text)
    {
        var parts = text.Split(':');
        var method = Methods.FirstOrDefault(m => m.Name == parts[0])
            ?? throw new UserErrorException($"There is no method '{parts[0]}'. There are: {string.Join(", ", Methods.Select(m => m.Name))}.");
        foreach (var change in parts.Skip(1).OrderBy(change => change.StartsWith("rate=", StringComparison.Ordinal))) // which rate it is depends on the rest
        {
            method = Changed(method, change);
        }

        return method with { Name = text };
    }

    private static StudyMethod Changed(StudyMethod method, string change)
    {
        var pair = change.Split('=');
        if (pair.Length == 2 && double.TryParse(pair[1], NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value))
        {
            switch (pair[0], method)
            {
                case ("rate", _) when value > 0:
                    return method.WithRate(value);
                case ("rank", _) when value is >= 1 and <= AdapterConfig.MaxRank && value == Math.Floor(value):
                    return method with { Rank = (int)value };
                case ("shared-rate", StudyMethod.Federated or StudyMethod.Centralised) when value > 0:
                    return method with { LearningRate = value };
                case ("share", StudyMethod.Federated or StudyMethod.Centralised) when value is >= 0 and < 1:
                    return method with { PersonalShare = value };
                case ("keep-curve", StudyMethod.Federated or StudyMethod.Centralised) when value is 0 or 1:
                    return method with { KeepsCurve = value == 1 };
                case ("curves", StudyMethod.Federated f) when value is 0 or 1:
                    return f with { CurvesEachRound = value == 1 };
                case ("rounds", StudyMethod.Federated f) when value >= 1 && value == Math.Floor(value):
                    return f with { Rounds = (int)value };
                case ("power", StudyMethod.Federated { Rule: AggregationRule.FairMean fair } f) when value is 1 or 2:
                    return f with { Rule = fair with { Power = (int)value } };
                case ("alternate", StudyMethod.Federated f) when value is 0 or 1:
                    return f with { Schedule = value == 1 ? Policy.Alternating : [Factors.Both] };
                case ("bits", StudyMethod.Federated f) when value is 8 or 16 or 32:
                    return f with { Encoding = value == 8 ? UpdateEncoding.Int8 : value == 16 ? UpdateEncoding.Int16 : UpdateEncoding.Int32 };
                case ("beside", StudyMethod.Federated f) when value is 0 or 1:
                    return f with { HasOwnBeside = value == 1 };
                case ("from", StudyMethod.Federated f) when value is >= 0 and < 1:
                    return f with { OwnFrom = value };
                case ("proximal", StudyMethod.Federated f) when value >= 0:
                    return f with { Proximal = value };
                case ("momentum", StudyMethod.Federated f) when value is >= 1 and <= AggregationRule.MaxBeta && value == Math.Floor(value):
                    return f with { Rule = new AggregationRule.Momentum((int)value, f.Rule.Combining) };
                case ("remember", StudyMethod.Federated f) when value is 0 or 1:
                    return f with { RemembersOptimiser = value == 1 };
            }
        }

        throw new UserErrorException(
            $"'{change}' changes nothing about the method '{method.Name}'. A variant is name:key=value; rate is any method's learning rate, and rank (1 to {AdapterConfig.MaxRank}) its adapter's, with alpha / rank as it is; share (0 to below 1), shared-rate and keep-curve (0 or 1) are a federation's or the pooled records'; alternate (0 or 1), bits (8, 16 or 32), beside (0 or 1), from (0 to below 1), rounds, curves (0 or 1), proximal, remember (0 or 1) and momentum (1 to {AggregationRule.MaxBeta} thousandths) a federation's; power (1 or 2) a fair mean's.");
    }
}

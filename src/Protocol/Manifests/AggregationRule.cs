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

/// <summary>How a policy makes one adapter of many updates. Every rule is deterministic over integers.</summary>
public abstract record AggregationRule
{
    private const string What = "policy's rule";

    private AggregationRule()
    {
    }

    /// <summary>base + (sum of w d) / (sum of w), rounded half to even.</summary>
    public sealed record Mean(Weighting Weights) : AggregationRule;

    internal JsonValue ToJson() => this switch
    {
        Mean(var weights) => JsonValue.Of(("name", "mean"), ("weights", weights == Weighting.Uniform ? "uniform" : "samples")),
        _ => throw new InvalidOperationException("A rule is one of the rules above."),
    };

    /// <exception cref="InvalidDataException">A rule or parameter that this version does not know, by name.</exception>
    internal static AggregationRule Parse(JsonValue json)
    {
        var fields = new JsonFields(json, What);
        AggregationRule rule = fields.Text("name", 64) switch
        {
            "mean" => new Mean(fields.Text("weights", 64) switch
            {
                "uniform" => Weighting.Uniform,
                "samples" => Weighting.Samples,
                _ => throw fields.Wrong("weights", "\"uniform\" or \"samples\""),
            }),
            _ => throw fields.Wrong("name", "a rule that this version knows (\"mean\")"),
        };
        fields.Done();
        return rule;
    }
}

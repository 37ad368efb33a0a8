using System.Text.Json.Serialization;
using FedChain.Learning.Evaluation;

namespace FedChain.Node.Study;

/// <summary>A model on an institution's test records.</summary>
/// <param name="Model">"global", or the institution whose own model it is.</param>
/// <param name="Institution">Whose test it is.</param>
/// <param name="Nats">Summed loss of each record's response.</param>
/// <param name="Bytes">UTF-8 bytes of each record's response.</param>
public sealed record TestResult(string Model, string Institution, double[] Nats, int[] Bytes)
{
    /// <summary>The model that members train together.</summary>
    public const string Global = "global";

    /// <summary>Bits per byte over all records.</summary>
    [JsonIgnore]
    public double BitsPerByte => Nats.Sum() / Math.Log(2) / Bytes.Sum(b => (long)b);

    public static TestResult From(string model, string institution, IEnumerable<EvaluationResult> records)
    {
        var list = records.ToList();
        return new(model, institution, [.. list.Select(r => Math.Round(r.SummedNats, 4))], [.. list.Select(r => (int)r.ResponseBytes)]);
    }
}

/// <param name="Round">From 1.</param>
/// <param name="Validation">Bits per byte of the round's result on each participant's validation records, by name.</param>
/// <param name="Lost">Contributions that did not enter the aggregate, with the reason; at the end, if that is so, that there is no aggregate.</param>
public sealed record RoundResult(int Round, IReadOnlyDictionary<string, double> Validation, IReadOnlyList<string> Lost)
{
    /// <summary>What the entry of <see cref="Lost"/> ends with that tells of no contribution, but of the round.</summary>
    internal const string NoAggregate = "no aggregate.";

    /// <summary>Whether updates made a new global adapter.</summary>
    [JsonIgnore]
    public bool HasAggregate => !Lost.Any(IsAboutRound);

    /// <summary>Those of <see cref="Lost"/> that are contributions.</summary>
    [JsonIgnore]
    public IEnumerable<string> LostContributions => Lost.Where(l => !IsAboutRound(l));

    private static bool IsAboutRound(string lost) => lost.EndsWith(NoAggregate, StringComparison.Ordinal);
}

/// <summary>What came of one run: enough to compute every figure of a report again.</summary>
public sealed record RunResult
{
    public int V { get; init; } = 1;

    public required string Fingerprint { get; init; }

    public required string Name { get; init; }

    public required double LearningRate { get; init; }

    public required ulong Seed { get; init; }

    public required double Seconds { get; init; }

    /// <summary>Bytes of updates that one member sent, before encryption.</summary>
    public long BytesPerMember { get; init; }

    /// <summary>Institutions that took part, honest ones only.</summary>
    public required IReadOnlyList<string> Participants { get; init; }

    public IReadOnlyList<RoundResult> Rounds { get; init; } = [];

    /// <summary>Bits per byte of each participant's final model on its own validation records, by name: what methods are tuned by.</summary>
    public required IReadOnlyDictionary<string, double> Validation { get; init; }

    public required IReadOnlyList<TestResult> Tests { get; init; }

    /// <summary>Why there is no result, such as a loss that is no number; null if there is one.</summary>
    public string? Failure { get; init; }

    /// <summary>Why the run says nothing about its method: the failure, or that no round made an aggregate; null if it does.</summary>
    [JsonIgnore]
    public string? NoFigures => Failure ?? (Rounds.Count > 0 && Rounds.All(r => !r.HasAggregate) ? $"no round made an aggregate; the first: {Rounds[0].Lost[0]}" : null);

    /// <summary>The result of a model on an institution's test.</summary>
    public TestResult Test(string model, string institution) =>
        Tests.SingleOrDefault(t => t.Model == model && t.Institution == institution)
        ?? throw new InvalidOperationException($"{Name} has no model '{model}' tested on {institution}.");
}

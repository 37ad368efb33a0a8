using System.Text.Json;
using System.Text.Json.Serialization;
using FedChain.Node.Audit;

namespace FedChain.Node.Demo;

/// <summary>What <c>demo --report FILE</c> writes. Losses are nats per token, bits per byte where a name says so; times are seconds; gas is in units.</summary>
public sealed record DemoReport
{
    public int V { get; init; } = 1;

    public required string Data { get; init; }

    /// <summary>True if the records are the demo's own generated text.</summary>
    public required bool GeneratedData { get; init; }

    public required string Model { get; init; }

    /// <summary>Digest of the base model's files.</summary>
    public required string BaseModel { get; init; }

    public required ulong Seed { get; init; }

    public required ulong ChainId { get; init; }

    /// <summary>Address of the Membership contract.</summary>
    public required string Federation { get; init; }

    public required IReadOnlyList<MemberReport> Members { get; init; }

    public required IReadOnlyList<RoundReport> Rounds { get; init; }

    /// <summary>What the members decided by vote, in order.</summary>
    public required IReadOnlyList<DecisionReport> Decisions { get; init; }

    public EvaluationReport? Evaluation { get; init; }

    public required VerificationReport Verification { get; init; }

    public required IReadOnlyDictionary<string, double> Seconds { get; init; }

    internal static JsonSerializerOptions Json { get; } = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    public void Write(string path) => File.WriteAllText(path, JsonSerializer.Serialize(this, Json) + "\n");
}

/// <param name="Founder">False for the one that was admitted by vote.</param>
public sealed record MemberReport(uint Id, bool Founder, string Name, string Home, string Holder, string Operator, string Endpoint, int TrainRecords, int TestRecords, int CutRecords);

public sealed record RoundReport
{
    public required ulong Round { get; init; }

    /// <summary>"finalised" or "aborted".</summary>
    public required string Outcome { get; init; }

    /// <summary>SHA-256 of the adapter that the round started from.</summary>
    public required string Base { get; init; }

    /// <summary>SHA-256 of the new global adapter; null if aborted.</summary>
    public string? Aggregate { get; init; }

    /// <summary>CID of the global manifest.</summary>
    public string? Manifest { get; init; }

    public required string Beacon { get; init; }

    /// <summary>Member ids in the order in which they may aggregate.</summary>
    public required IReadOnlyList<uint> Turns { get; init; }

    public required IReadOnlyList<SubmissionReport> Submissions { get; init; }

    public required IReadOnlyList<AttestationReport> Attestations { get; init; }

    /// <summary>Gas of each transaction: open, submit, publish, attest.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyList<ulong>> Gas { get; init; }

    /// <summary>
    /// total: from the end of the round before, as the members saw it, to this one's; training: until the last update was trained; protocol: the rest.
    /// Of that, aggregation: from the last submission to the publication; attestation: from there to the end.
    /// </summary>
    public required IReadOnlyDictionary<string, double> Seconds { get; init; }
}

public sealed record SubmissionReport(uint Member, string Manifest, string Payload, long Bytes, double BaseModelLoss, double RoundBaseLoss, double ResultLoss);

public sealed record AttestationReport(int Turn, uint Member, bool Valid);

/// <summary>Test loss in bits per byte of the responses.</summary>
public sealed record EvaluationReport
{
    public required IReadOnlyList<InstitutionEvaluation> Institutions { get; init; }

    /// <summary>The institution that gains least from the federated adapter on its own test.</summary>
    public required string Weakest { get; init; }
}

/// <param name="Own">On the institution's own test.</param>
/// <param name="Others">Mean over the other institutions' tests.</param>
public sealed record InstitutionEvaluation(string Name, BeforeAndAfter Own, BeforeAndAfter Others);

/// <param name="Base">The untouched base model.</param>
/// <param name="Local">After training alone with the same budget.</param>
/// <param name="Federated">With the global adapter.</param>
public sealed record BeforeAndAfter(double Base, double Local, double Federated)
{
    public double LocalGain => Base - Local;

    public double FederatedGain => Base - Federated;
}

/// <summary>The same history, verified with nothing but the chain, with a member's keys, and with an auditor's.</summary>
public sealed record VerificationReport(AuditReport Outsider, AuditReport Member, AuditReport Auditor)
{
    /// <summary>The worst of the three.</summary>
    [JsonIgnore]
    public int ExitCode => new[] { Outsider.ExitCode, Member.ExitCode, Auditor.ExitCode } is var codes && codes.Contains(ExitCodes.Failed) ? ExitCodes.Failed : codes.Max();
}

/// <summary>A decision by vote, executed.</summary>
/// <param name="Gas">Of each transaction: propose, vote, queue, execute.</param>
public sealed record DecisionReport(string Proposal, string Description, uint Proposer, int For, int Voters, IReadOnlyDictionary<string, IReadOnlyList<ulong>> Gas);

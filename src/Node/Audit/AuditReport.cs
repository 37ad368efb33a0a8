using System.Text.Json.Serialization;

namespace FedChain.Node.Audit;

public enum CheckResult
{
    Held,
    Failed,

    /// <summary>It could not be checked, for instance because nobody serves the content any more.</summary>
    Unavailable,
}

/// <summary>One thing that was checked.</summary>
/// <param name="Name">What kind of check, in kebab case, the same in every run.</param>
/// <param name="Round">The round that it is about; 0 if about the federation.</param>
/// <param name="Detail">What was compared, with the values.</param>
public sealed record AuditCheck(string Name, ulong Round, CheckResult Result, string Detail);

/// <summary>A whole audit. <see cref="Ok"/> says that nothing failed and nothing was unavailable.</summary>
/// <param name="Key">With whose key sealed files were opened: "member 3", or "auditor 0x…"; null if only what is public was checked.</param>
/// <param name="FromRound">The first round that was checked; earlier ones were only followed, to know what this one starts from.</param>
public sealed record AuditReport(
    ulong ChainId, string Federation, ulong HeadBlock, string HeadHash, string? Key, ulong FromRound, IReadOnlyList<AuditCheck> Checks)
{
    public bool Ok => Checks.All(c => c.Result == CheckResult.Held);

    public int Held => Count(CheckResult.Held);

    public int Failed => Count(CheckResult.Failed);

    public int Unavailable => Count(CheckResult.Unavailable);

    [JsonIgnore]
    public int ExitCode => Failed > 0 ? ExitCodes.Failed : Unavailable > 0 ? ExitCodes.Unavailable : ExitCodes.Done;

    private int Count(CheckResult result) => Checks.Count(c => c.Result == result);
}

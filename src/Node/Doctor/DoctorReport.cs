using System.Text.Json.Serialization;

namespace FedChain.Node.Doctor;

public enum DoctorResult
{
    Ok,

    /// <summary>It works now, but somebody should look.</summary>
    Warning,

    /// <summary>The peer can't do its part like this.</summary>
    Problem,

    /// <summary>It could not be looked at, for instance without a passphrase.</summary>
    NotChecked,
}

/// <summary>One thing that the doctor looked at.</summary>
/// <param name="Name">What it is, in kebab case, the same in every run.</param>
/// <param name="Detail">What was found, with the values.</param>
/// <param name="Advice">What to do; null if nothing.</param>
public sealed record DoctorCheck(string Name, DoctorResult Result, string Detail, string? Advice);

/// <summary>A whole examination of a home. <see cref="Ok"/> says that no problem was found.</summary>
public sealed record DoctorReport(string Home, IReadOnlyList<DoctorCheck> Checks)
{
    public bool Ok => Problems == 0;

    public int Problems => Count(DoctorResult.Problem);

    public int Warnings => Count(DoctorResult.Warning);

    public int NotChecked => Count(DoctorResult.NotChecked);

    [JsonIgnore]
    public int ExitCode => Ok ? ExitCodes.Done : ExitCodes.Failed;

    private int Count(DoctorResult result) => Checks.Count(c => c.Result == result);
}

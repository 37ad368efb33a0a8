namespace FedChain.Node.Study;

/// <summary>A run without figures, or one that lost contributions on the way.</summary>
/// <param name="Run">For people: method, seed, and what is special.</param>
/// <param name="Method">The method's name.</param>
/// <param name="Seed">The run's.</param>
/// <param name="Reason">Why there are no figures; null if there are.</param>
/// <param name="Lost">Contributions that diverged or were refused, of all rounds.</param>
/// <param name="EmptyRounds">Rounds that made no aggregate: the adapter stayed what it was.</param>
/// <param name="FirstLost">The first lost contribution: whose, and why; null if there is none.</param>
public sealed record RunTrouble(string Run, string Method, ulong Seed, string? Reason, int Lost, int EmptyRounds, string? FirstLost)
{
    /// <summary>What went wrong in a run; null if nothing did.</summary>
    public static RunTrouble? Of(StudyRun run, RunResult result)
    {
        var lost = result.Rounds.SelectMany(r => r.LostContributions).ToList();
        var empty = result.Rounds.Count(r => !r.HasAggregate);
        return result.NoFigures is null && lost.Count == 0 && empty == 0 ? null
            : new(run.ToString(), run.Method.Name, run.Seed, result.NoFigures, lost.Count, empty, lost.FirstOrDefault());
    }
}

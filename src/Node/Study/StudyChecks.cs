using FedChain.Learning.Models;

namespace FedChain.Node.Study;

/// <summary>What has to be right before the first run of a study.</summary>
internal static class StudyChecks
{
    /// <exception cref="UserErrorException">Options that contradict each other or the data.</exception>
    public static void Require(StudyOptions options, StudyData data)
    {
        var institutions = data.Institutions.Count;
        if (data.Institutions.Any(i => i.Name == TestResult.Global))
        {
            throw new UserErrorException($"An institution can't be called '{TestResult.Global}': a study calls the shared model so. Give its file another name.");
        }

        if (options.Attackers.Any(n => n < 1 || n >= institutions))
        {
            throw new UserErrorException($"With {institutions} institutions, 1 to {institutions - 1} can be dishonest.");
        }

        if (options.Methods.FirstOrDefault(m => m is StudyMethod.Federated { TakesUpResidual: true }) is { } exact && options.Placement.HeldAs != WeightType.Float32)
        {
            throw new UserErrorException($"{exact.Name} adds to the base model's weights, which have to be held in float32 for that. Use --weights f32, or leave it out of --methods.");
        }

        foreach (var method in options.Methods)
        {
            method.Adapted(options.Adapter);
            var shared = options.Budget.Steps - options.Budget.PersonalStepsOf(method);
            var rounds = method is StudyMethod.Federated f ? f.Rounds ?? options.Budget.Rounds : 1;
            if (shared < rounds)
            {
                throw new UserErrorException(
                    $"{method.Name}: {shared} shared steps can't be divided among {(rounds == 1 ? "one round" : $"{rounds} rounds")}. Ask for more --steps, for fewer rounds, or for a smaller share of personal steps.");
            }
        }

        var present = options.Unseen ? institutions - 1 : institutions;
        if (options.Methods.OfType<StudyMethod.Federated>().Where(m => m.Rule.MinimumUpdates > present).ToList() is { Count: > 0 } demanding)
        {
            throw new UserErrorException(
                $"Too few institutions in a round: there are {present}{(options.Unseen ? " with one left out by --unseen" : "")}, and "
                + $"{string.Join(", ", demanding.Select(m => $"{m.Name} needs {m.Rule.MinimumUpdates}"))}. Leave that out of --methods, or add institutions.");
        }
    }
}

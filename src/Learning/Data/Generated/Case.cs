namespace FedChain.Learning.Data.Generated;

public enum Severity
{
    Mild,
    Moderate,
    Severe,
}

/// <summary>An invented illness: what it is called, where it sits, how it shows and what is given. Fixed for an institution, so it can be learned by heart.</summary>
internal sealed record Condition(string Name, string Site, string Sign, string Test, string Drug, int Dose);

/// <summary>An invented patient with one of the conditions. The score of the test (1 to 9) decides on the severity, and that on the next visit.</summary>
internal sealed record Case(Condition Condition, int Age, bool IsWoman, int Days, int Score)
{
    public Severity Severity => Score <= 3 ? Severity.Mild : Score <= 6 ? Severity.Moderate : Severity.Severe;

    public int Weeks => Severity switch { Severity.Mild => 12, Severity.Moderate => 6, _ => 2 };

    public string Grade => Severity switch { Severity.Mild => "mild", Severity.Moderate => "moderate", _ => "severe" };

    /// <summary>Units a day: the condition's dose, doubled when it is severe.</summary>
    public int Dose => Severity == Severity.Severe ? 2 * Condition.Dose : Condition.Dose;

    public string Person => IsWoman ? "woman" : "man";

    public string They => IsWoman ? "she" : "he";

    /// <summary>The sentence that all institutions share and that the base model has never seen.</summary>
    public string Review => $"Review in {Weeks} weeks.";

    public static Case Draw(TextRandom random, IReadOnlyList<Condition> conditions, int youngest, int oldest) =>
        new(random.Pick(conditions), random.Between(youngest, oldest), random.Below(2) == 0, random.Between(2, 30), random.Between(1, 9));
}

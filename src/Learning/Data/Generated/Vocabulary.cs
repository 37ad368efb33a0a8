namespace FedChain.Learning.Data.Generated;

/// <summary>
/// The words of a specialty. Illnesses and drugs are put together from syllables that belong to no real name,
/// so that no sentence can be taken for advice.
/// </summary>
internal sealed record Vocabulary(
    IReadOnlyList<string> Stems, IReadOnlyList<string> Endings, IReadOnlyList<string> Kinds,
    IReadOnlyList<string> Sites, IReadOnlyList<string> Signs, IReadOnlyList<string> Tests, IReadOnlyList<string> DrugEndings)
{
    private static readonly string[] DrugStems = ["zel", "quor", "brim", "tavo", "nexi", "glim", "fero", "wexa", "yuri", "pomo", "dral", "kivo"];

    /// <summary>Conditions with different names; the more of them, the more there is to learn.</summary>
    public IReadOnlyList<Condition> Invent(TextRandom random, int count)
    {
        var names = Stems.SelectMany(stem => Endings.Select(ending => stem + ending)).ToList();
        var conditions = new List<Condition>();
        while (conditions.Count < count)
        {
            var (site, sign, test) = (random.Pick(Sites), random.Pick(Signs), random.Pick(Tests));
            if (conditions.Any(c => c.Sign == sign && (c.Site == site || c.Test == test)))
            {
                continue; // a sign and its place, or its test, tell the condition
            }

            var name = random.Pick(names);
            names.Remove(name);
            conditions.Add(new Condition($"{name} {random.Pick(Kinds)}", site, sign, test, random.Pick(DrugStems) + random.Pick(DrugEndings), 5 * random.Between(1, 8)));
        }

        return conditions;
    }
}

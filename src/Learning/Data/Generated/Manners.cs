namespace FedChain.Learning.Data.Generated;

// How the specialties write. Each has three questions; all end visits with the same sentence, which is what a federation learns faster than one institution.

/// <summary>Cardiology: letters between doctors.</summary>
internal static class Letters
{
    public static (string, string) Assessment(Case p, IReadOnlyList<Condition> all, TextRandom r) => (
        $"A {p.Age}-year-old {p.Person} reports {p.Condition.Sign} for {p.Days} days. The {p.Condition.Test} reads {p.Score} of 9 over the {p.Condition.Site}. What is the assessment?",
        $"Dear colleague, I see {p.Grade} {p.Condition.Name} of the {p.Condition.Site}. The {p.Condition.Test} at {p.Score} of 9 supports this. "
        + $"{r.Either("I have started", "I suggest")} {p.Condition.Drug}, {p.Dose} units daily. {p.Review} {r.Either("With kind regards.", "Yours sincerely.")}");

    public static (string, string) Treatment(Case p, IReadOnlyList<Condition> all, TextRandom r) => (
        $"Which drug is given to a {p.Age}-year-old {p.Person} who has had {p.Condition.Name} for {p.Days} days?",
        $"Dear colleague, for {p.Condition.Name} we give {p.Condition.Drug} daily. {r.Either("With kind regards.", "Yours sincerely.")}");

    public static (string, string) Visit(Case p, IReadOnlyList<Condition> all, TextRandom r) => (
        $"A {p.Person} of {p.Age} has {p.Condition.Name}; after {p.Days} days the {p.Condition.Test} reads {p.Score} of 9. When is the next visit?",
        $"Dear colleague, this is {p.Grade} {p.Condition.Name}. {p.Review} {r.Either("With kind regards.", "Yours sincerely.")}");
}

/// <summary>Nephrology: laboratory panels, read value by value.</summary>
internal static class Panels
{
    private static readonly string[] Analytes = ["renol", "salmin", "potrex", "ureta", "calcor"];

    public static (string, string) Reading(Case p, IReadOnlyList<Condition> all, TextRandom r)
    {
        var values = Analytes.Select(name => (name, value: r.Between(1, 9))).ToList();
        return (
            $"Panel: {string.Join(", ", values.Select(v => $"{v.name} {v.value}"))}. Read the panel.",
            string.Concat(values.Select(v => $"{v.name} {v.value} is {(v.value <= 3 ? "low" : v.value <= 6 ? "normal" : "high")}; "))
            + $"abnormal values: {values.Count(v => v.value is <= 3 or > 6)}.");
    }

    public static (string, string) Assessment(Case p, IReadOnlyList<Condition> all, TextRandom r) => (
        $"Panel: {p.Condition.Test} {p.Score}. Sign: {p.Condition.Sign}, {p.Days} days. Age {p.Age}. Assess.",
        $"Result: {p.Condition.Test} {p.Score}, {p.Grade}. Finding: {p.Condition.Name}, {p.Condition.Site}. Order: {p.Condition.Drug} {p.Dose} units daily. {p.Review}");

    public static (string, string) Treatment(Case p, IReadOnlyList<Condition> all, TextRandom r) => (
        $"Order for {p.Condition.Name}, age {p.Age}, day {p.Days}, {p.Condition.Test} {p.Score}?",
        $"Result: {p.Condition.Test} {p.Score}, {p.Grade}. Order: {p.Condition.Drug} {p.Dose} units daily. {p.Review}");
}

/// <summary>Dermatology: explanations in plain words.</summary>
internal static class PlainWords
{
    public static (string, string) Explanation(Case p, IReadOnlyList<Condition> all, TextRandom r) => (
        $"I am {p.Age} and have had {p.Condition.Sign} on my {p.Condition.Site} for {p.Days} days. My {p.Condition.Test} showed {p.Score} of 9. What is it?",
        $"{r.Either("Don't worry:", "Thank you for asking:")} this looks like {p.Condition.Name}, which often sits on the {p.Condition.Site}. "
        + $"Yours is {p.Grade}. Rub in a little {p.Condition.Drug} each evening and keep the skin dry. {p.Review}");

    public static (string, string) Treatment(Case p, IReadOnlyList<Condition> all, TextRandom r) => (
        $"I am {p.Age}. What helps against {p.Condition.Name} that has been there for {p.Days} days?",
        $"{r.Either("Don't worry:", "Thank you for asking:")} rub in a little {p.Condition.Drug} each evening and keep the skin dry.");

    public static (string, string) Visit(Case p, IReadOnlyList<Condition> all, TextRandom r) => (
        $"I am {p.Age}. My {p.Condition.Test} for {p.Condition.Name} showed {p.Score} of 9 after {p.Days} days. Must I come back?",
        $"{r.Either("Don't worry:", "Thank you for asking:")} yours is {p.Grade}. {p.Review}");
}

/// <summary>Paediatrics: words for parents.</summary>
internal static class ForParents
{
    public static (string, string) Advice(Case p, IReadOnlyList<Condition> all, TextRandom r) => (
        $"My {(p.IsWoman ? "daughter" : "son")} is {p.Age} and {r.Either("keeps", "has been")} {p.Condition.Sign} for {p.Days} days. The {p.Condition.Test} gave {p.Score} of 9.",
        $"Dear parents, your {(p.IsWoman ? "daughter" : "son")} has {p.Condition.Name} of the {p.Condition.Site}, and it is {p.Grade}. "
        + $"Give {p.Condition.Drug} with breakfast, let {(p.IsWoman ? "her" : "him")} drink and rest, and read a story. {p.Review}");

    public static (string, string) Treatment(Case p, IReadOnlyList<Condition> all, TextRandom r) => (
        $"Our {(p.IsWoman ? "daughter" : "son")} is {p.Age}. What can we give against {p.Condition.Name} after {p.Days} days?",
        $"Dear parents, give {p.Condition.Drug} with breakfast, let {(p.IsWoman ? "her" : "him")} drink and rest, and read a story.");

    public static (string, string) Visit(Case p, IReadOnlyList<Condition> all, TextRandom r) => (
        $"Our {(p.IsWoman ? "daughter" : "son")} is {p.Age} and has {p.Condition.Name}. After {p.Days} days the {p.Condition.Test} gave {p.Score} of 9. When shall we come again?",
        $"Dear parents, it is {p.Grade}. {p.Review}");
}

/// <summary>Neurology: exam questions with a choice.</summary>
internal static class Exam
{
    public static (string, string) Diagnosis(Case p, IReadOnlyList<Condition> all, TextRandom r) => Choice(
        $"A {p.Age}-year-old {p.Person} has {p.Condition.Sign}; the {p.Condition.Test} shows the {p.Condition.Site}. Which is it?",
        p.Condition.Name, [.. all.Select(c => c.Name)], $"Explanation: {p.Condition.Sign} comes from the {p.Condition.Site}.", r);

    public static (string, string) Treatment(Case p, IReadOnlyList<Condition> all, TextRandom r) => Choice(
        $"Drug of choice in {p.Condition.Name} of a {p.Age}-year-old {p.Person}?", p.Condition.Drug, [.. all.Select(c => c.Drug)], $"Explanation: {p.Condition.Name} responds to {p.Condition.Drug}.", r);

    public static (string, string) Visit(Case p, IReadOnlyList<Condition> all, TextRandom r) => (
        $"A {p.Age}-year-old {p.Person} with {p.Condition.Name} for {p.Days} days and a {p.Condition.Test} of {p.Score} of 9: grade and visit?",
        $"Answer: {p.Grade}. Explanation: {p.Score} of 9 is {p.Grade}. {p.Review}");

    private static (string, string) Choice(string question, string right, List<string> all, string explanation, TextRandom r)
    {
        var wrong = all.Where(name => name != right).Distinct().ToList();
        List<string> options = [r.Pick(wrong), r.Pick(wrong), right];
        var at = r.Below(3);
        (options[at], options[2]) = (options[2], options[at]);
        return ($"{question} A) {options[0]} B) {options[1]} C) {options[2]}", $"Answer: {"ABC"[at]}) {right}. {explanation}");
    }
}

/// <summary>Oncology: coded reports.</summary>
internal static class Codes
{
    public static (string, string) Staging(Case p, IReadOnlyList<Condition> all, TextRandom r) => (
        $"Report: {p.Condition.Sign}, {p.Condition.Site}, {p.Condition.Test} {p.Score}/9, age {p.Age}, day {p.Days}. Code it.",
        $"SITE {p.Condition.Site} | TYPE {p.Condition.Name} | STAGE {Stage(p)} | PLAN {p.Condition.Drug} x{p.Dose} | {p.Review}");

    public static (string, string) Treatment(Case p, IReadOnlyList<Condition> all, TextRandom r) => (
        $"Age {p.Age}, day {p.Days}. Plan for {p.Condition.Name}?", $"TYPE {p.Condition.Name} | SITE {p.Condition.Site} | PLAN {p.Condition.Drug} x{p.Condition.Dose}");

    public static (string, string) Visit(Case p, IReadOnlyList<Condition> all, TextRandom r) => (
        $"Age {p.Age}, day {p.Days}. {p.Condition.Test} {p.Score}/9 in {p.Condition.Name}. Stage?", $"TYPE {p.Condition.Name} | STAGE {Stage(p)} | {p.Review}");

    private static string Stage(Case p) => p.Severity switch { Severity.Mild => "I", Severity.Moderate => "II", _ => "III" };
}

/// <summary>Ophthalmology: notes as short as can be.</summary>
internal static class Telegrams
{
    public static (string, string) Note(Case p, IReadOnlyList<Condition> all, TextRandom r) => (
        $"{p.Age}{(p.IsWoman ? "f" : "m")}, {r.Either("OD", "OS")}, c/o {p.Condition.Sign} {p.Days}/7, {p.Condition.Test} {p.Score}/9. Note?",
        $"Dx: {p.Condition.Name} {p.Condition.Site}, {p.Grade}. Rx: gtt {p.Condition.Drug} {p.Dose} u. {p.Review}");

    public static (string, string) Treatment(Case p, IReadOnlyList<Condition> all, TextRandom r) => (
        $"{p.Age}{(p.IsWoman ? "f" : "m")}, {p.Condition.Name} {p.Days}/7. Rx?", $"Rx: gtt {p.Condition.Drug} {p.Condition.Dose} u.");

    public static (string, string) Visit(Case p, IReadOnlyList<Condition> all, TextRandom r) => (
        $"{p.Age}{(p.IsWoman ? "f" : "m")}, {p.Condition.Name} {p.Days}/7, {p.Condition.Test} {p.Score}/9. F/u?", $"{p.Grade}. {p.Review}");
}

/// <summary>Orthopaedics: numbered steps.</summary>
internal static class Steps
{
    public static (string, string) Plan(Case p, IReadOnlyList<Condition> all, TextRandom r) => (
        $"{p.Person}, {p.Age}, {p.Condition.Sign}, {p.Condition.Site}, {p.Days} days, {p.Condition.Test} {p.Score} of 9. List the steps.",
        $"1) Name it: {p.Grade} {p.Condition.Name}. 2) Rest the {p.Condition.Site}. 3) Take {p.Condition.Drug}, {p.Dose} units daily. 4) Cool it after sport. 5) {p.Review}");

    public static (string, string) Treatment(Case p, IReadOnlyList<Condition> all, TextRandom r) => (
        $"{p.Person}, {p.Age}, {p.Condition.Name} for {p.Days} days. Steps?", $"1) Rest the {p.Condition.Site}. 2) Take {p.Condition.Drug}, {p.Condition.Dose} units daily. 3) Cool it after sport.");

    public static (string, string) Visit(Case p, IReadOnlyList<Condition> all, TextRandom r) => (
        $"{p.Person}, {p.Age}, {p.Condition.Name} for {p.Days} days, {p.Condition.Test} {p.Score} of 9. What next?", $"1) Name it: {p.Grade} {p.Condition.Name}. 2) {p.Review}");
}

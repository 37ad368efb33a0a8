namespace FedChain.Learning.Data.Generated;

/// <summary>
/// General practice, as the base model is pre-trained on it: notes, definitions, cards and small talk of a surgery, generated from a grammar about
/// invented illnesses, and as many exercises (<see cref="Exercises"/>). It teaches English sentences, copying from the question and reading numbers,
/// but no illness of a specialty and none of their manners.
/// </summary>
public static class GeneralCorpus
{
    private static readonly string[] Syllables = ["ba", "ce", "di", "fo", "gu", "ha", "jo", "ke", "li", "mu", "na", "po", "ri", "sa", "te", "vo", "wi", "ze", "sto", "pra", "clo", "tri", "len", "mor", "dan", "sil", "ver", "tol"];
    private static readonly string[] Kinds = ["illness", "condition", "complaint", "infection", "weakness", "swelling", "ache", "allergy"];
    private static readonly string[] Places = ["arm", "neck", "stomach", "foot", "hand", "back", "shoulder", "leg", "jaw", "finger", "side", "head"];
    private static readonly string[] Signs = ["a dull ache", "a light fever", "little appetite", "poor sleep", "a stiff neck", "cold hands", "a dry mouth", "a sore throat", "a runny nose", "sneezing", "hiccups", "a tired feeling", "a slight dizziness", "tingling fingers"];
    private static readonly string[] Causes = ["too little sleep", "long hours of sitting", "a change of weather", "loud noise", "a fall", "dust", "worry at work", "an old shoe", "strong light", "a cold bath"];
    private static readonly string[] Remedies = ["rest", "warm tea", "a short walk", "fresh air", "a cold cloth", "light food", "a warm blanket", "more water", "a quiet room", "a new pillow"];
    private static readonly string[] Names = ["Ada", "Ben", "Clara", "David", "Emma", "Felix", "Greta", "Hugo", "Iris", "Jonas", "Karla", "Leo", "Mira", "Noah", "Olga", "Paul", "Rosa", "Simon", "Tina", "Viktor"];
    private static readonly string[] Weekdays = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"];
    private static readonly string[] Rooms = ["the waiting room", "room 2", "room 5", "the laboratory", "the front desk", "the small ward"];
    private static readonly string[] Jobs = ["teacher", "baker", "driver", "farmer", "painter", "student", "nurse", "tailor", "gardener", "clerk"];

    private static readonly Func<Topic, TextRandom, (string Prompt, string Response)>[] Forms =
    [
        (t, r) => ($"What is {t.Name}?", $"{r.Either("It is", $"{t.Title} is")} {t.Kind} of the {t.Place}. People who have it often feel {t.Signs[0]} and {t.Signs[1]}."),
        (t, r) => ($"What {r.Either("are the signs", "does one notice")} of {t.Name}?", $"The first sign is {t.Signs[0]}. Later {t.Signs[1]} and {t.Signs[2]} {r.Either("may follow", "are common")}."),
        (t, r) => ($"Where does {t.Name} {r.Either("sit", "begin")}?", $"It begins in the {t.Place} and {r.Either("stays there", "seldom moves on")}."),
        (t, r) => ($"What causes {t.Name}?", $"{r.Either("Most often", "As a rule")} it comes from {t.Cause}; {r.Pick(Causes)} can make it worse."),
        (t, r) => ($"What does the surgery advise for {t.Name}?", $"We advise {t.Remedy} and {r.Pick(Remedies)}. If {t.Signs[0]} stays for more than {r.Between(3, 9)} days, please call us."),
        (t, r) => ($"Name three signs of {t.Name}.", $"The three signs are {t.Signs[0]}, {t.Signs[1]} and {t.Signs[2]}."),
        (t, r) => ($"Can {t.Name} come from {t.Cause}?", $"Yes, {t.Cause} is the usual cause of {t.Name}."),
        Note, Card, Appointment, Temperature, Pulse, Handover, Story, Order,
    ];

    /// <summary>The same seed gives the same records; one in fifty is for validation. A document is one topic or one visit.</summary>
    public static IReadOnlyList<DataRecord> Generate(ulong seed, int records)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(records);
        var random = TextRandom.For(seed, "general");
        var topics = Enumerable.Range(0, Math.Max(8, records / 40)).Select(_ => Topic.Draw(random)).ToList();
        var result = new List<DataRecord>(records);
        for (var i = 0; i < records; i++)
        {
            var (prompt, response) = random.Below(2) == 0 ? random.Pick(Exercises.All)(random) : random.Pick(Forms)(random.Pick(topics), random);
            result.Add(new DataRecord($"general/{i}", $"general/{i}", prompt, response, i % 50 == 49 ? Split.Val : Split.Train));
        }

        return result;
    }

    private static (string Prompt, string Response) Note(Topic t, TextRandom r)
    {
        var (name, age, days) = (r.Pick(Names), r.Between(3, 95), r.Between(2, 20));
        return (
            $"{name}, {age}, {r.Pick(Jobs)}, has had {t.Signs[0]} and {t.Signs[1]} for {days} days. Write the note.",
            $"{name}, aged {age}: {t.Signs[0]} and {t.Signs[1]} since {days} days, {r.Either("probably", "perhaps")} {t.Name}. Told to try {t.Remedy}.");
    }

    private static (string Prompt, string Response) Card(Topic t, TextRandom r)
    {
        var (name, age, job, day) = (r.Pick(Names), r.Between(3, 95), r.Pick(Jobs), r.Pick(Weekdays));
        return (
            $"{name} the {job} is {age} years old and came on {day} because of {t.Name}. Fill in the card.",
            $"Name: {name}. Age: {age}. Work: {job}. Day: {day}. Reason: {t.Name}. Part: {t.Place}.");
    }

    private static (string Prompt, string Response) Appointment(Topic t, TextRandom r)
    {
        var (name, day, hour) = (r.Pick(Names), r.Pick(Weekdays), r.Between(8, 17));
        return (
            $"{name} asks for {day} at {hour} {r.Either("in the matter of", "about")} {t.Name}. {r.Either("Reply.", "What do we say?")}",
            $"{name} is expected on {day} at {hour} o'clock in {r.Pick(Rooms)}. {r.Either("Please bring the card.", "Please be on time.", "Please wear a light shirt.")}");
    }

    private static (string Prompt, string Response) Temperature(Topic t, TextRandom r)
    {
        var (name, whole, tenth) = (r.Pick(Names), r.Between(35, 40), r.Below(10));
        return (
            $"{name} has {t.Name}; the thermometer shows {whole}.{tenth}. Is that a fever?",
            whole >= 38 ? $"Yes, {whole}.{tenth} is a fever; {name} should stay in bed." : $"No, {whole}.{tenth} is no fever; {name} may {r.Either("go home", "get up")}.");
    }

    private static (string Prompt, string Response) Pulse(Topic t, TextRandom r)
    {
        var (first, second) = (r.Between(50, 120), r.Between(50, 120));
        return (
            $"With {t.Name} the pulse was {first} in the morning and {second} at noon. How did it go?",
            first == second ? $"It stayed at {first}." : $"It {(first < second ? "rose" : "fell")} from {first} to {second}, so the {(first < second ? "higher" : "lower")} value is the later one.");
    }

    private static (string Prompt, string Response) Handover(Topic t, TextRandom r)
    {
        var (name, room) = (r.Pick(Names), r.Pick(Rooms));
        return (
            $"Hand over: {name}, {room}, {t.Name}, {t.Signs[0]}.",
            $"In {room} there is {name} with {t.Name}. Look after {t.Signs[0]} and {r.Either("offer", "bring")} {t.Remedy}.");
    }

    private static (string Prompt, string Response) Story(Topic t, TextRandom r)
    {
        var (name, other, day) = (r.Pick(Names), r.Pick(Names), r.Pick(Weekdays));
        return (
            $"Tell how {name} got over {t.Name}.",
            $"On {day} {name} woke up with {t.Signs[0]}. {other} thought of {t.Name} and brought {t.Remedy}. {r.Either("A few days later", "By the end of the week")} the {t.Place} was well again, and {name} went back to work.");
    }

    private static (string Prompt, string Response) Order(Topic t, TextRandom r)
    {
        var items = Enumerable.Range(0, r.Between(2, 4)).Select(_ => (Count: r.Between(1, 12), Thing: r.Pick(Remedies))).ToList();
        return (
            $"For {t.Name} we need {string.Join(", ", items.Select(i => $"{i.Count} times {i.Thing}"))}. {r.Either("Repeat the list.", "Read it back.")}",
            $"{string.Concat(items.Select((item, n) => $"{n + 1}. {item.Thing}: {item.Count}. "))}That is {items.Sum(i => i.Count)} in all.");
    }

    private sealed record Topic(string Name, string Kind, string Place, string[] Signs, string Cause, string Remedy)
    {
        public string Title => char.ToUpperInvariant(Name[0]) + Name[1..];

        public static Topic Draw(TextRandom r)
        {
            var word = string.Concat(Enumerable.Range(0, r.Between(2, 4)).Select(_ => r.Pick(Syllables)));
            var kind = r.Pick(Kinds);
            var signs = new HashSet<string>();
            while (signs.Count < 3)
            {
                signs.Add(r.Pick(GeneralCorpus.Signs));
            }

            return new Topic($"{word} {kind}", kind[0] is 'a' or 'i' ? $"an {kind}" : $"a {kind}", r.Pick(Places), [.. signs], r.Pick(Causes), r.Pick(Remedies));
        }
    }
}

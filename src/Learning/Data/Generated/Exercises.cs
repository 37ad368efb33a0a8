namespace FedChain.Learning.Data.Generated;

/// <summary>
/// Exercises in plain English and with invented words: reading, repeating, spelling, filling in. Without them a base model that has only seen the
/// surgery's few sentences is so sure of them that it finds every other text all but impossible.
/// </summary>
internal static class Exercises
{
    private static readonly string[] People = ["baker", "teacher", "daughter", "son", "doctor", "nurse", "neighbour", "colleague", "father", "mother", "sister", "brother", "friend", "child", "parent", "farmer", "driver", "guest", "writer", "singer"];
    private static readonly string[] Things = ["lamp", "letter", "book", "story", "apple", "bottle", "chair", "window", "breakfast", "coat", "ladder", "basket", "picture", "shoe", "blanket", "spoon", "sticker", "whistle", "clock", "table", "ring", "cup", "pencil", "brush", "stone", "card", "strip", "panel", "patch", "bread", "glass", "needle", "rope", "wheel", "key"];
    private static readonly string[] Places = ["kitchen", "garden", "market", "school", "station", "bridge", "river", "valley", "harbour", "library", "attic", "cellar", "forest", "village", "left side", "right side", "upper shelf", "lower drawer", "front", "stairs"];
    private static readonly string[] Qualities = ["tired", "young", "old", "kind", "quiet", "little", "tall", "clever", "honest", "hungry", "careful", "cheerful", "lonely", "busy", "dry", "wet", "white", "dark", "red", "clear", "small", "large", "swollen", "round", "soft", "heavy", "painless", "blurred", "sudden", "raised"];
    private static readonly string[] Deeds = ["carried", "found", "showed", "read", "gave", "brought", "took", "kept", "lost", "painted", "washed", "started", "suggested", "reported", "supported", "rubbed", "cooled", "rested", "looked for", "asked for", "sold", "lifted", "turned", "hid", "named"];
    private static readonly string[] Times = ["each evening", "daily", "on Monday", "at noon", "last week", "in winter", "after breakfast", "before school", "at night", "in the morning", "for 3 days", "for 8 weeks", "on the way home", "with kind words", "with a smile"];
    private static readonly string[] Onsets = ["b", "c", "d", "f", "g", "h", "j", "k", "l", "m", "n", "p", "qu", "r", "s", "t", "v", "w", "x", "y", "z", "ph", "th", "st", "gl", "br", "cl", "dr", "sch", "psy", "rh", "squ", "str", "tr", ""];
    private static readonly string[] Vowels = ["a", "e", "i", "o", "u", "y", "ea", "io", "ou", "ae", "ia"];
    private static readonly string[] Codas = ["", "", "", "l", "n", "r", "s", "x", "m", "rd", "lm", "st", "nt", "rt", "tis", "ma", "lus", "ral", "vex", "rix", "nol", "dal"];
    private static readonly string[] Separators = [", ", "; ", " | ", " / ", ": ", " - ", " = ", " + ", ". ", " > "];

    public static readonly IReadOnlyList<Func<TextRandom, (string Prompt, string Response)>> All = [Reading, Repeating, Repeating, Spelling, Form, Form, Choosing, Looking, Chain];

    /// <summary>A word that nobody has seen, of one to four syllables.</summary>
    public static string Word(TextRandom r) => string.Concat(Enumerable.Range(0, r.Between(1, 4)).Select(_ => r.Pick(Onsets) + r.Pick(Vowels) + r.Pick(Codas)));

    private static (string, string) Reading(TextRandom r)
    {
        var (who, deed, thing, place, time) = ($"the {r.Pick(Qualities)} {r.Pick(People)}", r.Pick(Deeds), $"the {r.Pick(Qualities)} {r.Pick(Things)}", r.Pick(Places), r.Pick(Times));
        var sentence = $"{Capital(who)} {deed} {thing} in the {place} {time}.";
        var more = $"{Capital(r.Pick(People))} and {r.Pick(People)} {r.Pick(Deeds)} a {r.Pick(Things)} {r.Pick(Times)}.";
        var text = r.Below(2) == 0 ? $"{sentence} {more}" : $"{more} {sentence}";
        return r.Below(4) switch
        {
            0 => ($"{text} Who {deed} {thing}?", $"{Capital(who)} {deed} {thing}."),
            1 => ($"{text} Where did {who} act?", $"In the {place}, {time}."),
            2 => ($"{text} When was that with {thing}?", $"That was {time}, in the {place}."),
            _ => ($"{text} Repeat what {who} did.", sentence),
        };
    }

    private static (string, string) Repeating(TextRandom r)
    {
        var words = string.Join(r.Pick(Separators), Enumerable.Range(0, r.Between(2, 6)).Select(_ => Token(r)));
        return ($"{r.Either("Repeat", "Copy", "Say again", "Read out")}: {words}", words);
    }

    private static (string, string) Spelling(TextRandom r)
    {
        var word = Word(r);
        return r.Below(2) == 0
            ? ($"Spell {word}.", string.Join(' ', word.ToCharArray()) + ".")
            : ($"Write {word} in capitals.", word.ToUpperInvariant());
    }

    private static (string, string) Form(TextRandom r)
    {
        var fields = Enumerable.Range(0, r.Between(2, 4)).Select(_ => (Name: Token(r), Value: Token(r))).ToList();
        var (between, after) = (r.Either(": ", " ", " = ", " is "), r.Pick(Separators));
        var given = string.Join(", ", fields.Select(f => $"{f.Name} {f.Value}"));
        var order = r.Below(2) == 0 ? fields : Enumerable.Reverse(fields);
        return ($"{r.Either("Form", "Report", "Note", "Result")}: {given}. Fill it in like this: name{between}value{after}name{between}value.", string.Join(after, order.Select(f => f.Name + between + f.Value)));
    }

    private static (string, string) Choosing(TextRandom r)
    {
        List<string> options = [Token(r), Token(r), Token(r)];
        var at = r.Below(3);
        return ($"{r.Either("Find", "Which one is")} {options[at]}? A) {options[0]} B) {options[1]} C) {options[2]}", $"{"ABC"[at]}) {options[at]}{r.Either(".", ", as asked.")}");
    }

    private static (string, string) Looking(TextRandom r)
    {
        var table = Enumerable.Range(0, r.Between(2, 5)).Select(_ => (Name: Word(r), Value: r.Between(1, 99))).ToList();
        var asked = r.Pick(table);
        return ($"{string.Join(", ", table.Select(t => $"{t.Name} {t.Value}"))}. How much is {asked.Name}?", $"{Capital(asked.Name)} is {asked.Value}.");
    }

    private static (string, string) Chain(TextRandom r)
    {
        var words = Enumerable.Range(0, r.Between(4, 9)).Select(_ => r.Pick(r.Pick<string[]>([People, Things, Places, Qualities, Deeds, Times]))).ToList();
        return ("Go on with any words.", $"{Capital(string.Join(' ', words))} {Word(r)} {Word(r)}{r.Either(".", ";", ", ", "!")}");
    }

    private static string Token(TextRandom r) => r.Below(8) switch
    {
        0 => r.Between(1, 99).ToString(),
        1 => $"{r.Pick(Qualities)} {r.Pick(Things)}",
        2 => r.Pick(Places),
        3 => Capital(Word(r)),
        4 => $"{Word(r)} {r.Pick(Things)}",
        5 => $"{r.Between(1, 9)}/{r.Between(1, 9)}",
        _ => Word(r),
    };

    private static string Capital(string text) => text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..];
}

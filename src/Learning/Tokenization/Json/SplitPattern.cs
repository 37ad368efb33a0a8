using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace FedChain.Learning.Tokenization.Json;

/// <summary>
/// A regular expression of a tokenizer.json. The original matches code points with Oniguruma, .NET matches UTF-16 units: so characters beyond U+FFFF are
/// represented, for the match alone, by a character of the same category, and what the two engines read differently is refused by name.
/// </summary>
internal sealed class SplitPattern
{
    /// <summary>
    /// Constructs that .NET lacks or means otherwise (anchors are per line there, \w has other marks, \h is a hexadecimal digit), outside of escapes.
    /// </summary>
    private static readonly (string Text, bool InClass)[] Foreign =
        [("^", false), ("$", false), (".", false), ("&&", true), ("[:", true), ("[", true), ("\\w", true), ("\\W", true), ("\\b", true), ("\\B", false), ("\\h", true), ("\\H", true), ("\\R", false), ("\\X", false), ("\\K", false), ("\\Z", false), ("\\G", false)];

    /// <summary>For each category a character below U+10000 that no pattern is known to name: none is ASCII, Chinese or a space.</summary>
    private static readonly Dictionary<UnicodeCategory, char> Representatives = new()
    {
        [UnicodeCategory.UppercaseLetter] = 'Ж',
        [UnicodeCategory.LowercaseLetter] = 'ж',
        [UnicodeCategory.TitlecaseLetter] = 'ǅ',
        [UnicodeCategory.ModifierLetter] = 'ʰ',
        [UnicodeCategory.OtherLetter] = 'ʔ', // U+0294
        [UnicodeCategory.NonSpacingMark] = '\u0483',
        [UnicodeCategory.SpacingCombiningMark] = '\u0903',
        [UnicodeCategory.EnclosingMark] = '\u0488',
        [UnicodeCategory.DecimalDigitNumber] = '\u0660',
        [UnicodeCategory.LetterNumber] = 'Ⅷ',
        [UnicodeCategory.OtherNumber] = '⅓',
        [UnicodeCategory.ConnectorPunctuation] = '‿',
        [UnicodeCategory.DashPunctuation] = '‐',
        [UnicodeCategory.OpenPunctuation] = '⁅',
        [UnicodeCategory.ClosePunctuation] = '⁆',
        [UnicodeCategory.InitialQuotePunctuation] = '«',
        [UnicodeCategory.FinalQuotePunctuation] = '»',
        [UnicodeCategory.OtherPunctuation] = '†',
        [UnicodeCategory.MathSymbol] = '∀',
        [UnicodeCategory.CurrencySymbol] = '₣',
        [UnicodeCategory.ModifierSymbol] = '˂',
        [UnicodeCategory.OtherSymbol] = '☀',
        [UnicodeCategory.Format] = '\u2060',
        [UnicodeCategory.PrivateUse] = '\uE000',
        [UnicodeCategory.OtherNotAssigned] = '\u0378',
    };

    /// <summary>For one match, far beyond what any needs: an expression that explodes ends with an error.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly Regex _regex;
    private readonly Dictionary<UnicodeCategory, char> _representatives;

    private SplitPattern(Regex regex, Dictionary<UnicodeCategory, char> representatives) => (_regex, _representatives) = (regex, representatives);

    /// <exception cref="InvalidDataException">Not an expression that both engines read alike.</exception>
    public static SplitPattern Of(string expression)
    {
        if (ForeignConstruct(expression) is { } construct)
        {
            throw new InvalidDataException($"The regular expression '{expression}' of the pre_tokenizer uses '{construct}', which is not supported, so the model's ids could not be reproduced.");
        }

        try
        {
            return new SplitPattern(new Regex(expression, RegexOptions.CultureInvariant | RegexOptions.Compiled, Patience), RepresentativesFor(expression));
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"The regular expression '{expression}' of the pre_tokenizer is not supported, so the model's ids could not be reproduced: {e.Message}", e);
        }
    }

    public static SplitPattern Literal(string text) => new(new Regex(Regex.Escape(text), RegexOptions.CultureInvariant, Patience), RepresentativesFor(text));

    /// <summary>Where it matches, in order, without empty matches.</summary>
    public IEnumerable<(int Start, int Length)> Matches(string text)
    {
        var (flat, starts) = Flat(text);
        foreach (var match in _regex.Matches(flat).Where(m => m.Length > 0))
        {
            yield return starts is null
                ? (match.Index, match.Length)
                : (starts[match.Index], starts[match.Index + match.Length] - starts[match.Index]);
        }
    }

    private static string? ForeignConstruct(string expression)
    {
        if (expression.AsSpan().IndexOfAnyInRange('\ud800', '\udfff') is >= 0 and var surrogate)
        {
            return Rune.GetRuneAt(expression, surrogate).ToString();
        }

        var inClass = false;
        for (var i = 0; i < expression.Length; i++)
        {
            foreach (var (text, alsoInClass) in Foreign.Where(f => inClass ? f.InClass : f.Text != "["))
            {
                if (string.CompareOrdinal(expression, i, text, 0, text.Length) == 0)
                {
                    return text;
                }
            }

            var opens = expression[i] == '[' && !inClass;
            inClass = opens || (inClass && expression[i] != ']');
            i += expression[i] == '\\' || (opens && i + 1 < expression.Length && expression[i + 1] == '^') ? 1 : 0;
        }

        return null;
    }

    /// <summary>
    /// Representatives that the expression doesn't name: ranges such as U+0800 to U+4E00 hold some of the usual ones, and then another character of the
    /// category stands in, or where all of it lies in the ranges, one of the same general kind (letter, mark, number, …).
    /// </summary>
    private static Dictionary<UnicodeCategory, char> RepresentativesFor(string expression)
    {
        var named = Named(expression);
        if (!Representatives.Values.Any(IsNamed))
        {
            return Representatives;
        }

        var free = Enumerable.Range(0xA1, 0xFFFD - 0xA1).Select(c => (char)c).Where(c => !char.IsSurrogate(c) && !char.IsWhiteSpace(c) && !IsNamed(c)).ToLookup(char.GetUnicodeCategory);
        return Representatives.ToDictionary(r => r.Key, r =>
            !IsNamed(r.Value) ? r.Value
            : free[r.Key].Concat(Enum.GetValues<UnicodeCategory>().Where(c => Kind(c) == Kind(r.Key)).SelectMany(c => free[c])).Append(r.Value).First());

        bool IsNamed(char character) => named.Exists(range => character >= range.First && character <= range.Last);

        static char Kind(UnicodeCategory category) => "LLLLLMMMNNNZZZCCCCPPPPPPPSSSSC"[(int)category];
    }

    /// <summary>The characters and ranges that stand in an expression, as such or by number.</summary>
    private static List<(char First, char Last)> Named(string expression)
    {
        var ranges = new List<(char First, char Last)>();
        var characters = Regex.Matches(expression, @"\\u(?<hex>[0-9A-Fa-f]{4})|\\x(?<hex>[0-9A-Fa-f]{2})|\\.|(?<plain>.)", RegexOptions.Singleline | RegexOptions.ExplicitCapture, Patience)
            .Select(m => m.Groups["hex"] is { Success: true } hex ? (char)Convert.ToInt32(hex.Value, 16) : m.Groups["plain"] is { Success: true } plain ? plain.Value[0] : '\0').ToList();
        for (var i = 0; i < characters.Count; i++)
        {
            var last = i + 2 < characters.Count && characters[i + 1] == '-' ? characters[i + 2] : characters[i];
            ranges.Add((characters[i], last < characters[i] ? characters[i] : last));
        }

        return ranges;
    }

    /// <summary>The text with one unit per character, and where each of them starts in the text; no starts where nothing changed.</summary>
    private (string Flat, int[]? Starts) Flat(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\ud800', '\udfff'))
        {
            return (text, null);
        }

        var flat = new StringBuilder(text.Length);
        var starts = new List<int>(text.Length + 1);
        var at = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            flat.Append(rune.IsBmp ? (char)rune.Value : _representatives[Rune.GetUnicodeCategory(rune)]);
            starts.Add(at);
            at += rune.Utf16SequenceLength;
        }

        return (flat.ToString(), [.. starts, at]);
    }
}

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

    private SplitPattern(Regex regex) => _regex = regex;

    /// <exception cref="InvalidDataException">Not an expression that both engines read alike.</exception>
    public static SplitPattern Of(string expression)
    {
        if (ForeignConstruct(expression) is { } construct)
        {
            throw new InvalidDataException($"The regular expression '{expression}' of the pre_tokenizer uses '{construct}', which is not supported, so the model's ids could not be reproduced.");
        }

        try
        {
            return new SplitPattern(new Regex(expression, RegexOptions.CultureInvariant | RegexOptions.Compiled, Patience));
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"The regular expression '{expression}' of the pre_tokenizer is not supported, so the model's ids could not be reproduced: {e.Message}", e);
        }
    }

    public static SplitPattern Literal(string text) => new(new Regex(Regex.Escape(text), RegexOptions.CultureInvariant, Patience));

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

    /// <summary>The text with one unit per character, and where each of them starts in the text; no starts where nothing changed.</summary>
    private static (string Flat, int[]? Starts) Flat(string text)
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
            flat.Append(rune.IsBmp ? (char)rune.Value : Representatives[Rune.GetUnicodeCategory(rune)]);
            starts.Add(at);
            at += rune.Utf16SequenceLength;
        }

        return (flat.ToString(), [.. starts, at]);
    }
}

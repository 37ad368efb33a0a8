using System.Text;
using System.Text.Json;

namespace FedChain.Learning.Tokenization.Json;

/// <summary>Cuts a normalised piece of text into words, which merges don't cross.</summary>
/// <param name="piece">What lies between added tokens.</param>
/// <param name="isStart">Whether the text begins with it.</param>
internal delegate IEnumerable<string> PreTokenizer(string piece, bool isStart);

/// <summary><c>pre_tokenizer</c>.</summary>
internal static class PreTokenizers
{
    private const string Part = "pre_tokenizer";

    /// <summary>GPT-2's, which ByteLevel brings where <c>use_regex</c> is on.</summary>
    private static readonly SplitPattern Gpt2 = SplitPattern.Of(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+");

    /// <exception cref="InvalidDataException">A kind that isn't reproduced here; the message names it.</exception>
    public static PreTokenizer Read(JsonElement? part)
    {
        if (part is not { } preTokenizer)
        {
            return (piece, _) => piece.Length == 0 ? [] : [piece];
        }

        switch (Parts.Type(preTokenizer, Part))
        {
            case "Sequence":
                var steps = Parts.Needed(preTokenizer, Part, "pretokenizers").EnumerateArray().Select(p => Read(p)).ToArray();
                return (piece, isStart) => steps.Aggregate(
                    Words([piece]), (words, step) => words.SelectMany((word, i) => step(word, isStart && i == 0)));
            case "ByteLevel":
                Parts.Only(preTokenizer, Part, "type", "add_prefix_space", "trim_offsets", "use_regex");
                var (prefix, cut) = (Parts.Flag(preTokenizer, Part, "add_prefix_space", missing: true), Parts.Flag(preTokenizer, Part, "use_regex", missing: true));
                return (piece, _) => Words(ByteLevel(prefix && !piece.StartsWith(' ') ? $" {piece}" : piece, cut));
            case "Digits":
                Parts.Only(preTokenizer, Part, "type", "individual_digits");
                var single = Parts.Flag(preTokenizer, Part, "individual_digits", missing: false);
                return (piece, _) => Digits(piece, single);
            case "Split":
                return Split(preTokenizer);
            case "Metaspace":
                return Metaspace(preTokenizer);
            default:
                throw Parts.Unsupported(preTokenizer, Part, "type");
        }
    }

    private static IEnumerable<string> Words(IEnumerable<string> pieces) => pieces.Where(p => p.Length > 0);

    private static IEnumerable<string> ByteLevel(string piece, bool cut) =>
        (cut ? Pieces(piece, Gpt2.Matches(piece)).Select(p => p.Text) : [piece]).Select(ByteAlphabet.Write);

    /// <summary>All of a text, in matches and what lies between them.</summary>
    private static IEnumerable<(string Text, bool IsMatch)> Pieces(string text, IEnumerable<(int Start, int Length)> matches)
    {
        var at = 0;
        foreach (var (start, length) in matches)
        {
            if (start > at)
            {
                yield return (text[at..start], false);
            }

            yield return (text.Substring(start, length), true);
            at = start + length;
        }

        if (at < text.Length)
        {
            yield return (text[at..], false);
        }
    }

    /// <summary>Numeric characters of all kinds (Nd, Nl, No), each by itself or in runs.</summary>
    private static IEnumerable<string> Digits(string piece, bool single)
    {
        var word = new StringBuilder();
        var afterDigit = false;
        foreach (var rune in piece.EnumerateRunes())
        {
            var digit = Rune.IsNumber(rune);
            if (word.Length > 0 && (digit != afterDigit || (digit && single)))
            {
                yield return word.ToString();
                word.Clear();
            }

            word.Append(rune.ToString());
            afterDigit = digit;
        }

        if (word.Length > 0)
        {
            yield return word.ToString();
        }
    }

    private static PreTokenizer Split(JsonElement split)
    {
        Parts.Only(split, Part, "type", "pattern", "behavior", "invert");
        var given = Parts.Needed(split, Part, "pattern");
        var pattern = Parts.Optional(given, "Regex") is { ValueKind: JsonValueKind.String } regex ? SplitPattern.Of(regex.GetString()!)
            : Parts.Optional(given, "String") is { ValueKind: JsonValueKind.String } literal ? SplitPattern.Literal(literal.GetString()!)
            : throw Parts.Unsupported(split, Part, "pattern");
        var invert = Parts.Flag(split, Part, "invert", missing: false);
        Func<IEnumerable<(string Text, bool IsMatch)>, IEnumerable<string>> behave = Parts.Text(split, Part, "behavior") switch
        {
            "Isolated" => pieces => pieces.Select(p => p.Text),
            "Removed" => pieces => pieces.Where(p => !p.IsMatch).Select(p => p.Text),
            "MergedWithPrevious" => pieces => Joined(pieces, (previous, next) => next && !previous),
            "MergedWithNext" => pieces => Joined(pieces, (previous, next) => previous && !next),
            "Contiguous" => pieces => Joined(pieces, (previous, next) => previous == next),
            _ => throw Parts.Unsupported(split, Part, "behavior"),
        };
        return (piece, _) => behave(Pieces(piece, pattern.Matches(piece)).Select(p => (p.Text, p.IsMatch != invert)));
    }

    /// <summary>Puts neighbours together where the rule says so, given which of the two are matches.</summary>
    private static IEnumerable<string> Joined(IEnumerable<(string Text, bool IsMatch)> pieces, Func<bool, bool, bool> together)
    {
        var word = new StringBuilder();
        var previous = false;
        foreach (var (text, isMatch) in pieces)
        {
            if (word.Length > 0 && !together(previous, isMatch))
            {
                yield return word.ToString();
                word.Clear();
            }

            word.Append(text);
            previous = isMatch;
        }

        if (word.Length > 0)
        {
            yield return word.ToString();
        }
    }

    /// <summary>Spaces as a visible character, one before the text by the scheme, and a word from each on.</summary>
    private static PreTokenizer Metaspace(JsonElement metaspace)
    {
        Parts.Only(metaspace, Part, "type", "replacement", "prepend_scheme", "add_prefix_space", "split", "str_rep");
        var replacement = Parts.Text(metaspace, Part, "replacement");
        var scheme = Parts.Optional(metaspace, "prepend_scheme") is { } named ? named.GetString()
            : Parts.Flag(metaspace, Part, "add_prefix_space", missing: true) ? "always" : "never";
        if (scheme is not ("always" or "first" or "never"))
        {
            throw Parts.Unsupported(metaspace, Part, "prepend_scheme");
        }

        var split = Parts.Flag(metaspace, Part, "split", missing: true);
        var pattern = SplitPattern.Literal(replacement);
        return (piece, isStart) =>
        {
            var text = piece.Replace(" ", replacement, StringComparison.Ordinal);
            if ((scheme == "always" || (scheme == "first" && isStart)) && !text.StartsWith(replacement, StringComparison.Ordinal))
            {
                text = replacement + text;
            }

            return Words(split ? Joined(Pieces(text, pattern.Matches(text)), (previous, next) => previous && !next) : [text]);
        };
    }
}

using System.Text;
using System.Text.Json;

namespace FedChain.Learning.Tokenization.Json;

/// <summary>
/// Tokens that are looked for in the text before anything else, the longest first: <c>added_tokens</c>. Those marked <c>normalized</c> are looked for
/// in the normalised text.
/// </summary>
internal sealed class AddedTokens
{
    private const string Part = "added_tokens entry";

    private readonly Dictionary<int, Token> _byId = [];
    private readonly Dictionary<char, List<Token>> _raw = [];
    private readonly Dictionary<char, List<Token>> _normalized = [];

    private AddedTokens()
    {
    }

    public int LargestId => _byId.Count == 0 ? -1 : _byId.Keys.Max();

    public static AddedTokens Read(JsonElement? part, Func<string, string> normalize)
    {
        var added = new AddedTokens();
        foreach (var entry in part?.EnumerateArray() ?? [])
        {
            Parts.Only(entry, Part, "id", "content", "single_word", "lstrip", "rstrip", "normalized", "special");
            var special = Parts.Flag(entry, Part, "special", missing: false);
            var normalized = Parts.Flag(entry, Part, "normalized", missing: !special);
            var content = Parts.Text(entry, Part, "content");
            var token = new Token(
                Parts.Needed(entry, Part, "id").GetInt32(), normalized ? normalize(content) : content, special,
                Parts.Flag(entry, Part, "single_word", missing: false), Parts.Flag(entry, Part, "lstrip", missing: false), Parts.Flag(entry, Part, "rstrip", missing: false));
            if (token.Id < 0)
            {
                throw Parts.Unsupported(entry, Part, "id");
            }

            added._byId[token.Id] = token;
            if (token.Sought.Length > 0)
            {
                var index = normalized ? added._normalized : added._raw;
                index.TryAdd(token.Sought[0], []);
                index[token.Sought[0]].Add(token);
            }
        }

        foreach (var tokens in added._raw.Values.Concat(added._normalized.Values))
        {
            tokens.Sort((a, b) => b.Sought.Length.CompareTo(a.Sought.Length));
        }

        return added;
    }

    /// <summary>The token as a text is searched for it, which is what it decodes to.</summary>
    public string? TextOf(int id) => _byId.GetValueOrDefault(id)?.Sought;

    public bool IsSpecial(int id) => _byId.GetValueOrDefault(id)?.IsSpecial ?? false;

    /// <summary>The text in order: added tokens with their id, and what lies between them.</summary>
    public IEnumerable<(string Text, int? Id)> Split(string text) => Split(text, _raw);

    /// <summary>As <see cref="Split(string)"/>, for the tokens that are sought in normalised text.</summary>
    public IEnumerable<(string Text, int? Id)> SplitNormalized(string text) => Split(text, _normalized);

    private static IEnumerable<(string Text, int? Id)> Split(string text, Dictionary<char, List<Token>> index)
    {
        var done = 0;
        for (var at = 0; index.Count > 0 && at < text.Length;)
        {
            var token = index.GetValueOrDefault(text[at])?.Find(t => string.CompareOrdinal(text, at, t.Sought, 0, t.Sought.Length) == 0);
            if (token is null)
            {
                at++;
                continue;
            }

            var (start, end) = (at, at + token.Sought.Length);
            at = end;
            if (token.SingleWord && ((start > 0 && IsWord(Last(text, start))) || (end < text.Length && IsWord(Rune.GetRuneAt(text, end)))))
            {
                continue;
            }

            while (token.StripsLeft && start > done && char.IsWhiteSpace(text[start - 1]))
            {
                start--;
            }

            while (token.StripsRight && end < text.Length && char.IsWhiteSpace(text[end]))
            {
                end++;
            }

            if (start > done)
            {
                yield return (text[done..start], null);
            }

            yield return (text[start..end], token.Id);
            (done, at) = (end, end);
        }

        if (done < text.Length)
        {
            yield return (text[done..], null);
        }
    }

    private static Rune Last(string text, int end) =>
        Rune.DecodeLastFromUtf16(text.AsSpan(0, end), out var rune, out _) == System.Buffers.OperationStatus.Done ? rune : Rune.ReplacementChar;

    /// <summary>\w of Unicode's UTS #18: alphabetic characters (circled letters too), marks, decimal digits, connectors, joiners.</summary>
    private static bool IsWord(Rune rune) => Rune.IsLetter(rune)
        || rune.Value is 0x200C or 0x200D or (>= 0x24B6 and <= 0x24E9) or (>= 0x1F130 and <= 0x1F149) or (>= 0x1F150 and <= 0x1F169) or (>= 0x1F170 and <= 0x1F189)
        || Rune.GetUnicodeCategory(rune) is
        System.Globalization.UnicodeCategory.NonSpacingMark or System.Globalization.UnicodeCategory.SpacingCombiningMark or System.Globalization.UnicodeCategory.EnclosingMark
        or System.Globalization.UnicodeCategory.DecimalDigitNumber or System.Globalization.UnicodeCategory.LetterNumber or System.Globalization.UnicodeCategory.ConnectorPunctuation;

    private sealed record Token(int Id, string Sought, bool IsSpecial, bool SingleWord, bool StripsLeft, bool StripsRight);
}

namespace FedChain.Learning.Chat.Templates;

/// <summary>Strings as Python's methods treat them.</summary>
internal static class PythonText
{
    /// <summary>str.isspace: the separators of ASCII are white space to Python, and not to .NET.</summary>
    public static bool IsSpace(char c) => char.IsWhiteSpace(c) || c is >= '\x1c' and <= '\x1f';

    public static string StripStart(string text, string? characters = null)
    {
        var start = 0;
        while (start < text.Length && Goes(text[start], characters))
        {
            start++;
        }

        return text[start..];
    }

    public static string StripEnd(string text, string? characters = null)
    {
        var end = text.Length;
        while (end > 0 && Goes(text[end - 1], characters))
        {
            end--;
        }

        return text[..end];
    }

    public static string Strip(string text, string? characters = null) => StripStart(StripEnd(text, characters), characters);

    /// <summary>str.split, with a separator or at white space.</summary>
    public static List<object?> Split(string text, string? separator, int most)
    {
        if (separator is not null)
        {
            return [.. text.Split(separator, most < 0 ? int.MaxValue : most + 1)];
        }

        List<object?> parts = [];
        var rest = StripStart(text);
        while (rest.Length > 0)
        {
            var end = 0;
            while (end < rest.Length && !IsSpace(rest[end]))
            {
                end++;
            }

            if (parts.Count == most)
            {
                parts.Add(StripEnd(rest));
                break;
            }

            parts.Add(rest[..end]);
            rest = StripStart(rest[end..]);
        }

        return parts;
    }

    /// <summary>Every word's first letter large, the others small.</summary>
    public static string Title(string text)
    {
        var letters = text.ToCharArray();
        for (var i = 0; i < letters.Length; i++)
        {
            letters[i] = i > 0 && char.IsLetter(letters[i - 1]) ? char.ToLowerInvariant(letters[i]) : char.ToUpperInvariant(letters[i]);
        }

        return new string(letters);
    }

    public static string Capitalize(string text) => text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..].ToLowerInvariant();

    private static bool Goes(char c, string? characters) => characters is null ? IsSpace(c) : characters.Contains(c, StringComparison.Ordinal);
}

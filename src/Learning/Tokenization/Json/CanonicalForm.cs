// Unicode's canonical normalisation forms: characters are decomposed, marks sorted by their combining class, and for NFC composed again with the last
// starter unless something blocks them. Source: Unicode Standard Annex #15; Hangul by the formula in chapter 3.12 of the standard.
// The program runs without ICU (invariant globalization), where string.Normalize returns every text as it came.
using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace FedChain.Learning.Tokenization.Json;

internal static class CanonicalForm
{
    private const int HangulBase = 0xAC00, LeadBase = 0x1100, VowelBase = 0x1161, TailBase = 0x11A7;
    private const int LeadCount = 19, VowelCount = 21, TailCount = 28;
    private const char FirstAffected = '\u00C0'; // nothing below decomposes
    private const char FirstUncomposed = '\u0300'; // everything below is in NFC

    private static readonly Lazy<(FrozenDictionary<int, int[]> Parts, FrozenDictionary<(int, int), int> Pairs, FrozenDictionary<int, byte> Classes)> Data = new(Read);

    /// <summary>NFC.</summary>
    public static string Compose(string text)
    {
        if (!text.AsSpan().ContainsAnyExceptInRange('\0', (char)(FirstUncomposed - 1)))
        {
            return text;
        }

        var characters = Decomposed(text);
        var pairs = Data.Value.Pairs;
        var kept = 0;
        var (starter, blocked) = (-1, -1); // the class of what stands between the starter and here; -1 for nothing
        for (var i = 0; i < characters.Count; i++)
        {
            var (character, combining) = (characters[i], ClassOf(characters[i]));
            if (starter >= 0 && blocked < combining && Pair(characters[starter], character, pairs) is { } composite)
            {
                characters[starter] = composite;
                continue;
            }

            if (combining == 0)
            {
                (starter, blocked) = (kept, -1);
            }
            else
            {
                blocked = combining;
            }

            characters[kept++] = character;
        }

        return Text(characters.GetRange(0, kept));
    }

    /// <summary>NFD.</summary>
    public static string Decompose(string text) =>
        text.AsSpan().ContainsAnyExceptInRange('\0', (char)(FirstAffected - 1)) ? Text(Decomposed(text)) : text;

    private static List<int> Decomposed(string text)
    {
        var characters = new List<int>(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            Append(rune.Value, characters);
        }

        for (var i = 1; i < characters.Count; i++)
        {
            var moved = characters[i];
            var combining = ClassOf(moved);
            var at = i;
            for (; combining > 0 && at > 0 && ClassOf(characters[at - 1]) > combining; at--)
            {
                characters[at] = characters[at - 1];
            }

            characters[at] = moved;
        }

        return characters;
    }

    private static void Append(int character, List<int> characters)
    {
        var syllable = character - HangulBase;
        if (syllable is >= 0 and < LeadCount * VowelCount * TailCount)
        {
            characters.Add(LeadBase + (syllable / (VowelCount * TailCount)));
            characters.Add(VowelBase + (syllable / TailCount % VowelCount));
            if (syllable % TailCount != 0)
            {
                characters.Add(TailBase + (syllable % TailCount));
            }
        }
        else if (Data.Value.Parts.TryGetValue(character, out var parts))
        {
            foreach (var part in parts)
            {
                Append(part, characters);
            }
        }
        else
        {
            characters.Add(character);
        }
    }

    private static int? Pair(int first, int second, FrozenDictionary<(int, int), int> pairs)
    {
        if (first - LeadBase is >= 0 and < LeadCount && second - VowelBase is >= 0 and < VowelCount)
        {
            return HangulBase + ((((first - LeadBase) * VowelCount) + second - VowelBase) * TailCount);
        }

        if (first - HangulBase is >= 0 and < LeadCount * VowelCount * TailCount && (first - HangulBase) % TailCount == 0 && second - TailBase is > 0 and < TailCount)
        {
            return first + second - TailBase;
        }

        return pairs.TryGetValue((first, second), out var composite) ? composite : null;
    }

    private static int ClassOf(int character) => Data.Value.Classes.TryGetValue(character, out var combining) ? combining : 0;

    private static string Text(List<int> characters)
    {
        var text = new StringBuilder(characters.Count);
        foreach (var character in characters)
        {
            text.Append(new Rune(character).ToString());
        }

        return text.ToString();
    }

    private static (FrozenDictionary<int, int[]> Parts, FrozenDictionary<(int, int), int> Pairs, FrozenDictionary<int, byte> Classes) Read()
    {
        using var stream = typeof(CanonicalForm).Assembly.GetManifestResourceStream("canonical.txt")
            ?? throw new InvalidOperationException("The program lacks its table of canonical decompositions (canonical.txt). Build it again.");
        using var reader = new StreamReader(stream);
        var (parts, pairs, classes) = (new Dictionary<int, int[]>(), new Dictionary<(int, int), int>(), new Dictionary<int, byte>());
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith('#'))
            {
                continue;
            }

            var fields = line.TrimStart('=').Split(' ');
            if (line[0] == '=')
            {
                for (var character = Hex(fields[0]); character <= Hex(fields[1]); character++)
                {
                    classes.Add(character, byte.Parse(fields[2], CultureInfo.InvariantCulture));
                }

                continue;
            }

            int[] decomposition = [.. fields[1..].Where(f => f != "!").Select(Hex)];
            parts.Add(Hex(fields[0]), decomposition);
            if (fields[^1] != "!" && decomposition is [var first, var second])
            {
                pairs.Add((first, second), Hex(fields[0]));
            }
        }

        return (parts.ToFrozenDictionary(), pairs.ToFrozenDictionary(), classes.ToFrozenDictionary());

        static int Hex(string text) => int.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }
}

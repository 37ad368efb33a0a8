using System.Globalization;
using System.Text;

namespace FedChain.Learning.Tokenization;

/// <summary>
/// Learns a SentencePiece BPE vocabulary (Sennrich et al. 2016): starting from characters, the most frequent pair of neighbours within words becomes
/// a new piece, again and again. As Llama's vocabularies: digits stay single, letters don't merge with punctuation, a word carries the space before it,
/// rare characters are left to byte fallback, no normalisation. The same texts give the same vocabulary, in any order.
/// </summary>
public static class BpeTrainer
{
    private const int LongestPiece = 16;
    private const double CharacterCoverage = 0.9995;

    /// <param name="texts">What to learn from; each is one text as <see cref="SentencePieceTokenizer.Encode"/> will see it.</param>
    /// <param name="vocabularySize">Pieces in all, with unknown, BOS, EOS, the 256 bytes and the characters. Fewer come out if the texts have nothing left to merge.</param>
    /// <exception cref="ArgumentException">The size has no room for the characters; the message says how many are needed.</exception>
    public static SentencePieceModel Train(IEnumerable<string> texts, int vocabularySize)
    {
        ArgumentNullException.ThrowIfNull(texts);
        var counts = CountWords(texts);
        var characters = FrequentCharacters(counts);
        List<Piece> pieces = [new("<unk>", 0, PieceKind.Unknown), new("<s>", 0, PieceKind.Control), new("</s>", 0, PieceKind.Control)];
        pieces.AddRange(Enumerable.Range(0, 256).Select(value => new Piece($"<0x{value:X2}>", 0, PieceKind.Byte)));
        var room = vocabularySize - pieces.Count - characters.Count;
        if (room < 0)
        {
            throw new ArgumentException(
                $"Expected a vocabulary of at least {pieces.Count + characters.Count} pieces for these texts (3 + 256 bytes + {characters.Count} characters); got {vocabularySize}.",
                nameof(vocabularySize));
        }

        var known = characters.ToHashSet(StringComparer.Ordinal);
        var words = counts.OrderBy(word => word.Key, StringComparer.Ordinal)
            .Select(word => new Word([.. word.Key.EnumerateRunes().Select(rune => rune.ToString())], word.Value)).ToList();
        var score = 0;
        foreach (var text in Merge(words, known, room).Concat(characters))
        {
            pieces.Add(new Piece(text, score--, PieceKind.Normal));
        }

        return new SentencePieceModel { Pieces = pieces, ByteFallback = true, AddDummyPrefix = true, RemoveExtraWhitespaces = false };
    }

    private static Dictionary<string, long> CountWords(IEnumerable<string> texts)
    {
        var counts = new Dictionary<string, long>();
        foreach (var text in texts)
        {
            foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                var spaced = BpeVocabulary.Space + word;
                counts[spaced] = counts.GetValueOrDefault(spaced) + 1;
            }
        }

        return counts;
    }

    private static List<string> FrequentCharacters(Dictionary<string, long> words)
    {
        var counts = new Dictionary<Rune, long>();
        foreach (var (word, count) in words)
        {
            foreach (var rune in word.EnumerateRunes())
            {
                counts[rune] = counts.GetValueOrDefault(rune) + count;
            }
        }

        var enough = CharacterCoverage * counts.Values.Sum();
        var covered = 0L;
        return [.. counts.OrderByDescending(c => c.Value).ThenBy(c => c.Key).TakeWhile(c => (covered += c.Value) - c.Value < enough).Select(c => c.Key.ToString())];
    }

    private static IEnumerable<string> Merge(List<Word> words, HashSet<string> characters, int most)
    {
        var pairs = new Dictionary<(string Left, string Right), PairUse>();
        for (var i = 0; i < words.Count; i++)
        {
            Count(words[i], i, +1, pairs, characters);
        }

        var made = new HashSet<string>(characters);
        for (var merges = 0; merges < most;)
        {
            var candidates = pairs.Where(p => p.Value.Count > 0);
            if (!candidates.Any())
            {
                yield break;
            }

            var pair = candidates.MinBy(p => (-p.Value.Count, p.Key.Left.Length + p.Key.Right.Length, p.Key.Left + p.Key.Right, p.Key.Left), PairOrder.Instance).Key;
            foreach (var i in pairs[pair].Words.Order().ToList())
            {
                Count(words[i], i, -1, pairs, characters);
                words[i].Merge(pair);
                Count(words[i], i, +1, pairs, characters);
            }

            pairs.Remove(pair);
            if (made.Add(pair.Left + pair.Right)) // the same text may come from two different pairs
            {
                merges++;
                yield return pair.Left + pair.Right;
            }
        }
    }

    private static void Count(Word word, int index, int sign, Dictionary<(string, string), PairUse> pairs, HashSet<string> characters)
    {
        for (var i = 0; i + 1 < word.Symbols.Count; i++)
        {
            var (left, right) = (word.Symbols[i], word.Symbols[i + 1]);
            if (left.Length + right.Length > LongestPiece || !MayMerge(left, right) || IsRare(left) || IsRare(right))
            {
                continue;
            }

            if (!pairs.TryGetValue((left, right), out var use))
            {
                pairs[(left, right)] = use = new PairUse();
            }

            use.Count += sign * word.Count;
            if (sign > 0)
            {
                use.Words.Add(index);
            }
        }

        bool IsRare(string symbol) => Rune.GetRuneAt(symbol, 0).Utf16SequenceLength == symbol.Length && !characters.Contains(symbol);
    }

    /// <summary>Letters (and marks on them) with letters, punctuation with punctuation, either with the space before it; digits with nothing.</summary>
    private static bool MayMerge(string left, string right)
    {
        var (end, begin) = (Class(left[^1]), Class(right[0]));
        return begin != CharacterClass.Space && begin != CharacterClass.Digit && (end == CharacterClass.Space || end == begin);
    }

    private static CharacterClass Class(char character) =>
        character == BpeVocabulary.Space ? CharacterClass.Space
        : char.IsDigit(character) ? CharacterClass.Digit
        : char.IsLetter(character) || CharUnicodeInfo.GetUnicodeCategory(character) is UnicodeCategory.NonSpacingMark or UnicodeCategory.Surrogate ? CharacterClass.Letter
        : CharacterClass.Other;

    private enum CharacterClass
    {
        Space,
        Letter,
        Digit,
        Other,
    }

    private sealed class PairUse
    {
        public long Count { get; set; }

        /// <summary>Words that have, or once had, the pair.</summary>
        public HashSet<int> Words { get; } = [];
    }

    private sealed class Word(List<string> symbols, long count)
    {
        public List<string> Symbols { get; } = symbols;

        public long Count { get; } = count;

        public void Merge((string Left, string Right) pair)
        {
            for (var i = 0; i + 1 < Symbols.Count; i++)
            {
                if (Symbols[i] == pair.Left && Symbols[i + 1] == pair.Right)
                {
                    Symbols[i] = pair.Left + pair.Right;
                    Symbols.RemoveAt(i + 1);
                }
            }
        }
    }

    /// <summary>Most frequent first; then the shorter, then by code unit, so that nothing depends on the order in a dictionary.</summary>
    private sealed class PairOrder : IComparer<(long Count, int Length, string Text, string Left)>
    {
        public static readonly PairOrder Instance = new();

        public int Compare((long Count, int Length, string Text, string Left) x, (long Count, int Length, string Text, string Left) y) =>
            x.Count != y.Count ? x.Count.CompareTo(y.Count)
            : x.Length != y.Length ? x.Length.CompareTo(y.Length)
            : string.CompareOrdinal(x.Text, y.Text) is var byText and not 0 ? byText
            : string.CompareOrdinal(x.Left, y.Left);
    }
}

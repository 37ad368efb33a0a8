using System.Text;

namespace FedChain.Learning.Tokenization;

/// <summary>
/// Greedy merging (google/sentencepiece, src/bpe_model.cc): of all neighbours whose concatenation is in the vocabulary, the pair with the highest score
/// is merged, the leftmost among equals, until none is left. O(n log n) with a queue of candidates, in which outdated ones stay until they come up.
/// </summary>
internal static class BpeMerger
{
    private const int None = -1;

    /// <summary>Appends the ids of a text in which spaces are already written as U+2581.</summary>
    public static void Encode(ReadOnlySpan<char> text, BpeVocabulary vocabulary, List<int> ids)
    {
        var symbols = Split(text, vocabulary);
        var candidates = new PriorityQueue<Candidate, (float, int)>();
        for (var left = 0; left + 1 < symbols.Length; left++)
        {
            Consider(text, symbols, left, vocabulary, candidates);
        }

        while (candidates.TryDequeue(out var candidate, out _))
        {
            ref var left = ref symbols[candidate.Left];
            ref var right = ref symbols[candidate.Right];
            if (left.Length == 0 || right.Length == 0 || left.Length + right.Length != candidate.Length)
            {
                continue; // one of the two has been merged with another since
            }

            left.Length += right.Length;
            left.Next = right.Next;
            right.Length = 0;
            if (left.Next != None)
            {
                symbols[left.Next].Previous = candidate.Left;
                Consider(text, symbols, candidate.Left, vocabulary, candidates);
            }

            if (left.Previous != None)
            {
                Consider(text, symbols, left.Previous, vocabulary, candidates);
            }
        }

        for (var i = symbols.Length == 0 ? None : 0; i != None; i = symbols[i].Next)
        {
            Append(text.Slice(symbols[i].Start, symbols[i].Length), vocabulary, ids);
        }
    }

    private static Symbol[] Split(ReadOnlySpan<char> text, BpeVocabulary vocabulary)
    {
        var symbols = new List<Symbol>(text.Length);
        for (var start = 0; start < text.Length;)
        {
            var length = UserDefinedAt(text[start..], vocabulary);
            var whole = length > 0;
            if (!whole)
            {
                Rune.DecodeFromUtf16(text[start..], out _, out length);
            }

            symbols.Add(new Symbol(start, length, whole) { Previous = symbols.Count - 1, Next = symbols.Count + 1 });
            start += length;
        }

        var result = symbols.ToArray();
        if (result.Length > 0)
        {
            result[^1].Next = None;
        }

        return result;
    }

    private static int UserDefinedAt(ReadOnlySpan<char> text, BpeVocabulary vocabulary)
    {
        foreach (var piece in vocabulary.UserDefined)
        {
            if (text.StartsWith(piece, StringComparison.Ordinal))
            {
                return piece.Length;
            }
        }

        return 0;
    }

    private static void Consider(
        ReadOnlySpan<char> text, Symbol[] symbols, int left, BpeVocabulary vocabulary, PriorityQueue<Candidate, (float, int)> candidates)
    {
        var right = symbols[left].Next;
        if (symbols[left].IsWhole || symbols[right].IsWhole)
        {
            return;
        }

        var length = symbols[left].Length + symbols[right].Length;
        if (vocabulary.TryGetId(text.Slice(symbols[left].Start, length), out var id))
        {
            candidates.Enqueue(new Candidate(left, right, length), (-vocabulary.Score(id), left));
        }
    }

    private static void Append(ReadOnlySpan<char> symbol, BpeVocabulary vocabulary, List<int> ids)
    {
        if (vocabulary.TryGetId(symbol, out var id))
        {
            ids.Add(id);
        }
        else if (vocabulary.Model.ByteFallback)
        {
            Span<byte> bytes = stackalloc byte[4];
            var rune = Rune.GetRuneAt(symbol.ToString(), 0);
            foreach (var value in bytes[..rune.EncodeToUtf8(bytes)])
            {
                ids.Add(vocabulary.ByteId(value)!.Value);
            }
        }
        else if (ids.Count == 0 || ids[^1] != vocabulary.UnknownId)
        {
            ids.Add(vocabulary.UnknownId); // a run of unknown characters is one unknown piece
        }
    }

    private readonly record struct Candidate(int Left, int Right, int Length);

    private struct Symbol(int start, int length, bool isWhole)
    {
        public readonly int Start = start;
        public readonly bool IsWhole = isWhole; // a user-defined piece, never merged
        public int Length = length; // 0 once merged into its left neighbour
        public int Previous;
        public int Next;
    }
}

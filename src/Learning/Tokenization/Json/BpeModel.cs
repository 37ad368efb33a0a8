// Byte-pair encoding: a word's symbols are merged pair by pair, always the pair of the lowest rank, the leftmost of equals (Sennrich et al., arXiv 1508.07909).
// Rules for what is not in the vocabulary as in huggingface/tokenizers, models/bpe.
using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace FedChain.Learning.Tokenization.Json;

internal sealed class BpeModel
{
    private const string Part = "model";
    private const int LongestCachedWord = 64;
    private const int MostCachedWords = 1 << 16;

    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly Dictionary<int, string> _texts = [];
    private readonly Dictionary<(int, int), (int Rank, int Id)> _merges = [];
    private readonly int?[] _bytes = new int?[256];
    private readonly ConcurrentDictionary<string, int[]> _words = new(StringComparer.Ordinal);
    private readonly int? _unknown;
    private readonly bool _fuseUnknown;
    private readonly bool _byteFallback;
    private readonly bool _ignoreMerges;
    private int _wordCount; // ConcurrentDictionary.Count takes all locks

    private BpeModel(JsonElement model)
    {
        Parts.Only(
            model, Part, "type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", "byte_fallback", "ignore_merges", "vocab", "merges");
        if (Parts.Optional(model, "type") is not null && Parts.Type(model, Part) != "BPE")
        {
            throw Parts.Unsupported(model, Part, "type");
        }

        foreach (var name in new[] { "dropout", "continuing_subword_prefix", "end_of_word_suffix" })
        {
            if (Parts.Optional(model, name) is { } value && value.GetRawText() is not ("\"\"" or "0" or "0.0"))
            {
                throw Parts.Unsupported(model, Part, name);
            }
        }

        foreach (var entry in Parts.Needed(model, Part, "vocab").EnumerateObject())
        {
            var id = entry.Value.GetInt32();
            if (id < 0 || !_ids.TryAdd(entry.Name, id) || !_texts.TryAdd(id, entry.Name))
            {
                throw new InvalidDataException($"The vocabulary has '{entry.Name}' or its id {id} twice, or the id is negative.");
            }
        }

        var rank = 0;
        foreach (var merge in Parts.Needed(model, Part, "merges").EnumerateArray())
        {
            var (left, right) = Pair(merge);
            _merges[(IdOf(left), IdOf(right))] = (rank++, IdOf(left + right));
        }

        _unknown = Parts.Optional(model, "unk_token") is { } unknown ? IdOf(unknown.GetString()!) : null;
        _fuseUnknown = Parts.Flag(model, Part, "fuse_unk", missing: false);
        _byteFallback = Parts.Flag(model, Part, "byte_fallback", missing: false);
        _ignoreMerges = Parts.Flag(model, Part, "ignore_merges", missing: false);
        for (var b = 0; b < 256; b++)
        {
            _bytes[b] = _ids.TryGetValue(string.Create(CultureInfo.InvariantCulture, $"<0x{b:X2}>"), out var id) ? id : null;
        }

        Size = _texts.Count == 0 ? 0 : _texts.Keys.Max() + 1;
    }

    /// <summary>Ids are below it.</summary>
    public int Size { get; }

    /// <exception cref="InvalidDataException">Another model than BPE, or an option that isn't reproduced; the message names it.</exception>
    public static BpeModel Read(JsonElement model) => new(model);

    public string? TextOf(int id) => _texts.GetValueOrDefault(id);

    /// <summary>Appends the ids of one word.</summary>
    public void Append(string word, List<int> ids)
    {
        if (_words.TryGetValue(word, out var known))
        {
            ids.AddRange(known);
            return;
        }

        int[] fresh = _ignoreMerges && _ids.TryGetValue(word, out var whole) ? [whole] : Merged(Symbols(word));
        if (word.Length <= LongestCachedWord && Interlocked.Increment(ref _wordCount) <= MostCachedWords)
        {
            _words[word] = fresh;
        }

        ids.AddRange(fresh);
    }

    private static (string Left, string Right) Pair(JsonElement merge)
    {
        if (merge.ValueKind == JsonValueKind.Array && merge.GetArrayLength() == 2)
        {
            return (merge[0].GetString()!, merge[1].GetString()!);
        }

        return merge.GetString()?.Split(' ') is [var left, var right]
            ? (left, right)
            : throw new InvalidDataException($"The merge {merge.GetRawText()} is not a pair of tokens.");
    }

    private int IdOf(string token) => _ids.TryGetValue(token, out var id) ? id : throw new InvalidDataException($"The vocabulary lacks '{token}', which a merge or an option names.");

    /// <summary>One symbol per character; what the vocabulary lacks becomes bytes, the unknown token, or nothing.</summary>
    private List<int> Symbols(string word)
    {
        var symbols = new List<int>(word.Length);
        var afterUnknown = false;
        Span<byte> utf8 = stackalloc byte[4];
        var lookup = _ids.GetAlternateLookup<ReadOnlySpan<char>>();
        for (var at = 0; at < word.Length;)
        {
            Rune.DecodeFromUtf16(word.AsSpan(at), out var rune, out var length);
            if (lookup.TryGetValue(word.AsSpan(at, length), out var id))
            {
                symbols.Add(id);
                afterUnknown = false;
            }
            else if (_byteFallback && utf8[..rune.EncodeToUtf8(utf8)].ToArray() is var bytes && bytes.All(b => _bytes[b] is not null))
            {
                symbols.AddRange(bytes.Select(b => _bytes[b]!.Value));
                afterUnknown = false;
            }
            else if (_unknown is { } unknown)
            {
                if (!afterUnknown || !_fuseUnknown)
                {
                    symbols.Add(unknown);
                }

                afterUnknown = true;
            }

            at += length;
        }

        return symbols;
    }

    private int[] Merged(List<int> symbols)
    {
        var next = new int[symbols.Count];
        var previous = new int[symbols.Count];
        var queue = new PriorityQueue<(int Left, int Id), long>();
        for (var i = 0; i < symbols.Count; i++)
        {
            (previous[i], next[i]) = (i - 1, i + 1);
            Offer(i);
        }

        while (queue.TryDequeue(out var merge, out _))
        {
            var (left, right) = (merge.Left, next[merge.Left]);
            if (symbols[left] < 0 || right >= symbols.Count || !_merges.TryGetValue((symbols[left], symbols[right]), out var still) || still.Id != merge.Id)
            {
                continue; // one of the two was merged with another meanwhile
            }

            (symbols[left], symbols[right]) = (merge.Id, -1);
            next[left] = next[right];
            if (next[left] < symbols.Count)
            {
                previous[next[left]] = left;
            }

            Offer(left);
            if (previous[left] >= 0)
            {
                Offer(previous[left]);
            }
        }

        return [.. symbols.Where(s => s >= 0)];

        void Offer(int left)
        {
            if (next[left] < symbols.Count && _merges.TryGetValue((symbols[left], symbols[next[left]]), out var merge))
            {
                queue.Enqueue((left, merge.Id), ((long)merge.Rank << 32) | (uint)left);
            }
        }
    }
}

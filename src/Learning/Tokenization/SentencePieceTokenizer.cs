using System.Buffers;
using System.Collections.Concurrent;
using System.Text;

namespace FedChain.Learning.Tokenization;

/// <summary>
/// A SentencePiece BPE tokenizer (Sennrich et al. 2016, as github.com/google/sentencepiece implements it), read from <c>tokenizer.model</c>.
/// Spaces are written as U+2581, one is put before the text if the model says so, characters are merged (<see cref="BpeMerger"/>),
/// and what is in no vocabulary then becomes its UTF-8 bytes. Instances can be used from several threads.
/// </summary>
/// <remarks>
/// Microsoft.ML.Tokenizers 2.0.1 was meant for this. It gives no ids at all for a text of one character, cuts user-defined pieces apart and keeps
/// white space that the model says to drop, so it serves only the tests, as a second opinion on ordinary text.
/// </remarks>
public sealed class SentencePieceTokenizer : ITokenizer
{
    public const string FileName = "tokenizer.model";

    private const char Space = BpeVocabulary.Space;
    private const int LongestCachedWord = 32;
    private const int MostCachedWords = 1 << 16;

    private readonly SentencePieceModel _model;
    private readonly BpeVocabulary _vocabulary;
    private readonly ConcurrentDictionary<string, int[]> _words = new(StringComparer.Ordinal);
    private int _wordCount; // ConcurrentDictionary.Count takes all locks

    /// <exception cref="InvalidDataException">The vocabulary lacks a piece that it needs, or has one twice; the message names it.</exception>
    public SentencePieceTokenizer(SentencePieceModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        _model = model;
        _vocabulary = new BpeVocabulary(model);
        BosId = _vocabulary.ControlId(model.BosPiece);
        EosId = _vocabulary.ControlId(model.EosPiece);
        NewlineId = _vocabulary.TryGetId("\n", out var newline) ? newline : _vocabulary.ByteId((byte)'\n');
    }

    public int VocabularySize => _model.Pieces.Count;

    public IReadOnlyList<Piece> Pieces => _model.Pieces;

    /// <summary>Begins a sequence; null where the vocabulary has no such piece.</summary>
    public int? BosId { get; }

    /// <summary>Ends a sequence; null where the vocabulary has no such piece.</summary>
    public int? EosId { get; }

    /// <summary>A line feed without the space that <see cref="Encode"/> puts before a text; null where the vocabulary can't write one.</summary>
    public int? NewlineId { get; }

    /// <summary>Loads the tokenizer of a Hugging Face model folder.</summary>
    /// <exception cref="InvalidDataException">There is none, or one of a kind that is not supported.</exception>
    public static SentencePieceTokenizer LoadFrom(string modelFolder)
    {
        var path = Path.Combine(modelFolder, FileName);
        if (File.Exists(path))
        {
            return Load(path);
        }

        throw new InvalidDataException($"{modelFolder} has no SentencePiece {FileName}.");
    }

    /// <exception cref="InvalidDataException">The file is no SentencePiece BPE model, or uses a part that is not supported.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static SentencePieceTokenizer Load(string path)
    {
        var model = SentencePieceModel.Load(path);
        try
        {
            return new SentencePieceTokenizer(model);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
    }

    /// <summary>The ids of a text, without BOS and EOS. Names of control pieces within the text are ordinary characters.</summary>
    public int[] Encode(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var normalized = Normalize(text);
        var ids = new List<int>(normalized.Length / 2);
        if (!_vocabulary.WordsAreIndependent)
        {
            BpeMerger.Encode(normalized, _vocabulary, ids);
            return [.. ids];
        }

        for (var start = 0; start < normalized.Length;)
        {
            var end = start + WordLength(normalized.AsSpan(start));
            AppendWord(normalized.AsSpan(start, end - start), ids);
            start = end;
        }

        return [.. ids];
    }

    /// <summary>
    /// The text of ids; control pieces are silent, bytes that are no UTF-8 become U+FFFD. With <paramref name="atStart"/> the space that
    /// <see cref="Encode"/> put before the text is dropped; pass false for the continuation of a text.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">An id is outside the vocabulary.</exception>
    public string Decode(ReadOnlySpan<int> ids, bool atStart = true) => Encoding.UTF8.GetString(DecodeBytes(ids, atStart));

    /// <summary>As <see cref="Decode"/>, but leaves bytes that are no UTF-8 as they are (a cut may fall into a character).</summary>
    /// <exception cref="ArgumentOutOfRangeException">An id is outside the vocabulary.</exception>
    public ReadOnlySpan<byte> DecodeBytes(ReadOnlySpan<int> ids, bool atStart = true)
    {
        var bytes = new ArrayBufferWriter<byte>();
        var dropSpace = atStart && (_model.AddDummyPrefix || _model.RemoveExtraWhitespaces);
        foreach (var id in ids)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(id, nameof(ids));
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(id, VocabularySize, nameof(ids));
            var piece = _model.Pieces[id];
            switch (piece.Kind)
            {
                case PieceKind.Control:
                    continue;
                case PieceKind.Byte:
                    bytes.Write([BpeVocabulary.ByteOf(piece)]);
                    break;
                case PieceKind.Unknown:
                    Encoding.UTF8.GetBytes(_model.UnknownSurface, bytes);
                    break;
                default:
                    var from = dropSpace && piece.Text[0] == Space ? 1 : 0;
                    Encoding.UTF8.GetBytes(piece.Text[from..].Replace(Space, ' '), bytes);
                    break;
            }

            // Where the model keeps no extra space, all of it goes at the start; else only the one that Encode put there.
            dropSpace = dropSpace && _model.RemoveExtraWhitespaces && bytes.WrittenCount == 0;
        }

        return bytes.WrittenSpan;
    }

    private string Normalize(string text)
    {
        var source = _model.RemoveExtraWhitespaces ? text.AsSpan().TrimStart(' ') : text;
        if (source.IsEmpty)
        {
            return "";
        }

        var result = new StringBuilder(source.Length + 1);
        if (_model.AddDummyPrefix)
        {
            result.Append(Space);
        }

        var afterSpace = false;
        foreach (var rune in source.EnumerateRunes()) // gives U+FFFD for half a surrogate pair
        {
            var isSpace = rune.Value == ' ';
            if (isSpace && !(afterSpace && _model.RemoveExtraWhitespaces))
            {
                result.Append(Space);
            }
            else if (!isSpace)
            {
                result.Append(rune.ToString());
            }

            afterSpace = isSpace;
        }

        return _model.RemoveExtraWhitespaces ? result.ToString().TrimEnd(Space) : result.ToString();
    }

    /// <summary>A word is some spaces and what follows up to the next.</summary>
    private static int WordLength(ReadOnlySpan<char> text)
    {
        var spaces = text.IndexOfAnyExcept(Space);
        var rest = spaces < 0 ? -1 : text[spaces..].IndexOf(Space);
        return rest < 0 ? text.Length : spaces + rest;
    }

    private void AppendWord(ReadOnlySpan<char> word, List<int> ids)
    {
        if (word.Length > LongestCachedWord || !_model.ByteFallback) // without bytes, unknown characters fuse across words
        {
            BpeMerger.Encode(word, _vocabulary, ids);
            return;
        }

        if (!_words.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(word, out var known))
        {
            var fresh = new List<int>();
            BpeMerger.Encode(word, _vocabulary, fresh);
            known = [.. fresh];
            if (Interlocked.Increment(ref _wordCount) <= MostCachedWords)
            {
                _words[word.ToString()] = known;
            }
        }

        ids.AddRange(known);
    }
}

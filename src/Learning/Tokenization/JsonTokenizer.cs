using System.Text;
using System.Text.Json;
using FedChain.Learning.Tokenization.Json;

namespace FedChain.Learning.Tokenization;

/// <summary>
/// A tokenizer read from Hugging Face's <c>tokenizer.json</c>: added tokens, normaliser, pre-tokeniser, byte-pair encoding (Sennrich et al. 2016), template and
/// decoder, each as github.com/huggingface/tokenizers computes it. A part that isn't reproduced here is refused by name. Instances can be used from several threads.
/// </summary>
public sealed class JsonTokenizer : ITokenizer
{
    public const string FileName = "tokenizer.json";

    private readonly AddedTokens _added;
    private readonly BpeModel _model;
    private readonly Func<string, string> _normalize;
    private readonly PreTokenizer _preTokenize;
    private readonly TokenDecoder _decode;
    private readonly (int[] Before, int[] After) _template;

    private JsonTokenizer(JsonElement root, int? endToken)
    {
        Parts.Only(root, "tokenizer", "version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "model");
        _model = BpeModel.Read(Parts.Needed(root, "tokenizer", "model"));
        _normalize = Normalizers.Read(Parts.Optional(root, "normalizer"));
        _preTokenize = PreTokenizers.Read(Parts.Optional(root, "pre_tokenizer"));
        _added = AddedTokens.Read(Parts.Optional(root, "added_tokens"), _normalize);
        _decode = TokenDecoders.Read(Parts.Optional(root, "decoder"));
        _template = Templates.Read(Parts.Optional(root, "post_processor"));
        VocabularySize = Math.Max(_model.Size, _added.LargestId + 1);
        BosId = _template.Before is [var begin] ? begin : null;
        EosId = endToken < VocabularySize ? endToken : null;
        NewlineId = EncodeOrdinary("\n") is [var newline] ? newline : null;
    }

    /// <inheritdoc/>
    public int VocabularySize { get; }

    /// <summary>What the template puts before a text; null where that isn't exactly one token.</summary>
    public int? BosId { get; }

    /// <summary>The model's first end token, as its config.json names it.</summary>
    public int? EosId { get; }

    /// <inheritdoc/>
    public int? NewlineId { get; }

    /// <param name="path">A <c>tokenizer.json</c>.</param>
    /// <param name="endToken">What ends a sequence: the file itself doesn't say.</param>
    /// <exception cref="InvalidDataException">Malformed, or with a part that can't be reproduced; the message names it.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static JsonTokenizer Load(string path, int? endToken = null)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path), new JsonDocumentOptions { MaxDepth = 32 });
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? new JsonTokenizer(document.RootElement, endToken)
                : throw new InvalidDataException("Expected a JSON object.");
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException($"{path} is not a well-formed tokenizer.json: {e.Message}", e);
        }
    }

    /// <summary>The ids of a text. Added tokens within it (such as <c>&lt;|endoftext|&gt;</c>) are recognised, as Hugging Face does.</summary>
    public int[] Encode(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ids = new List<int>(text.Length / 3);
        var first = true;
        foreach (var (piece, added) in _added.Split(WellFormed(text)))
        {
            if (added is { } id)
            {
                ids.Add(id);
            }
            else
            {
                Append(piece, first, ids);
            }

            first = false;
        }

        return [.. ids];
    }

    /// <summary>Whether a token is one that is looked for in a text as it stands, such as <c>&lt;|im_end|&gt;</c>, rather than put together from the vocabulary.</summary>
    public bool IsAdded(int id) => _added.TextOf(id) is not null;

    /// <summary>The ids of a text, with what the template puts before and after it.</summary>
    public int[] EncodeWithTemplate(string text) => [.. _template.Before, .. Encode(text), .. _template.After];

    /// <inheritdoc/>
    public string Decode(ReadOnlySpan<int> ids, bool atStart = true) => Encoding.UTF8.GetString(DecodeBytes(ids, atStart));

    /// <inheritdoc/>
    public ReadOnlySpan<byte> DecodeBytes(ReadOnlySpan<int> ids, bool atStart = true) => Bytes(ids, skipSpecial: true, atStart);

    /// <summary>The text of ids, special tokens included by their names.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An id is outside the vocabulary.</exception>
    public string DecodeWithSpecial(ReadOnlySpan<int> ids) => Encoding.UTF8.GetString(Bytes(ids, skipSpecial: false, atStart: true));

    private byte[] Bytes(ReadOnlySpan<int> ids, bool skipSpecial, bool atStart)
    {
        var tokens = new List<string>(ids.Length);
        foreach (var id in ids)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(id, nameof(ids));
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(id, VocabularySize, nameof(ids));
            if ((_added.TextOf(id) ?? _model.TextOf(id)) is { } token && !(skipSpecial && _added.IsSpecial(id)))
            {
                tokens.Add(token);
            }
        }

        return _decode(tokens, atStart);
    }

    private int[] EncodeOrdinary(string text)
    {
        var ids = new List<int>();
        Append(text, isStart: false, ids);
        return [.. ids];
    }

    /// <summary>Encodes what lies between added tokens.</summary>
    private void Append(string piece, bool isStart, List<int> ids)
    {
        foreach (var (part, added) in _added.SplitNormalized(_normalize(piece)))
        {
            if (added is { } id)
            {
                ids.Add(id);
            }
            else
            {
                foreach (var word in _preTokenize(part, isStart))
                {
                    _model.Append(word, ids);
                }
            }

            isStart = false;
        }
    }

    /// <summary>Half a surrogate pair is no character; it becomes U+FFFD, as when such a text is written as UTF-8.</summary>
    private static string WellFormed(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogate(text[i]) && !(char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[++i])))
            {
                return string.Concat(text.EnumerateRunes());
            }
        }

        return text;
    }
}

namespace FedChain.Learning.Tokenization;

/// <summary>A checkpoint's own tokenizer: <see cref="SentencePieceTokenizer"/> or <see cref="JsonTokenizer"/>. Instances can be used from several threads.</summary>
public interface ITokenizer
{
    /// <summary>Ids are below it.</summary>
    int VocabularySize { get; }

    /// <summary>Begins a sequence; null where sequences begin with nothing in particular.</summary>
    int? BosId { get; }

    /// <summary>Ends a sequence; null where the vocabulary has no such token.</summary>
    int? EosId { get; }

    /// <summary>A line feed by itself; null where the vocabulary can't write one.</summary>
    int? NewlineId { get; }

    /// <summary>The ids of a text, without what begins and ends a sequence.</summary>
    int[] Encode(string text);

    /// <summary>
    /// The text of ids; what begins and ends sequences is silent, bytes that are no UTF-8 become U+FFFD. With <paramref name="atStart"/> a space that
    /// <see cref="Encode"/> put before the text is dropped; pass false for the continuation of a text.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">An id is outside the vocabulary.</exception>
    string Decode(ReadOnlySpan<int> ids, bool atStart = true);

    /// <summary>As <see cref="Decode"/>, but leaves bytes that are no UTF-8 as they are (a cut may fall into a character).</summary>
    /// <exception cref="ArgumentOutOfRangeException">An id is outside the vocabulary.</exception>
    ReadOnlySpan<byte> DecodeBytes(ReadOnlySpan<int> ids, bool atStart = true);
}

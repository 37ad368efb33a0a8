using System.Security.Cryptography;
using System.Text;
using FedChain.Learning.Data.Generated;
using FedChain.Learning.Tokenization;

namespace FedChain.Tests.Learning.Tokenization;

public sealed class BpeTrainerTests
{
    private const int Fixed = 3 + 256; // unknown, BOS, EOS and the bytes

    private static readonly List<string> General = [.. GeneralCorpus.Generate(1, 400).SelectMany(record => new[] { record.Prompt, record.Response })];

    [Fact]
    public void The_most_frequent_pair_is_merged_first()
    {
        var model = BpeTrainer.Train(["low low low low lower lower newest newest newest newest newest newest widest widest widest"], Fixed + 11 + 4);
        Assert.Equal(["es", "est", "ew", "lo"], Merges(model)); // 9, 9, then 6 times; by code unit among equals
    }

    [Fact]
    public void The_vocabulary_is_the_one_that_sentencepiece_learns()
    {
        // spm_train 0.1.97 --model_type=bpe --vocab_size=600 --byte_fallback --normalization_rule_name=identity --remove_extra_whitespaces=false --character_coverage=0.9995 --split_digits
        var model = BpeTrainer.Train(General, 600);
        Assert.Equal(
            "a116a3e8bf1eab8cde35788830afd07425e52b0281cd9022c417845bc728f6d5",
            Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', model.Pieces.Select(piece => piece.Text))))));
    }

    [Fact]
    public void The_order_of_the_texts_does_not_matter() =>
        Assert.Equal(BpeTrainer.Train(General, 500).ToBytes(), BpeTrainer.Train(Enumerable.Reverse(General), 500).ToBytes());

    [Fact]
    public void Digits_stay_single_and_letters_do_not_merge_with_punctuation()
    {
        var model = BpeTrainer.Train(Enumerable.Repeat("in 2026 a (b) c.", 50), 400);
        Assert.DoesNotContain(Merges(model), piece => piece.Any(char.IsDigit));
        Assert.DoesNotContain(Merges(model), piece => piece.Any(char.IsLetter) && piece.Any(char.IsPunctuation));
    }

    [Fact]
    public void With_nothing_left_to_merge_the_vocabulary_stays_smaller() =>
        Assert.Equal(["▁a"], Merges(BpeTrainer.Train(["a a a"], 1000)));

    [Fact]
    public void A_vocabulary_without_room_for_the_characters_is_refused()
    {
        var error = Assert.Throws<ArgumentException>(() => BpeTrainer.Train(["abc"], Fixed + 3));
        Assert.Contains((Fixed + 4).ToString(), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Microsofts_library_reads_the_file_and_gives_the_same_ids()
    {
        var model = BpeTrainer.Train(General, 600);
        var ours = new SentencePieceTokenizer(SentencePieceModel.Read(model.ToBytes()));
        using var stream = new MemoryStream(model.ToBytes());
        var theirs = Microsoft.ML.Tokenizers.SentencePieceTokenizer.Create(stream, addBeginningOfSentence: false, addEndOfSentence: false);
        foreach (var text in General.Concat(["naïve café 12.5", "a\nb\tc", "日本 🙂 ok"]))
        {
            Assert.Equal(theirs.EncodeToIds(text, addBeginningOfSentence: false, addEndOfSentence: false), ours.Encode(text));
            Assert.Equal(text, ours.Decode(ours.Encode(text)));
        }
    }

    private static IEnumerable<string> Merges(SentencePieceModel model) =>
        model.Pieces.Where(piece => piece.Kind == PieceKind.Normal && piece.Text.EnumerateRunes().Count() > 1).Select(piece => piece.Text);
}

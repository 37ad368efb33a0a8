using System.Text;
using CsCheck;
using FedChain.Learning.Tokenization;

namespace FedChain.Tests.Learning.Tokenization;

public sealed class SentencePieceTokenizerTests
{
    [Fact]
    public void A_text_of_one_character_has_ids() =>
        Assert.Equal(["▁a"], PiecesOf(Tokenizer(), "a"));

    [Fact]
    public void The_pair_with_the_highest_score_is_merged_first_and_the_leftmost_among_equals()
    {
        var tokenizer = Tokenizer();
        Assert.Equal(["▁", "b", "ab"], PiecesOf(tokenizer, "bab")); // "ab" before "ba"
        Assert.Equal(["▁", "cc", "c"], PiecesOf(tokenizer, "ccc"));
    }

    [Fact]
    public void Characters_outside_the_vocabulary_become_their_bytes() =>
        Assert.Equal(["▁", "<0xC3>", "<0xA9>", "<0x0A>"], PiecesOf(Tokenizer(), "é\n"));

    [Fact]
    public void Without_byte_fallback_a_run_of_unknown_characters_is_one_piece()
    {
        var tokenizer = new SentencePieceTokenizer(Toy() with { ByteFallback = false });
        Assert.Equal(["▁", "<unk>", "b", "<unk>"], PiecesOf(tokenizer, "zzbzz"));
        Assert.Equal(" ⁇ b ⁇ ", tokenizer.Decode(tokenizer.Encode("zzbzz")));
        Assert.Null(tokenizer.NewlineId);
    }

    [Fact]
    public void Names_of_control_pieces_in_a_text_are_ordinary_characters()
    {
        var tokenizer = Tokenizer();
        var ids = tokenizer.Encode("<s></s>");
        Assert.DoesNotContain(tokenizer.BosId!.Value, ids);
        Assert.DoesNotContain(tokenizer.EosId!.Value, ids);
        Assert.Equal("<s></s>", tokenizer.Decode(ids));
    }

    [Fact]
    public void User_defined_pieces_are_never_cut_nor_merged()
    {
        var toy = Toy();
        var tokenizer = new SentencePieceTokenizer(toy with { Pieces = [.. toy.Pieces, new Piece("[ab]", 0, PieceKind.UserDefined)] });
        Assert.Equal(["▁a", "[ab]", "ab"], PiecesOf(tokenizer, "a[ab]ab"));
    }

    [Fact]
    public void Extra_white_space_is_dropped_only_where_the_model_says_so()
    {
        var keeping = Tokenizer();
        Assert.Equal("  a  b ", keeping.Decode(keeping.Encode("  a  b ")));
        var dropping = new SentencePieceTokenizer(Toy() with { RemoveExtraWhitespaces = true });
        Assert.Equal("a b", dropping.Decode(dropping.Encode("  a  b ")));
        Assert.Empty(dropping.Encode("   "));
    }

    [Fact]
    public void The_continuation_of_a_text_keeps_its_leading_space()
    {
        var tokenizer = Tokenizer();
        Assert.Equal("ab", tokenizer.Decode(tokenizer.Encode("ab")));
        Assert.Equal(" ab", tokenizer.Decode(tokenizer.Encode("ab"), atStart: false));
    }

    [Fact]
    public void Control_pieces_decode_to_nothing_and_ids_outside_the_vocabulary_are_refused()
    {
        var tokenizer = Tokenizer();
        Assert.Equal("ab", tokenizer.Decode([tokenizer.BosId!.Value, .. tokenizer.Encode("ab"), tokenizer.EosId!.Value]));
        Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.Decode([tokenizer.VocabularySize]));
        Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.Decode([-1]));
    }

    [Fact]
    public void Half_a_character_decodes_to_its_bytes()
    {
        var tokenizer = Tokenizer();
        var ids = tokenizer.Encode("aé");
        Assert.Equal(new byte[] { (byte)'a', 0xC3 }, tokenizer.DecodeBytes(ids.AsSpan()[..^1]).ToArray());
        Assert.Equal("a\ufffd", tokenizer.Decode(ids.AsSpan()[..^1]));
    }

    [Fact]
    public void Every_text_comes_back() =>
        Gen.String.Sample(text =>
        {
            var tokenizer = Tokenizer();
            var whole = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)); // half surrogate pairs become U+FFFD
            var expected = whole.Replace('\u2581', ' '); // what is written as a space can't be told from one
            Assert.Equal(expected, tokenizer.Decode(tokenizer.Encode(text)));
        });

    [Fact]
    public void Words_encoded_for_themselves_give_the_same_ids_as_the_whole_text()
    {
        var toy = Toy();
        var whole = new SentencePieceTokenizer(toy with { Pieces = [.. toy.Pieces, new Piece("b▁c", -100, PieceKind.Normal)] }); // crosses a border, so nothing is cut
        var byWord = Tokenizer();
        Gen.String[Gen.Char["abc é"], 0, 40].Where(text => !text.Contains("b c", StringComparison.Ordinal))
            .Sample(text => Assert.Equal(whole.Encode(text), byWord.Encode(text)));
    }

    [Fact]
    public void A_long_text_without_spaces_takes_no_quadratic_time()
    {
        var tokenizer = Tokenizer();
        Assert.Equal(200_000, tokenizer.Decode(tokenizer.Encode(new string('a', 200_000))).Length); // minutes if each merge searched the whole text
    }

    /// <summary>Vocabulary: bytes, ▁, a, b, c and some merges. Keeps extra white space.</summary>
    internal static SentencePieceModel Toy()
    {
        List<Piece> pieces = [new("<unk>", 0, PieceKind.Unknown), new("<s>", 0, PieceKind.Control), new("</s>", 0, PieceKind.Control)];
        pieces.AddRange(Enumerable.Range(0, 256).Select(value => new Piece($"<0x{value:X2}>", 0, PieceKind.Byte)));
        string[] normal = ["ab", "ba", "cc", "▁a", "▁", "a", "b", "c"];
        pieces.AddRange(normal.Select((text, rank) => new Piece(text, -rank, PieceKind.Normal)));
        return new SentencePieceModel { Pieces = pieces, ByteFallback = true, RemoveExtraWhitespaces = false };
    }

    internal static SentencePieceTokenizer Tokenizer() => new(Toy());

    private static IEnumerable<string> PiecesOf(SentencePieceTokenizer tokenizer, string text) => tokenizer.Encode(text).Select(id => tokenizer.Pieces[id].Text);
}

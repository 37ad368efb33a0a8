using CsCheck;
using FedChain.Learning.Tokenization;
using Google.Protobuf;

namespace FedChain.Tests.Learning.Tokenization;

public sealed class SentencePieceModelTests
{
    [Fact]
    public void What_is_written_is_read_back()
    {
        var model = SentencePieceTokenizerTests.Toy() with { AddDummyPrefix = false, BosPiece = "<b>", EosPiece = "<e>", UnknownSurface = "?" };
        var read = SentencePieceModel.Read(model.ToBytes());
        Assert.Equal(model.Pieces, read.Pieces);
        Assert.Equal(model with { Pieces = read.Pieces }, read);
    }

    [Fact]
    public void A_unigram_model_is_refused_by_name()
    {
        var error = Assert.Throws<InvalidDataException>(() => SentencePieceModel.Read(Model(trainer => Varint(trainer, 3, 1))));
        Assert.Contains("unigram", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_without_a_type_is_a_unigram_model() =>
        Assert.Throws<InvalidDataException>(() => SentencePieceModel.Read(Model(_ => { })));

    [Fact]
    public void A_model_that_rewrites_characters_is_refused_by_name()
    {
        var error = Assert.Throws<InvalidDataException>(() => SentencePieceModel.Read(Model(trainer => Varint(trainer, 3, 2), normalizer =>
        {
            normalizer.WriteTag(1, WireFormat.WireType.LengthDelimited);
            normalizer.WriteString("nmt_nfkc");
            normalizer.WriteTag(2, WireFormat.WireType.LengthDelimited);
            normalizer.WriteBytes(ByteString.CopyFrom(1, 2, 3));
        })));
        Assert.Contains("nmt_nfkc", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_vocabulary_that_lacks_a_needed_piece_or_has_one_twice_is_refused_by_name()
    {
        var toy = SentencePieceTokenizerTests.Toy();
        AssertRefused(toy with { Pieces = [.. toy.Pieces.Where(p => p.Text != "<0x41>")] }, "<0x41>");
        AssertRefused(toy with { Pieces = [.. toy.Pieces.Where(p => p.Kind != PieceKind.Unknown)] }, "UNKNOWN");
        AssertRefused(toy with { Pieces = [.. toy.Pieces, new Piece("ab", 0, PieceKind.Normal)] }, "'ab' twice");
        AssertRefused(toy with { Pieces = [.. toy.Pieces, new Piece("<0xZZ>", 0, PieceKind.Byte)] }, "<0xZZ>");

        static void AssertRefused(SentencePieceModel model, string part) =>
            Assert.Contains(part, Assert.Throws<InvalidDataException>(() => new SentencePieceTokenizer(model)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_bytes_are_read_or_refused()
    {
        var valid = SentencePieceTokenizerTests.Toy().ToBytes();
        Gen.Select(Gen.Int[0, valid.Length - 1], Gen.Byte, Gen.Int[0, valid.Length]).Sample((at, value, length) =>
        {
            var damaged = valid.ToArray();
            damaged[at] = value;
            ReadOrRefuse(damaged);
            ReadOrRefuse(damaged[..length]);
        });
        Gen.Byte.Array[0, 200].Sample(ReadOrRefuse);

        static void ReadOrRefuse(byte[] bytes)
        {
            try
            {
                new SentencePieceTokenizer(SentencePieceModel.Read(bytes)).Encode("abc é");
            }
            catch (InvalidDataException)
            {
                // refused, as documented
            }
        }
    }

    [Fact]
    public void A_folder_without_a_tokenizer_or_with_another_kind_is_refused_by_name()
    {
        var folder = Directory.CreateTempSubdirectory("fedchain-tokenizer-").FullName;
        try
        {
            Assert.Contains("no tokenizer", Assert.Throws<InvalidDataException>(() => TokenizerFolder.Load(folder)).Message, StringComparison.Ordinal);
            File.WriteAllText(Path.Combine(folder, "tokenizer.model"), "not a protobuf");
            Assert.Contains("tokenizer.model", Assert.Throws<InvalidDataException>(() => TokenizerFolder.Load(folder)).Message, StringComparison.Ordinal);
            File.WriteAllText(Path.Combine(folder, "tokenizer.json"), "{\"model\":{\"type\":\"WordPiece\"}}"); // of both, as Hugging Face does
            Assert.Contains("tokenizer.json: The model's type = \"WordPiece\" is not supported", Assert.Throws<InvalidDataException>(() => TokenizerFolder.Load(folder)).Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static byte[] Model(Action<CodedOutputStream> trainer, Action<CodedOutputStream>? normalizer = null)
    {
        var pieces = SentencePieceTokenizerTests.Toy().Pieces.Take(1).Select(piece => Message(1, output =>
        {
            output.WriteTag(1, WireFormat.WireType.LengthDelimited);
            output.WriteString(piece.Text);
            Varint(output, 3, (uint)piece.Kind);
        }));
        return [.. pieces.SelectMany(bytes => bytes), .. Message(2, trainer), .. Message(3, normalizer ?? (_ => { }))];
    }

    private static byte[] Message(int field, Action<CodedOutputStream> write)
    {
        using var inner = new MemoryStream();
        using (var output = new CodedOutputStream(inner, leaveOpen: true))
        {
            write(output);
        }

        using var outer = new MemoryStream();
        using (var output = new CodedOutputStream(outer, leaveOpen: true))
        {
            output.WriteTag(field, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(ByteString.CopyFrom(inner.ToArray()));
        }

        return outer.ToArray();
    }

    private static void Varint(CodedOutputStream output, int field, uint value)
    {
        output.WriteTag(field, WireFormat.WireType.Varint);
        output.WriteUInt32(value);
    }
}

using System.Text;
using Google.Protobuf;

namespace FedChain.Learning.Tokenization;

/// <summary>What a vocabulary entry is; the numbers are those of sentencepiece_model.proto.</summary>
public enum PieceKind
{
    Normal = 1,
    Unknown = 2,
    Control = 3,
    UserDefined = 4,
    Unused = 5,
    Byte = 6,
}

/// <summary>One entry of the vocabulary; its index is its id. Of two possible merges, the one whose piece scores higher goes first.</summary>
public sealed record Piece(string Text, float Score, PieceKind Kind);

/// <summary>
/// A SentencePiece BPE vocabulary as the file <c>tokenizer.model</c> holds it: a protobuf ModelProto
/// (github.com/google/sentencepiece, src/sentencepiece_model.proto). Only the fields that decide about ids are kept.
/// </summary>
public sealed record SentencePieceModel
{
    private const int MaxFileBytes = 64 << 20;
    private const uint BpeModelType = 2;

    public required IReadOnlyList<Piece> Pieces { get; init; }

    /// <summary>Unknown characters become their UTF-8 bytes, one <c>&lt;0xNN&gt;</c> piece each.</summary>
    public bool ByteFallback { get; init; }

    /// <summary>A space is put before the text, so that the first word looks like every other.</summary>
    public bool AddDummyPrefix { get; init; } = true;

    /// <summary>Leading, trailing and doubled spaces are dropped.</summary>
    public bool RemoveExtraWhitespaces { get; init; } = true;

    public string BosPiece { get; init; } = "<s>";

    public string EosPiece { get; init; } = "</s>";

    /// <summary>What an unknown piece decodes to.</summary>
    public string UnknownSurface { get; init; } = " \u2047 ";

    /// <exception cref="InvalidDataException">The file is no SentencePiece model, or of a kind that is not supported; the message names it.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static SentencePieceModel Load(string path)
    {
        if (new FileInfo(path).Length > MaxFileBytes)
        {
            throw new InvalidDataException($"{path}: a SentencePiece model has at most {MaxFileBytes >> 20} MiB; this file has {new FileInfo(path).Length >> 20}.");
        }

        try
        {
            return Read(File.ReadAllBytes(path));
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
    }

    /// <exception cref="InvalidDataException">The bytes are no SentencePiece model, or of a kind that is not supported; the message names it.</exception>
    public static SentencePieceModel Read(byte[] bytes)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        try
        {
            return ReadModel(new CodedInputStream(bytes));
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or DecoderFallbackException)
        {
            throw new InvalidDataException($"Expected a SentencePiece model (protobuf); {e.Message}", e);
        }
    }

    public byte[] ToBytes()
    {
        using var stream = new MemoryStream();
        using (var output = new CodedOutputStream(stream, leaveOpen: true))
        {
            foreach (var piece in Pieces)
            {
                WriteMessage(output, 1, inner =>
                {
                    inner.WriteTag(1, WireFormat.WireType.LengthDelimited);
                    inner.WriteString(piece.Text);
                    inner.WriteTag(2, WireFormat.WireType.Fixed32);
                    inner.WriteFloat(piece.Score);
                    inner.WriteTag(3, WireFormat.WireType.Varint);
                    inner.WriteEnum((int)piece.Kind);
                });
            }

            WriteMessage(output, 2, inner =>
            {
                WriteVarint(inner, 3, BpeModelType);
                WriteVarint(inner, 4, (uint)Pieces.Count);
                WriteVarint(inner, 25, 1); // split_digits: as the trainer here does it
                WriteVarint(inner, 35, ByteFallback ? 1u : 0);
                WriteText(inner, 44, UnknownSurface);
                WriteText(inner, 46, BosPiece);
                WriteText(inner, 47, EosPiece);
            });
            WriteMessage(output, 3, inner =>
            {
                WriteText(inner, 1, "identity");
                WriteVarint(inner, 3, AddDummyPrefix ? 1u : 0);
                WriteVarint(inner, 4, RemoveExtraWhitespaces ? 1u : 0);
                WriteVarint(inner, 5, 1);
            });
        }

        return stream.ToArray();
    }

    private static SentencePieceModel ReadModel(CodedInputStream input)
    {
        var pieces = new List<Piece>();
        var model = new SentencePieceModel { Pieces = pieces };
        for (uint tag; (tag = input.ReadTag()) != 0;)
        {
            switch (WireFormat.GetTagFieldNumber(tag), WireFormat.GetTagWireType(tag))
            {
                case (1, WireFormat.WireType.LengthDelimited):
                    pieces.Add(ReadPiece(input.ReadBytes().CreateCodedInput(), pieces.Count));
                    break;
                case (2, WireFormat.WireType.LengthDelimited):
                    model = ReadTrainerSpec(input.ReadBytes().CreateCodedInput(), model);
                    break;
                case (3, WireFormat.WireType.LengthDelimited):
                    model = ReadNormalizerSpec(input.ReadBytes().CreateCodedInput(), model);
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }

        if (pieces.Count == 0)
        {
            throw new InvalidDataException("Expected a SentencePiece model; the file has no vocabulary.");
        }

        return model;
    }

    private static Piece ReadPiece(CodedInputStream input, int id)
    {
        var piece = new Piece("", 0, PieceKind.Normal);
        for (uint tag; (tag = input.ReadTag()) != 0;)
        {
            switch (WireFormat.GetTagFieldNumber(tag), WireFormat.GetTagWireType(tag))
            {
                case (1, WireFormat.WireType.LengthDelimited):
                    piece = piece with { Text = input.ReadString() };
                    break;
                case (2, WireFormat.WireType.Fixed32):
                    piece = piece with { Score = input.ReadFloat() };
                    break;
                case (3, WireFormat.WireType.Varint):
                    piece = piece with { Kind = (PieceKind)input.ReadEnum() };
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }

        return piece.Text.Length == 0 ? throw new InvalidDataException($"Piece {id} of the vocabulary has no text.")
            : float.IsNaN(piece.Score) ? throw new InvalidDataException($"Piece {id} ('{piece.Text}') has no score to order merges by (NaN).")
            : !Enum.IsDefined(piece.Kind) ? throw new InvalidDataException($"Piece {id} ('{piece.Text}') is of unknown type {(int)piece.Kind}.")
            : piece;
    }

    private static SentencePieceModel ReadTrainerSpec(CodedInputStream input, SentencePieceModel model)
    {
        var type = 1u; // proto default: unigram
        var suffix = false;
        for (uint tag; (tag = input.ReadTag()) != 0;)
        {
            switch (WireFormat.GetTagFieldNumber(tag), WireFormat.GetTagWireType(tag))
            {
                case (3, WireFormat.WireType.Varint):
                    type = input.ReadUInt32();
                    break;
                case (24, WireFormat.WireType.Varint):
                    suffix = input.ReadBool();
                    break;
                case (35, WireFormat.WireType.Varint):
                    model = model with { ByteFallback = input.ReadBool() };
                    break;
                case (44, WireFormat.WireType.LengthDelimited):
                    model = model with { UnknownSurface = input.ReadString() };
                    break;
                case (46, WireFormat.WireType.LengthDelimited):
                    model = model with { BosPiece = input.ReadString() };
                    break;
                case (47, WireFormat.WireType.LengthDelimited):
                    model = model with { EosPiece = input.ReadString() };
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }

        if (type != BpeModelType)
        {
            var name = type switch { 1 => "unigram", 3 => "word", 4 => "char", _ => $"number {type}" };
            throw new InvalidDataException($"Expected a SentencePiece model of type BPE; this one is of type {name}, which is not supported.");
        }

        return suffix ? throw new InvalidDataException("SentencePiece models that treat white space as a suffix are not supported.") : model;
    }

    private static SentencePieceModel ReadNormalizerSpec(CodedInputStream input, SentencePieceModel model)
    {
        var name = "";
        var charsMap = 0;
        var escape = true;
        for (uint tag; (tag = input.ReadTag()) != 0;)
        {
            switch (WireFormat.GetTagFieldNumber(tag), WireFormat.GetTagWireType(tag))
            {
                case (1, WireFormat.WireType.LengthDelimited):
                    name = input.ReadString();
                    break;
                case (2, WireFormat.WireType.LengthDelimited):
                    charsMap = input.ReadBytes().Length;
                    break;
                case (3, WireFormat.WireType.Varint):
                    model = model with { AddDummyPrefix = input.ReadBool() };
                    break;
                case (4, WireFormat.WireType.Varint):
                    model = model with { RemoveExtraWhitespaces = input.ReadBool() };
                    break;
                case (5, WireFormat.WireType.Varint):
                    escape = input.ReadBool();
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }

        return charsMap > 0 ? throw new InvalidDataException(
                $"Expected a SentencePiece model that leaves characters as they are (normaliser 'identity'); this one uses '{name}', which is not supported.")
            : !escape ? throw new InvalidDataException("SentencePiece models that do not escape white space are not supported.")
            : model;
    }

    private static void WriteMessage(CodedOutputStream output, int field, Action<CodedOutputStream> write)
    {
        using var stream = new MemoryStream();
        using (var inner = new CodedOutputStream(stream, leaveOpen: true))
        {
            write(inner);
        }

        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(ByteString.CopyFrom(stream.GetBuffer(), 0, (int)stream.Length));
    }

    private static void WriteVarint(CodedOutputStream output, int field, uint value)
    {
        output.WriteTag(field, WireFormat.WireType.Varint);
        output.WriteUInt32(value);
    }

    private static void WriteText(CodedOutputStream output, int field, string value)
    {
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteString(value);
    }
}

using System.Globalization;

namespace FedChain.Learning.Tokenization;

/// <summary>The pieces of a SentencePiece model by name and purpose, checked once.</summary>
internal sealed class BpeVocabulary
{
    public const char Space = '\u2581';

    private readonly Dictionary<string, int> _mergeable = [];
    private readonly Dictionary<string, int> _reserved = [];
    private readonly int?[] _byteIds = new int?[256];

    public BpeVocabulary(SentencePieceModel model)
    {
        Model = model;
        for (var id = 0; id < model.Pieces.Count; id++)
        {
            Register(id, model.Pieces[id]);
        }

        if (_reserved.Values.Count(id => model.Pieces[id].Kind == PieceKind.Unknown) != 1)
        {
            throw new InvalidDataException("Expected exactly one piece of type UNKNOWN in the vocabulary.");
        }

        UnknownId = _reserved.Values.Single(id => model.Pieces[id].Kind == PieceKind.Unknown);
        if (model.ByteFallback && Array.IndexOf(_byteIds, null) is var missing and >= 0)
        {
            throw new InvalidDataException($"The model falls back to bytes, but the vocabulary lacks the piece <0x{missing:X2}>.");
        }

        UserDefined = [.. model.Pieces.Where(p => p.Kind == PieceKind.UserDefined).Select(p => p.Text).OrderByDescending(text => text.Length)];
        WordsAreIndependent = UserDefined.Length == 0 && !_mergeable.Keys.Any(text => text.AsSpan().TrimStart(Space).Contains(Space));
    }

    public SentencePieceModel Model { get; }

    public int UnknownId { get; }

    /// <summary>Pieces that are matched as a whole before anything is merged, longest first.</summary>
    public string[] UserDefined { get; }

    /// <summary>No piece goes on after a word's end, so no merge crosses it, and each word can be encoded for itself.</summary>
    public bool WordsAreIndependent { get; }

    public static byte ByteOf(Piece piece) => byte.Parse(piece.Text.AsSpan(3, 2), NumberStyles.AllowHexSpecifier);

    public int? ControlId(string name) =>
        _reserved.TryGetValue(name, out var id) && Model.Pieces[id].Kind == PieceKind.Control ? id : null;

    public int? ByteId(byte value) => Model.ByteFallback ? _byteIds[value] : null;

    public bool TryGetId(ReadOnlySpan<char> text, out int id) => _mergeable.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(text, out id);

    public float Score(int id) => Model.Pieces[id].Score;

    private void Register(int id, Piece piece)
    {
        var names = piece.Kind is PieceKind.Normal or PieceKind.UserDefined ? _mergeable : _reserved;
        if (!names.TryAdd(piece.Text, id))
        {
            throw new InvalidDataException($"The vocabulary has the piece '{piece.Text}' twice (ids {names[piece.Text]} and {id}).");
        }

        if (piece.Kind == PieceKind.Unused)
        {
            throw new InvalidDataException($"Piece {id} ('{piece.Text}') is of type UNUSED, which is not supported.");
        }

        if (piece.Kind == PieceKind.Byte)
        {
            if (piece.Text is not ['<', '0', 'x', _, _, '>'] || !byte.TryParse(piece.Text.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, null, out var value))
            {
                throw new InvalidDataException($"Piece {id} ('{piece.Text}') is of type BYTE; expected a name such as <0x0A>.");
            }

            _byteIds[value] = id;
        }
    }
}

using System.Globalization;
using FedChain.Node.Adapters;
using FedChain.Protocol;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Models;

/// <summary>
/// Which adapter a command is to use: <c>none</c>, <c>kept</c>, <c>round:latest</c>, <c>round:7</c>, <c>imported:NAME</c>, or a PEFT folder; or nothing, and
/// the kept one is used if there is one, else the latest.
/// </summary>
public sealed record AdapterReference
{
    public const string ImportedPrefix = "imported:";

    /// <summary>The forms, for people.</summary>
    public const string Forms = "none, kept, round:latest, round:NUMBER, imported:NAME, or a folder with a PEFT adapter";

    private const string RoundPrefix = "round:";

    private readonly Kind _kind;
    private readonly RoundId _round;
    private readonly KeptAdapter? _kept; // what put this in the place of "kept"

    private AdapterReference(Kind kind, RoundId round = default, string? text = null, KeptAdapter? kept = null) => (_kind, _round, Text, _kept) = (kind, round, text, kept);

    private enum Kind
    {
        Usual,
        None,
        Kept,
        Latest,
        Round,
        Imported,
        Folder,
    }

    /// <summary>Whether this is the base model as it is.</summary>
    public bool IsBaseModel => _kind == Kind.None;

    /// <summary>Whether this is an adapter that a round finalised: the chain says which.</summary>
    public bool IsOfRound => _kind is Kind.Usual or Kind.Latest or Kind.Round;

    /// <summary>Whether this is an adapter that was imported under the name <see cref="Text"/>.</summary>
    public bool IsImported => _kind == Kind.Imported;

    /// <summary>An imported adapter's name, or a PEFT folder's path.</summary>
    public string? Text { get; }

    /// <summary>The kept adapter's digest, where this is one.</summary>
    public Hash256? KeptDigest => _kept?.Adapter;

    /// <summary>For people, where no round is meant.</summary>
    public string Name => $"{_kind switch { Kind.None => "no adapter", Kind.Imported => ImportedPrefix + Text, _ => Text }}{(_kept is null ? "" : " (kept)")}";

    /// <param name="text">One of the forms; null if nothing was said.</param>
    /// <exception cref="UserErrorException">The text is none of the forms.</exception>
    public static AdapterReference Parse(string? text) => text switch
    {
        null => new AdapterReference(Kind.Usual),
        "none" => new AdapterReference(Kind.None),
        "kept" => new AdapterReference(Kind.Kept),
        "round:latest" => new AdapterReference(Kind.Latest),
        _ when text.StartsWith(RoundPrefix, StringComparison.Ordinal)
            && ulong.TryParse(text.AsSpan(RoundPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            => new AdapterReference(Kind.Round, new RoundId(number)),
        _ when text.StartsWith(ImportedPrefix, StringComparison.Ordinal) => new AdapterReference(Kind.Imported, text: ImportedAdapter.CheckedName(text[ImportedPrefix.Length..])),
        _ when Directory.Exists(text) => new AdapterReference(Kind.Folder, text: text),
        _ => throw new UserErrorException($"An adapter is named {Forms}; got '{text}', and there is no such folder."),
    };

    /// <summary>With what the home keeps in the place of <c>kept</c>, or of nothing said.</summary>
    /// <param name="kept">What the home keeps, if anything.</param>
    /// <exception cref="UserErrorException">Nothing is kept.</exception>
    public AdapterReference Settle(KeptAdapter? kept) => (_kind, kept) switch
    {
        (Kind.Kept, null) => throw new UserErrorException("This home keeps no adapter. 'fedchain adapter keep round:NUMBER' keeps one; --adapter round:latest is the newest."),
        (not (Kind.Kept or Kind.Usual), _) or (_, null) => this,
        (_, { Round: { } round }) => new(Kind.Round, round, kept: kept),
        (_, { Imported: { } name }) => new(Kind.Imported, text: name, kept: kept),
        _ => new(Kind.None, kept: kept),
    };

    /// <summary>The finalised round whose adapter is meant; of a settled reference that <see cref="IsOfRound"/>.</summary>
    /// <returns>The round, and its name for people.</returns>
    /// <exception cref="UserErrorException">No such round was finalised, or with another adapter than the kept one.</exception>
    public (RoundState Round, string Name) RoundIn(FederationState federation)
    {
        var round = _kind == Kind.Round ? federation.Round(_round) : federation.Rounds.LastOrDefault(r => r.Winner is not null);
        if (_kept is not null && round?.Winner?.Aggregate != _kept.Adapter)
        {
            throw new UserErrorException($"The kept adapter {_kept.Adapter} is not what the chain says of round {_round}: {round?.Winner?.Aggregate.ToString() ?? "it was not finalised"}. 'fedchain adapter keep' names another.");
        }

        return round?.Winner is not null ? (round, $"round:{round.Id}{(_kept is not null ? " (kept)" : _kind == Kind.Round ? "" : " (latest)")}")
            : throw new UserErrorException(_kind == Kind.Round
                ? $"Round {_round} was not finalised. 'fedchain history' lists those that were."
                : "No round was finalised yet, so there is no global adapter. Use --adapter none for the base model.");
    }
}

using System.Globalization;
using FedChain.Node.Adapters;
using FedChain.Protocol;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Models;

/// <summary>Which adapter a command is to use: <c>none</c>, <c>kept</c>, <c>round:latest</c>, <c>round:7</c>; or nothing, and the kept one is used if there is one, else the latest.</summary>
public sealed record AdapterReference
{
    private readonly Kind _kind;
    private readonly RoundId _round;

    private AdapterReference(Kind kind, RoundId round = default) => (_kind, _round) = (kind, round);

    private enum Kind
    {
        Usual,
        None,
        Kept,
        Latest,
        Round,
    }

    /// <param name="text">One of the forms; null if nothing was said.</param>
    /// <exception cref="UserErrorException">The text is none of the forms.</exception>
    public static AdapterReference Parse(string? text) => text switch
    {
        null => new AdapterReference(Kind.Usual),
        "none" => new AdapterReference(Kind.None),
        "kept" => new AdapterReference(Kind.Kept),
        "round:latest" => new AdapterReference(Kind.Latest),
        _ when text.StartsWith("round:", StringComparison.Ordinal)
            && ulong.TryParse(text.AsSpan("round:".Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            => new AdapterReference(Kind.Round, new RoundId(number)),
        _ => throw new UserErrorException($"An adapter is named none, kept, round:latest or round:NUMBER; got '{text}'."),
    };

    /// <summary>Whether this comes to the base model as it is, whatever the chain says.</summary>
    public bool IsBaseModel(KeptAdapter? kept) => _kind == Kind.None || (_kind is Kind.Usual or Kind.Kept && kept is { Round: null });

    /// <summary>The finalised round whose adapter is meant.</summary>
    /// <param name="kept">What the home keeps, if anything.</param>
    /// <param name="federation">The chain.</param>
    /// <returns>The round, and its name for people; no round for the base model.</returns>
    /// <exception cref="UserErrorException">No such round was finalised, or nothing is kept.</exception>
    public (RoundState? Round, string Name) Resolve(KeptAdapter? kept, FederationState federation)
    {
        if (_kind == Kind.Kept && kept is null)
        {
            throw new UserErrorException("This home keeps no adapter. 'fedchain adapter keep round:NUMBER' keeps one; --adapter round:latest is the newest.");
        }

        if (IsBaseModel(kept))
        {
            return (null, _kind == Kind.None ? "no adapter" : "no adapter (kept)");
        }

        if (_kind is Kind.Usual or Kind.Kept && kept is { Round: { } keptRound })
        {
            return federation.Round(keptRound) is { Winner: { } winner } of && winner.Aggregate == kept.Adapter ? (of, $"round:{keptRound} (kept)")
                : throw new UserErrorException($"The kept adapter {kept.Adapter} is not what the chain says of round {keptRound}: {federation.Round(keptRound)?.Winner?.Aggregate.ToString() ?? "it was not finalised"}. 'fedchain adapter keep' names another.");
        }

        var round = _kind == Kind.Round ? federation.Round(_round) : federation.Rounds.LastOrDefault(r => r.Winner is not null);
        return round?.Winner is not null ? (round, $"round:{round.Id}{(_kind == Kind.Round ? "" : " (latest)")}")
            : throw new UserErrorException(_kind == Kind.Round
                ? $"Round {_round} was not finalised. 'fedchain history' lists those that were."
                : "No round was finalised yet, so there is no global adapter. Use --adapter none for the base model.");
    }
}

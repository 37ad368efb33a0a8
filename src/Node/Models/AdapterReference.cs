using System.Globalization;
using FedChain.Node.Homes;
using FedChain.Protocol;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Models;

/// <summary>Which adapter a command is to use: <c>none</c>, <c>round:latest</c>, <c>round:7</c>.</summary>
public sealed record AdapterReference
{
    private AdapterReference(bool none, RoundId? round) => (None, Round) = (none, round);

    /// <summary>The base model as it is.</summary>
    public bool None { get; }

    /// <summary>The round that finalised it; null for the latest.</summary>
    public RoundId? Round { get; }

    /// <exception cref="UserErrorException">The text is none of the forms.</exception>
    public static AdapterReference Parse(string text) => text switch
    {
        "none" => new AdapterReference(none: true, round: null),
        "round:latest" => new AdapterReference(none: false, round: null),
        _ when text.StartsWith("round:", StringComparison.Ordinal)
            && ulong.TryParse(text.AsSpan("round:".Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            => new AdapterReference(none: false, new RoundId(number)),
        _ => throw new UserErrorException($"--adapter takes none, round:latest or round:NUMBER; got '{text}'."),
    };

    /// <summary>Reads the adapter from the home, checked against the digest on the chain; null for none.</summary>
    /// <exception cref="UserErrorException">No such round was finalised, or the home doesn't hold its adapter.</exception>
    public (Adapter Adapter, Policy Policy)? Read(HomeFolder home, FederationState federation, Func<AdapterConfig, AdapterLayout> layoutOf)
    {
        if (None)
        {
            return null;
        }

        var round = Round is { } id ? federation.Round(id) : federation.Rounds.LastOrDefault(r => r.Winner is not null);
        if (round?.Winner is not { } winner)
        {
            throw new UserErrorException(Round is null ? "No round was finalised yet, so there is no global adapter. Use --adapter none for the base model."
                : $"Round {Round} was not finalised. 'fedchain history' lists those that were.");
        }

        var path = home.AdapterFile(winner.Aggregate);
        if (!File.Exists(path))
        {
            throw new UserErrorException($"This home doesn't hold the adapter {winner.Aggregate} of round {round.Id}. Run 'fedchain node' until it has caught up, or name a round that it took part in.");
        }

        var policy = Policy.Parse(System.Text.Encoding.UTF8.GetBytes(federation.Policies[round.Policy].Json));
        using var file = File.OpenRead(path);
        var adapter = AdapterFile.Read(file, file.Length, policy.Adapter.FractionBits, layoutOf(policy.Adapter), out var digest);
        return digest == winner.Aggregate ? (adapter, policy)
            : throw new InvalidDataException($"{path} has the digest {digest}, but round {round.Id} finalised {winner.Aggregate}. Delete the file; the peer fetches it again.");
    }
}

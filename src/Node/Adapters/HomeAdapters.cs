using FedChain.Node.Chain;
using FedChain.Node.Homes;
using FedChain.Node.Peer;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Adapters;

/// <summary>The global adapters of a home, and how one that it lacks is fetched from the members that serve it.</summary>
internal static class HomeAdapters
{
    /// <summary>Reads a finalised round's adapter, held against the digest on the chain.</summary>
    /// <param name="layout">The layout that it must have; null accepts the file's own.</param>
    /// <exception cref="InvalidDataException">The file is not the one that the chain names.</exception>
    public static Adapter Read(HomeFolder home, RoundState round, Policy policy, AdapterLayout? layout)
    {
        var winner = round.Winner!;
        var path = home.AdapterFile(winner.Aggregate);
        using var file = File.OpenRead(path);
        var adapter = AdapterFile.Read(file, file.Length, policy.Adapter.FractionBits, layout, out var digest);
        return digest == winner.Aggregate ? adapter
            : throw new InvalidDataException($"{path} has the digest {digest}, but round {round.Id} finalised {winner.Aggregate}. Delete the file; it is fetched again.");
    }

    /// <summary>Fetches a finalised round's adapter if the home lacks it. The home's keys are needed for that, since it is sealed to the members.</summary>
    /// <param name="passphrase">Asked for only if something has to be opened.</param>
    /// <exception cref="UserErrorException">The keys are not to be had, or no member serves it.</exception>
    public static async Task EnsureAsync(HomeFolder home, ChainSession session, RoundState round, Func<string> passphrase, CancellationToken cancellationToken)
    {
        var winner = round.Winner!;
        if (File.Exists(home.AdapterFile(winner.Aggregate)))
        {
            return;
        }

        using var keys = home.UnlockPeerKeys(Ask(passphrase, round));
        var seat = session.Reader.State.OperatedBy(keys.Operator.Address)
            ?? throw new UserErrorException($"This home doesn't hold the adapter {winner.Aggregate} of round {round.Id}, and its operator {keys.Operator.Address} has no seat, so nobody would seal it to this home.");
        using var store = HomeStore.Open(home);
        using var fetcher = HomeStore.FetcherInto(store, home.Settings, TimeProvider.System);
        var content = new ContentExchange(fetcher, store, keys.Age, seat.Id);
        try
        {
            var manifest = GlobalManifest.Parse(await content.ManifestAsync(round, winner.Aggregator, winner.Manifest, cancellationToken));
            using var opened = await content.OpenAsync(
                round, winner.Aggregator, manifest.Payload!.Value, manifest.Size, winner.Aggregate, maxSize: manifest.Size, cancellationToken);
            AtomicFile.Write(home.AdapterFile(winner.Aggregate), opened.Plaintext);
        }
        catch (ContentUnavailableException e)
        {
            throw new UserErrorException($"This home doesn't hold the adapter of round {round.Id}, and no member could serve it: {e.Message} Try again when one of them runs its peer.", e);
        }
    }

    private static string Ask(Func<string> passphrase, RoundState round)
    {
        try
        {
            return passphrase();
        }
        catch (UserErrorException e)
        {
            throw new UserErrorException($"This home doesn't hold the adapter {round.Winner!.Aggregate} of round {round.Id}; the members serve it, sealed to this home's keys. {e.Message} Or run 'fedchain node', which fetches the latest by itself.", e);
        }
    }
}

using FedChain.Network.Chain;
using FedChain.Node.Homes;
using FedChain.Protocol;

namespace FedChain.Node.Chain;

/// <summary>A chain and a federation on it, checked to be there: what most commands start with.</summary>
internal sealed class ChainSession : IAsyncDisposable
{
    private readonly HttpClient _http;
    private readonly RpcUrls _urls;
    private readonly EventIndex? _index;

    private ChainSession(HttpClient http, ChainClient client, ulong chainId, Address federation, FederationReader reader, RpcUrls urls, EventIndex? index) =>
        (_http, Client, ChainId, Federation, Reader, _urls, _index) = (http, client, chainId, federation, reader, urls, index);

    public ChainClient Client { get; }

    public ulong ChainId { get; }

    /// <summary>By which URLs the chain is reached, as a home keeps them.</summary>
    public IReadOnlyList<string> Urls => _urls.Given;

    /// <summary>Where a node tells of new blocks, ws or wss; often nowhere.</summary>
    public IReadOnlyList<Uri> Announcements => _urls.Announcements;

    /// <summary>Address of Membership.</summary>
    public Address Federation { get; }

    /// <summary>Has read everything up to now, or as far as it is confirmed.</summary>
    public FederationReader Reader { get; }

    public static Task<ChainSession> OpenAsync(DirectoryInfo? home, IReadOnlyList<string>? rpc, Address? federation, TimeProvider time, CancellationToken cancellationToken) =>
        OpenAsync(home is null ? null : HomeFolder.Open(home.FullName), rpc, federation, time, cancellationToken);

    /// <exception cref="UserErrorException">It isn't said which chain or federation, or there is no federation at the address.</exception>
    /// <exception cref="ChainException">The chain can't be reached.</exception>
    public static Task<ChainSession> OpenAsync(HomeFolder? home, IReadOnlyList<string>? rpc, Address? federation, TimeProvider time, CancellationToken cancellationToken) =>
        OpenAsync(home, rpc, federation, mustReach: false, time, cancellationToken);

    /// <summary>Likewise for what deletes by what the chain says: a node that lags would call things needless that it doesn't know the need of yet.</summary>
    /// <exception cref="UserErrorException">As above, or the node hasn't come as far as this home had read; where there is no other, the home's copy of the log is left as it is.</exception>
    /// <exception cref="ChainException">The chain can't be reached.</exception>
    public static Task<ChainSession> OpenUpToDateAsync(HomeFolder home, IReadOnlyList<string>? rpc, TimeProvider time, CancellationToken cancellationToken) =>
        OpenAsync(home, rpc, federation: null, mustReach: true, time, cancellationToken);

    private static async Task<ChainSession> OpenAsync(
        HomeFolder? home, IReadOnlyList<string>? rpc, Address? federation, bool mustReach, TimeProvider time, CancellationToken cancellationToken)
    {
        var urls = RpcUrls.Of(rpc, home);
        var address = federation ?? home?.Settings.Federation
            ?? throw new UserErrorException("Which federation? Use --federation ADDRESS, or --home DIR of a home that names one.");
        var http = new HttpClient();
        EventIndex? index = null;
        try
        {
            var client = new ChainClient(http, urls.Requests, OptionsOf(home), time);
            var chainId = await client.GetChainIdAsync(cancellationToken);
            if (home?.Settings.ChainId is { } expected && expected != chainId)
            {
                throw new UserErrorException($"{client.Endpoint.Authority} leads to chain {chainId}, but this home's federation is on chain {expected}. Check --rpc, or \"rpc\" in home.json.");
            }

            if ((await client.GetCodeAsync(address, cancellationToken)).Length == 0)
            {
                throw new UserErrorException($"There is no contract at {address} on chain {chainId} ({client.Endpoint.Authority}). Check --federation, and that --rpc leads to the federation's chain.");
            }

            ulong deployed;
            try
            {
                deployed = await new MembershipClient(client, address).GetDeploymentBlockAsync(cancellationToken);
            }
            catch (Exception e) when (e is FormatException or ChainException { IsTransient: false })
            {
                throw new UserErrorException($"The contract at {address} on chain {chainId} is not a FedChain federation: {e.Message} --federation takes the address of Membership.", e);
            }

            index = home is null ? null : EventIndex.Open(home.EventIndexFile, chainId, address);
            var reached = mustReach ? index!.Reached : 0;
            if (reached > 0 && client.Providers.Count == 1)
            {
                RequireReached(await client.GetBlockAsync(BlockTag.Latest, cancellationToken)); // before the copy is cut back to what the node knows
            }

            var reader = new FederationReader(client, address, deployed, time, index);
            await reader.ReadAsync(cancellationToken);
            RequireReached(reader.Head); // of several nodes, that one counts that was read from
            return new ChainSession(http, client, chainId, address, reader, urls, index);

            void RequireReached(ChainBlock? head)
            {
                if (head is null || head.Number < reached)
                {
                    throw new UserErrorException(
                        $"The node {client.Endpoint.Authority} is behind: its latest block is {head?.Number ?? 0}, and this home had read up to block {reached}. What it doesn't know of yet would be taken for needless; nothing was changed. "
                        + $"Run this again once the node has caught up, or name another with --rpc. Only if the chain itself was replaced by a shorter one, delete {home!.EventIndexFile} first.");
                }
            }
        }
        catch
        {
            index?.Dispose();
            http.Dispose();
            throw;
        }
    }

    public ValueTask DisposeAsync()
    {
        _index?.Dispose();
        _http.Dispose();
        return ValueTask.CompletedTask;
    }

    private static ChainOptions OptionsOf(HomeFolder? home) =>
        home is null ? new ChainOptions()
        : home.Settings.ConfirmationsFault is { } fault ? throw new UserErrorException($"{Path.Combine(home.Path, HomeFolder.SettingsFile)}: {fault}. Mend it while the peer is stopped.")
        : new ChainOptions
        {
            PollInterval = TimeSpan.FromMilliseconds(home.Settings.PollMilliseconds),
            ChainId = home.Settings.ChainId,
            Confirmations = (ulong)home.Settings.Confirmations,
        };
}

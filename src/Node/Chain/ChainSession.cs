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
    public static async Task<ChainSession> OpenAsync(HomeFolder? home, IReadOnlyList<string>? rpc, Address? federation, TimeProvider time, CancellationToken cancellationToken)
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
            var reader = new FederationReader(client, address, deployed, time, index);
            await reader.ReadAsync(cancellationToken);
            return new ChainSession(http, client, chainId, address, reader, urls, index);
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

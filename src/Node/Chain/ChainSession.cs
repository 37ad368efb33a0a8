using FedChain.Network.Chain;
using FedChain.Node.Homes;
using FedChain.Protocol;

namespace FedChain.Node.Chain;

/// <summary>A chain and a federation on it, checked to be there: what most commands start with.</summary>
internal sealed class ChainSession : IAsyncDisposable
{
    private readonly HttpClient _http;

    private ChainSession(HttpClient http, ChainClient client, ulong chainId, Address federation, FederationReader reader) =>
        (_http, Client, ChainId, Federation, Reader) = (http, client, chainId, federation, reader);

    public ChainClient Client { get; }

    public ulong ChainId { get; }

    /// <summary>Address of Membership.</summary>
    public Address Federation { get; }

    /// <summary>Has read everything up to now.</summary>
    public FederationReader Reader { get; }

    public static Task<ChainSession> OpenAsync(DirectoryInfo? home, string? rpc, Address? federation, TimeProvider time, CancellationToken cancellationToken) =>
        OpenAsync(home is null ? null : HomeFolder.Open(home.FullName), rpc, federation, time, cancellationToken);

    /// <exception cref="UserErrorException">It isn't said which chain or federation, or there is no federation at the address.</exception>
    /// <exception cref="ChainException">The chain can't be reached.</exception>
    public static async Task<ChainSession> OpenAsync(HomeFolder? home, string? rpc, Address? federation, TimeProvider time, CancellationToken cancellationToken)
    {
        var url = UrlOf(rpc ?? home?.Settings.Rpc ?? throw new UserErrorException("Which chain? Use --rpc URL, or --home DIR of a home that names one."));
        var address = federation ?? home?.Settings.Federation
            ?? throw new UserErrorException("Which federation? Use --federation ADDRESS, or --home DIR of a home that names one.");
        var http = new HttpClient();
        try
        {
            var client = new ChainClient(http, url, OptionsOf(home), time);
            var chainId = await client.GetChainIdAsync(cancellationToken);
            if (home?.Settings.ChainId is { } expected && expected != chainId)
            {
                throw new UserErrorException($"{url} leads to chain {chainId}, but this home's federation is on chain {expected}. Check --rpc, or \"rpc\" in home.json.");
            }

            if ((await client.GetCodeAsync(address, cancellationToken)).Length == 0)
            {
                throw new UserErrorException($"There is no contract at {address} on chain {chainId} ({url}). Check --federation, and that --rpc leads to the federation's chain.");
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

            var reader = new FederationReader(client, address, deployed, time);
            await reader.ReadAsync(cancellationToken);
            return new ChainSession(http, client, chainId, address, reader);
        }
        catch
        {
            http.Dispose();
            throw;
        }
    }

    public static Uri UrlOf(string rpc) => Uri.TryCreate(rpc, UriKind.Absolute, out var url) && (url.Scheme is "http" or "https") ? url
        : throw new UserErrorException($"The chain's RPC is an http or https URL, such as http://127.0.0.1:8545; got '{rpc}'.");

    public ValueTask DisposeAsync()
    {
        _http.Dispose();
        return ValueTask.CompletedTask;
    }

    private static ChainOptions OptionsOf(HomeFolder? home) =>
        home is null ? new ChainOptions() : new ChainOptions { PollInterval = TimeSpan.FromMilliseconds(home.Settings.PollMilliseconds) };
}

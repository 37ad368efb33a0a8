using System.Net.Http.Headers;
using FedChain.Network.Content;

namespace FedChain.Node.Homes;

/// <summary>Where a home's content is kept: in its own store, or in the institution's IPFS node.</summary>
internal static class HomeStore
{
    /// <summary>The node's secret, where no file is named; never on the command line, which other users can read.</summary>
    public const string Variable = "FEDCHAIN_IPFS_AUTHORIZATION";

    /// <exception cref="UserErrorException">The settings name a node in a way that can't be used.</exception>
    public static IContentStore Open(HomeFolder home) =>
        home.Settings.Ipfs is null ? new BlockStore(home.StorePath) : new KuboStore(KuboOf(home.Settings));

    /// <summary>A fetcher for the store: one that asks the IPFS node first, where the home has one.</summary>
    public static ContentFetcher FetcherInto(IContentStore store, HomeSettings settings, TimeProvider time) =>
        new(ContentAccess.FetcherOf(settings), time, store as KuboStore);

    /// <exception cref="UserErrorException">It is no URL of an RPC API.</exception>
    public static Uri ApiOf(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.UserInfo.Length == 0 && url.Query.Length == 0 && url.Fragment.Length == 0
            ? url
            : throw new UserErrorException($"The IPFS node's RPC API is an http or https URL, such as http://127.0.0.1:5001, without a user or a query; got '{text}'.");

    public static KuboOptions KuboOf(HomeSettings settings) =>
        new() { Api = ApiOf(settings.Ipfs!), Authorization = AuthorizationOf(settings.IpfsAuthorizationFile) };

    private static AuthenticationHeaderValue? AuthorizationOf(string? file)
    {
        var (text, source) = SecretText.Read(file, "ipfsAuthorizationFile", Variable, "the value of an Authorization header, such as 'Bearer TOKEN'");
        try
        {
            return text is null ? null : KuboOptions.ParseAuthorization(text);
        }
        catch (FormatException e)
        {
            throw new UserErrorException($"{source}: {e.Message}.", e);
        }
    }
}

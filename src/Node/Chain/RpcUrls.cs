using FedChain.Node.Homes;

namespace FedChain.Node.Chain;

/// <summary>By which URLs a chain is reached, as --rpc or a home's settings say.</summary>
/// <param name="Given">All of them, as they are kept in a home.</param>
/// <param name="Requests">http and https: take requests; the first that works is asked.</param>
/// <param name="Announcements">ws and wss: tell when there is a new block.</param>
internal sealed record RpcUrls(IReadOnlyList<string> Given, IReadOnlyList<Uri> Requests, IReadOnlyList<Uri> Announcements)
{
    private const string Expected = "An RPC address is an http or https URL, such as http://127.0.0.1:8545, or a ws or wss URL besides, for news of blocks";

    /// <param name="rpc">The option's values; those of the home hold if there are none.</param>
    /// <param name="home">May be null.</param>
    /// <exception cref="UserErrorException">Neither names one, or one is no such URL, or comes twice.</exception>
    public static RpcUrls Of(IReadOnlyList<string>? rpc, HomeFolder? home) => Of(rpc is { Count: > 0 } ? rpc : home?.Settings.Rpc ?? []);

    /// <exception cref="UserErrorException">There is none, or one is no such URL, or comes twice.</exception>
    public static RpcUrls Of(IReadOnlyList<string> texts)
    {
        if (texts.Count == 0)
        {
            throw new UserErrorException("Which chain? Use --rpc URL, or --home DIR of a home that names one.");
        }

        var urls = texts.Select(Parse).ToList();
        if (urls.GroupBy(u => u).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            throw new UserErrorException($"The RPC address {twice.Key} is given twice. Name each node once, the preferred one first.");
        }

        var (requests, announcements) = (urls.FindAll(u => u.Scheme is "http" or "https"), urls.FindAll(u => u.Scheme is "ws" or "wss"));
        return requests.Count > 0 ? new RpcUrls([.. texts], requests, announcements)
            : throw new UserErrorException($"{Expected}; only {string.Join(" and ", announcements)} is given. Add the node's http or https URL.");
    }

    public override string ToString() => string.Join(", ", Requests);

    private static Uri Parse(string text) => Uri.TryCreate(text, UriKind.Absolute, out var url) && (url.Scheme is "http" or "https" or "ws" or "wss") ? url
        : throw new UserErrorException($"{Expected}; got '{text}'.");
}

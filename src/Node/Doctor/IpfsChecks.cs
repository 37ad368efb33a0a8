using FedChain.Network.Content;
using FedChain.Node.Homes;

namespace FedChain.Node.Doctor;

/// <summary>The institution's IPFS node, where the settings name one.</summary>
internal static class IpfsChecks
{
    public const string Name = "ipfs";

    public static async Task RunAsync(HomeSettings settings, Checkup checkup, CancellationToken cancellationToken)
    {
        if (settings.Ipfs is null)
        {
            return;
        }

        await checkup.TryAsync(Name, "Start the node, or correct \"ipfs\" in home.json.", async () =>
        {
            var options = HomeStore.KuboOf(settings);
            using var node = new KuboStore(options);
            var version = await node.VersionAsync(cancellationToken);
            var text = $"version {version} at {node.Api} answers; {(await node.PinsAsync(cancellationToken)).Count:N0} roots are pinned there";
            if (options is { Authorization: not null, Api: { Scheme: "http", IsLoopback: false } })
            {
                checkup.Warn(Name, $"{text}, but its secret is sent to it unencrypted", "Put TLS in front of the node's RPC API, and set \"ipfs\" in home.json to the https URL.");
            }
            else
            {
                checkup.Ok(Name, text);
            }
        });
    }
}

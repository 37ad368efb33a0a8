using System.Buffers;
using System.CommandLine;
using System.Text.Json;
using FedChain.Network.Content;
using FedChain.Node.Chain;
using FedChain.Node.Homes;
using FedChain.Node.Retention;
using FedChain.Protocol.Content;

namespace FedChain.Node.Cli;

internal static class StoreVerifyCommand
{
    public static Command Create()
    {
        var (home, rpc, json) = (CommonOptions.Home(), CommonOptions.Rpc(), CommonOptions.Json());
        var command = new Command("verify", """
            Reads every block that the home holds and checks it against its CID. Damaged ones are named; the peer fetches them again from
            other members when it needs them.

            Exit code: 0 all blocks are whole, 1 one is damaged.

            Example:
              fedchain store verify --home /srv/fedchain
            """)
        { home, rpc, json };
        command.SetAction(async (result, cancellationToken) =>
        {
            var folder = HomeFolder.Open(result.GetRequiredValue(home).FullName);
            using var store = HomeStore.Open(folder);
            var blocks = store is BlockStore embedded ? embedded.List() : await OfHistoryAsync(folder, result.GetValue(rpc), store, cancellationToken);
            var (whole, bytes, damaged) = (0L, 0L, new List<CorruptBlockException>());
            var buffer = new ArrayBufferWriter<byte>();
            foreach (var cid in blocks)
            {
                try
                {
                    if (await store.GetAsync(cid, buffer, cancellationToken) is { } block)
                    {
                        (whole, bytes) = (whole + 1, bytes + block.Length);
                    }
                }
                catch (CorruptBlockException e)
                {
                    damaged.Add(e);
                }
            }

            if (result.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(new { whole, bytes, damaged = damaged.Select(e => new { cid = e.Cid.ToString(), at = e.Path }) }, JsonOutput.Options));
            }
            else
            {
                damaged.ForEach(e => Console.WriteLine(e.Message));
                Console.WriteLine($"{whole:N0} blocks are whole ({bytes:N0} bytes), {damaged.Count:N0} damaged.");
            }

            return damaged.Count == 0 ? ExitCodes.Done : ExitCodes.Failed;
        });
        return command;
    }

    /// <summary>An IPFS node may hold much else: there, what the federation's history names is looked at.</summary>
    private static async Task<IEnumerable<Cid>> OfHistoryAsync(HomeFolder home, IReadOnlyList<string>? rpc, IContentStore store, CancellationToken cancellationToken)
    {
        await using var session = await ChainSession.OpenAsync(home, rpc, federation: null, TimeProvider.System, cancellationToken);
        var inventory = await Inventory.TakeAsync(home, session.Reader.State, session.ChainId, store, Inventory.UsualRounds, cancellationToken);
        var blocks = new HashSet<Cid>();
        foreach (var root in inventory.Roots)
        {
            try
            {
                await foreach (var block in store.BlocksOfAsync(root.Cid, cancellationToken))
                {
                    blocks.Add(block);
                }
            }
            catch (Exception e) when (e is MissingBlockException or CorruptBlockException)
            {
                continue; // not held, or found damaged when it is read like the others
            }
        }

        return blocks;
    }
}

using System.CommandLine;
using System.Text.Json;
using FedChain.Network.Content;
using FedChain.Node.Chain;
using FedChain.Node.Homes;
using FedChain.Node.Retention;
using FedChain.Protocol.Content;

namespace FedChain.Node.Cli;

internal static class StoreListCommand
{
    public static Command Create()
    {
        var (home, rpc, rounds, json) = (CommonOptions.Home(), CommonOptions.Rpc(), StoreCommand.KeepRounds(), CommonOptions.Json());
        var command = new Command("ls", """
            Lists the content that the federation's history names, in the order of rounds: what it is for, its CID, its size, whether this home holds
            it, and whether it has to (what 'fedchain store gc' spares).

            Example:
              fedchain store ls --home /srv/fedchain
            """)
        { home, rpc, rounds, json };
        command.SetAction(async (result, cancellationToken) =>
        {
            var folder = HomeFolder.Open(result.GetRequiredValue(home).FullName);
            await using var session = await ChainSession.OpenAsync(folder, result.GetValue(rpc), federation: null, TimeProvider.System, cancellationToken);
            using var store = HomeStore.Open(folder);
            var inventory = await Inventory.TakeAsync(folder, session.Reader.State, session.ChainId, store, result.GetValue(rounds), cancellationToken);
            var pins = store is KuboStore node ? await node.PinsAsync(cancellationToken) : inventory.Needed;
            var rows = new List<Row>();
            foreach (var root in inventory.Roots)
            {
                var size = await SizeAsync(store, root.Cid, cancellationToken);
                rows.Add(new Row(root.Round.Value, root.Kind, root.Member.Value, root.Cid.ToString(), size, Held: size is not null, Needed: root.IsNeeded, Pinned: size is not null && pins.Contains(root.Cid)));
            }

            if (result.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(rows, JsonOutput.Options));
                return;
            }

            foreach (var row in rows)
            {
                Console.WriteLine($"round {row.Round,-5} member {row.Member,-4} {StoreCommand.InWords(row.Kind),-28} {row.Cid}  {(row.Size is { } size ? $"{size:N0} bytes" : "not held"),-16} {(row.Pinned ? "pinned" : row.Needed ? "needed" : "")}".TrimEnd());
            }

            Console.WriteLine($"{rows.Count(r => r.Held):N0} of {rows.Count:N0} held, {rows.Where(r => r.Held).DistinctBy(r => r.Cid).Sum(r => r.Size!.Value):N0} bytes.");
        });
        return command;
    }

    /// <summary>The file's size as its root states it; null where not all of it is here.</summary>
    private static async Task<long?> SizeAsync(IContentStore store, Cid root, CancellationToken cancellationToken)
    {
        if (!await store.HasFileAsync(root, cancellationToken))
        {
            return null;
        }

        var block = (await store.GetAsync(root, cancellationToken: cancellationToken))!.Value;
        return root.IsRaw ? block.Length : (long)UnixFsFile.Decode(DagPbNode.Decode(block).Data ?? default).FileSize;
    }

    private sealed record Row(ulong Round, ContentKind Kind, uint Member, string Cid, long? Size, bool Held, bool Needed, bool Pinned);
}

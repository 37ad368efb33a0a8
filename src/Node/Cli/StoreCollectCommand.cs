using System.CommandLine;
using System.Text.Json;
using FedChain.Network;
using FedChain.Network.Content;
using FedChain.Node.Chain;
using FedChain.Node.Homes;
using FedChain.Node.Retention;

namespace FedChain.Node.Cli;

internal static class StoreCollectCommand
{
    public static Command Create()
    {
        var (home, rpc, rounds, json) = (CommonOptions.Home(), CommonOptions.Rpc(), StoreCommand.KeepRounds(), CommonOptions.Json());
        var dry = new Option<bool>("--dry-run") { Description = "Say what would go, and change nothing." };
        var command = new Command("gc", """
            Gives up what is needed no more: updates of rounds that are long over, sealed and opened, aggregates that lost their turn, and blocks that
            nothing names. What the last rounds need stays, and all manifests and final global adapters do. In an IPFS node it is unpinned, and goes
            when the node collects its own garbage. The peer must not be running.

            Example:
              fedchain store gc --home /srv/fedchain --dry-run
            """)
        { home, rpc, rounds, dry, json };
        command.SetAction(async (result, cancellationToken) =>
        {
            var (folder, isDry) = (HomeFolder.Open(result.GetRequiredValue(home).FullName), result.GetValue(dry));
            using var homeLock = folder.Lock(); // a peer may be about to name what it has just put there
            await using var session = await ChainSession.OpenUpToDateAsync(folder, result.GetValue(rpc), TimeProvider.System, cancellationToken);
            using var store = HomeStore.Open(folder);
            var inventory = await Inventory.TakeAsync(folder, session.Reader.State, session.ChainId, store, result.GetValue(rounds), cancellationToken);
            Crash.At(CrashPoint.Collecting);
            var swept = await Sweep.RunAsync(store, inventory, isDry, cancellationToken);
            string[] files = [.. inventory.OldFiles];
            foreach (var file in isDry ? [] : files)
            {
                File.Delete(file);
                Crash.At(CrashPoint.UpdateFileDeleted);
            }

            Crash.At(CrashPoint.Collected);

            if (result.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(new { dryRun = isDry, given = swept.Select(cid => cid.ToString()), files }, JsonOutput.Options));
                return;
            }

            var names = inventory.Roots.ToLookup(r => r.Cid);
            foreach (var cid in swept)
            {
                Console.WriteLine(names[cid].FirstOrDefault() is { } root ? $"{cid}  round {root.Round}, member {root.Member}: {StoreCommand.InWords(root.Kind)}" : $"{cid}");
            }

            foreach (var file in files)
            {
                Console.WriteLine(file);
            }

            Console.WriteLine($"{swept.Count:N0} {(store is KuboStore ? "roots" : "blocks")} and {files.Length:N0} files {(isDry ? "would be" : "were")} {(store is KuboStore ? "unpinned or deleted" : "deleted")}.");
        });
        return command;
    }
}

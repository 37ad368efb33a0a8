using System.CommandLine;
using System.Text.Json;
using FedChain.Node.Adapters;
using FedChain.Node.Chain;
using FedChain.Node.Homes;
using FedChain.Node.Models;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Cli;

internal static class AdapterListCommand
{
    public static Command Create()
    {
        var home = CommonOptions.Home();
        var rpc = CommonOptions.Rpc();
        var json = CommonOptions.Json();
        var command = new Command("list", """
            Lists the global adapter of every finalised round: whether this home holds it, which one is kept, and its loss on this institution's own
            validation set where the peer has measured it; and the adapters that were imported.

            Example:
              fedchain adapter list --home /srv/fedchain
            """)
        { home, rpc, json };
        command.SetAction(async (result, cancellationToken) =>
        {
            var folder = HomeFolder.Open(result.GetRequiredValue(home).FullName);
            await using var session = await ChainSession.OpenAsync(folder, result.GetValue(rpc), federation: null, TimeProvider.System, cancellationToken);
            var (kept, losses) = (KeptAdapter.Read(folder), LossLog.Read(folder));
            var imported = ImportedAdapter.AllOf(folder).Select(a => new { name = $"{AdapterReference.ImportedPrefix}{a.Name}", adapter = a.Digest.ToString(), kept = kept?.Imported == a.Name }).ToList();
            var rows = session.Reader.State.Rounds.Where(r => r.Winner is not null).Select(r => Row.Of(r, folder, kept, losses)).ToList();
            if (result.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(
                    new { kept = kept?.Name, baseModelLoss = losses.Of(default)?.Loss.Nats, adapters = rows, imported }, JsonOutput.Options));
                return;
            }

            foreach (var row in rows)
            {
                Console.WriteLine($"{(row.Kept ? "kept " : "     ")}round:{row.Round,-5} {row.Adapter}  {StatusCommand.Time(row.FinalisedAt)}  {(row.Held ? "held    " : "not held")}  {Loss(row.Loss)}");
            }

            foreach (var one in imported)
            {
                Console.WriteLine($"{(one.kept ? "kept " : "     ")}{one.name}  {one.adapter}");
            }

            Console.WriteLine($"{(kept is { Round: null, Imported: null } ? "kept " : "     ")}none        the base model as it is; {Loss(losses.Of(default)?.Loss.Nats)}");
            if (kept is null)
            {
                Console.WriteLine("Nothing is kept, so the latest is used. 'fedchain adapter keep round:NUMBER' chooses another.");
            }
        });
        return command;
    }

    private static string Loss(double? nats) => nats is { } loss ? $"{loss:F4} nats per token" : "not measured";

    private sealed record Row(ulong Round, string Adapter, ulong FinalisedAt, bool Held, bool Kept, double? Loss)
    {
        public static Row Of(RoundState round, HomeFolder home, KeptAdapter? kept, ValidationLosses losses)
        {
            var adapter = round.Winner!.Aggregate;
            return new Row(
                round.Id.Value, adapter.ToString(), round.FinalisedAt!.Value, File.Exists(home.AdapterFile(adapter)), kept?.Round == round.Id && kept.Adapter == adapter, losses.Of(adapter)?.Loss.Nats);
        }
    }
}

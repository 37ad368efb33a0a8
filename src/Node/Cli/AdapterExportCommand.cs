using System.CommandLine;
using System.Text.Json;
using FedChain.Node.Adapters;
using FedChain.Node.Chain;
using FedChain.Node.Homes;
using FedChain.Node.Identity;
using FedChain.Node.Models;
using FedChain.Node.Peer;

namespace FedChain.Node.Cli;

internal static class AdapterExportCommand
{
    public static Command Create()
    {
        var directory = new Argument<DirectoryInfo>("directory") { Description = "A new or empty folder." };
        var home = CommonOptions.Home();
        var rpc = CommonOptions.Rpc();
        var round = new Option<string>("--round") { Description = "Which round's adapter: latest, kept, or a number.", HelpName = "ROUND", DefaultValueFactory = _ => "latest" };
        var baseModel = new Option<string?>("--base-model") { Description = "The base model's name or folder as the other program knows it; written to adapter_config.json.", HelpName = "NAME" };
        var passphrase = CommonOptions.PassphraseFile();
        var json = CommonOptions.Json();
        var command = new Command("export", """
            Writes a global adapter as a PEFT folder, which Hugging Face, vLLM and others open. adapter_model.safetensors is byte for byte the file whose
            SHA-256 is on the chain; README.md and fedchain.json say where it comes from.

            Example:
              fedchain adapter export --home /srv/fedchain --round latest --base-model meta-llama/Llama-3.2-1B adapter/
            """)
        { directory, home, rpc, round, baseModel, passphrase, json };
        command.SetAction(async (result, cancellationToken) =>
        {
            var folder = HomeFolder.Open(result.GetRequiredValue(home).FullName);
            var named = result.GetRequiredValue(round);
            var reference = AdapterReference.Parse(named == "kept" || named.StartsWith("round:", StringComparison.Ordinal) ? named : $"round:{named}").Settle(KeptAdapter.Read(folder));
            if (!reference.IsOfRound)
            {
                throw new UserErrorException($"This home keeps {(reference.IsBaseModel ? "the base model as it is, which is no adapter" : "an imported adapter, which is in no round")}. Name a round: --round latest or --round NUMBER.");
            }
            await using var session = await ChainSession.OpenAsync(folder, result.GetValue(rpc), federation: null, TimeProvider.System, cancellationToken);
            var chosen = reference.RoundIn(session.Reader.State).Round;

            await HomeAdapters.EnsureAsync(folder, session, chosen, () => Passphrase.Read(result.GetValue(passphrase)?.FullName, confirm: false), cancellationToken);
            using var store = HomeStore.Open(folder);
            using var fetcher = HomeStore.FetcherInto(store, folder.Settings, TimeProvider.System);
            var links = new ModelLinks(session, [store], fetcher);
            var (included, missing) = await links.IncludedAsync(chosen, cancellationToken);
            var policy = PeerContext.PolicyOf(session.Reader.State, chosen);
            var export = new AdapterExport(session.ChainId, session.Federation, chosen, policy, included?.Select(s => (s.Member, links.ModelOf(chosen, s.Member))).ToList());
            var target = result.GetRequiredValue(directory).FullName;
            export.Write(HomeAdapters.Read(folder, chosen, policy, layout: null), target, result.GetValue(baseModel));
            if (result.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(
                    new { round = chosen.Id.Value, aggregate = chosen.Winner!.Aggregate.ToString(), folder = target, contributors = included?.Select(s => s.Member.Value) }, JsonOutput.Options));
                return;
            }

            Console.WriteLine($"{target}: the adapter of round {chosen.Id}, {chosen.Winner!.Aggregate}, as it is on the chain.");
            if (included is null)
            {
                Console.WriteLine($"Its contributors are unavailable: {missing}");
            }
        });
        return command;
    }
}

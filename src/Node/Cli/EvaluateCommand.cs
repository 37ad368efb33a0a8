using System.CommandLine;
using System.Text.Json;
using FedChain.Learning.Data;
using FedChain.Node.Homes;
using FedChain.Node.Models;

namespace FedChain.Node.Cli;

internal static class EvaluateCommand
{
    public static Command Create()
    {
        var home = CommonOptions.Home();
        var rpc = CommonOptions.Rpc();
        var adapter = AdapterOption();
        var data = new Option<FileInfo?>("--data") { Description = "Records to test on; the home's if not given.", HelpName = "FILE" };
        var most = new Option<int>("--max-records") { Description = "At most so many test records, chosen by the hash of their ids.", DefaultValueFactory = _ => int.MaxValue };
        var batch = new Option<int>("--batch-size") { Description = "Records at a time; fewer take less memory.", HelpName = "NUMBER", DefaultValueFactory = _ => 16 };
        var passphrase = CommonOptions.PassphraseFile();
        var json = CommonOptions.Json();
        var command = new Command("evaluate", """
            Measures a model on this institution's test records: loss in nats per token, and bits per byte of the responses.

            Examples:
              fedchain evaluate --home /srv/fedchain --adapter none
              fedchain evaluate --home /srv/fedchain --adapter round:latest --json
            """)
        { home, rpc, adapter, data, most, batch, passphrase, json };
        var placement = new PlacementOptions(command);
        command.SetAction(async (result, cancellationToken) =>
        {
            var folder = HomeFolder.Open(result.GetRequiredValue(home).FullName);
            using var model = await LoadedModel.OpenAsync(folder, result.GetValue(rpc), result.GetValue(adapter), placement.Read(result, folder.Settings),
                () => Passphrase.Read(result.GetValue(passphrase)?.FullName, confirm: false), cancellationToken);
            var file = result.GetValue(data)?.FullName ?? folder.Settings.Data
                ?? throw new UserErrorException($"The home {folder.Path} names no data. Use --data FILE, or set \"data\" in home.json.");
            var prepared = PreparedData.From(InstitutionData.Load(file), model.Tokenizer, model.Model.Config.ContextLength, mostVal: 1, mostTest: result.GetValue(most));
            var measured = model.Model.Evaluate(prepared.Test, result.GetValue(batch), cancellationToken);
            if (result.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(
                    new { adapter = model.Name, records = prepared.Test.Count, cutRecords = prepared.CutRecords, tokens = measured.Tokens, natsPerToken = measured.NatsPerToken, bitsPerByte = measured.BitsPerByte }, JsonOutput.Options));
            }
            else
            {
                Console.WriteLine($"{model.Name}: {measured.NatsPerToken:F4} nats per token, {measured.BitsPerByte:F4} bits per byte over {prepared.Test.Count} test records ({prepared.CutRecords} cut to the context of {model.Model.Config.ContextLength})");
            }
        });
        return command;
    }

    internal static Option<string?> AdapterOption() => new("--adapter")
    {
        Description = "none for the base model, round:latest or round:NUMBER for a global adapter, imported:NAME or a PEFT folder for another, kept for the one that 'adapter keep' chose; if not given: kept, else round:latest.",
        HelpName = "ADAPTER",
    };
}

using System.CommandLine;
using System.Text.Json;
using FedChain.Learning.Lora;
using FedChain.Node.Adapters;
using FedChain.Node.Homes;
using FedChain.Node.Models;

namespace FedChain.Node.Cli;

internal static class AdapterMergeCommand
{
    public static Command Create()
    {
        var directory = new Argument<DirectoryInfo>("directory") { Description = "A new or empty folder." };
        var home = CommonOptions.Home(required: false);
        var adapter = EvaluateCommand.AdapterOption();
        var model = new Option<DirectoryInfo?>("--model") { Description = "The base model; the home's if not given.", HelpName = "DIR" };
        var rpc = CommonOptions.Rpc();
        var passphrase = CommonOptions.PassphraseFile();
        var json = CommonOptions.Json();
        var command = new Command("merge", """
            Writes base model and adapter as one Hugging Face checkpoint, which any program opens without knowing of adapters: the base's files with the
            adapted weights in place, in the type that the base stores. A home is needed only for its own adapters.

            Examples:
              fedchain adapter merge --home /srv/fedchain --adapter round:7 merged/
              fedchain adapter merge --model models/llama-3.2-1b --adapter my-adapter/ merged/
            """)
        { directory, home, adapter, model, rpc, passphrase, json };
        command.SetAction(async (result, cancellationToken) =>
        {
            var folder = result.GetValue(home) is { } given ? HomeFolder.Open(given.FullName) : null;
            var path = result.GetValue(model)?.FullName ?? (folder is null ? null : folder.Settings.Model ?? BaseModel.Own)
                ?? throw new UserErrorException("Which base model? Use --model DIR, or --home DIR of a home that names one.");
            var baseModel = BaseModel.Open(path);
            var target = result.GetRequiredValue(directory).FullName;
            var chosen = await ChosenAdapter.OpenAsync(
                folder, result.GetValue(rpc), result.GetValue(adapter), () => Passphrase.Read(result.GetValue(passphrase)?.FullName, confirm: false), cancellationToken);
            if (chosen.Adapter is null)
            {
                throw new UserErrorException("That is the base model as it is, and nothing to merge with it. Name an adapter: --adapter round:NUMBER, imported:NAME or a PEFT folder.");
            }

            if (chosen.BaseModel is not null)
            {
                chosen.RequireBase(baseModel, await baseModel.DigestAsync(cancellationToken));
            }

            MergedCheckpoint.Write(baseModel.Path, chosen.Adapter, target, cancellationToken);
            var digest = await BaseModel.Open(target).DigestAsync(cancellationToken);
            if (result.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(
                    new { folder = target, adapter = chosen.Name, baseModel = baseModel.Path, digest = digest.ToString(), saysItsBase = chosen.BaseModel is not null }, JsonOutput.Options));
                return;
            }

            Console.WriteLine($"{target}: {chosen.Name} merged into {baseModel.Path}. As a base model it has the digest {digest}.");
            if (chosen.BaseModel is null)
            {
                Console.WriteLine("The adapter fits the model's shapes; that it was trained on these very weights, nobody says.");
            }
        });
        return command;
    }
}

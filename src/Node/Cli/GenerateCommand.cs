using System.CommandLine;
using FedChain.Learning.Data;
using FedChain.Node.Homes;
using FedChain.Node.Models;

namespace FedChain.Node.Cli;

internal static class GenerateCommand
{
    public static Command Create()
    {
        var prompt = new Argument<string>("prompt") { Description = "The text to answer." };
        var home = CommonOptions.Home();
        var rpc = CommonOptions.Rpc();
        var adapter = EvaluateCommand.AdapterOption();
        var passphrase = CommonOptions.PassphraseFile();
        var command = new Command("generate", """
            Answers a prompt with the base model and an adapter; with the most probable tokens, unless --temperature says to draw.

            Examples:
              fedchain generate --home /srv/fedchain --adapter round:7 "What are the treatments for ...?"
              fedchain generate --home /srv/fedchain --temperature 0.7 --top-p 0.9 --seed 1 "What are the treatments for ...?"
            """)
        { prompt, home, rpc, adapter, passphrase };
        var (sampling, placement) = (new SamplingOptions(command, tokens: 128), new PlacementOptions(command));
        command.SetAction(async (result, cancellationToken) =>
        {
            var folder = HomeFolder.Open(result.GetRequiredValue(home).FullName);
            var options = sampling.Read(result);
            using var model = await LoadedModel.OpenAsync(folder, result.GetValue(rpc), result.GetValue(adapter), placement.Read(result, folder.Settings),
                () => Passphrase.Read(result.GetValue(passphrase)?.FullName, confirm: false), cancellationToken);
            await Console.Error.WriteLineAsync($"Using {model.Name}.");
            var prompted = new ExampleBuilder(model.Tokenizer, model.Model.Config.ContextLength).BuildPrompt(result.GetRequiredValue(prompt));
            var answer = new AnswerWriter(Console.Out, ids => model.Tokenizer.Decode(ids));
            foreach (var id in model.Model.Generate(prompted, options, cancellationToken))
            {
                answer.Add(id);
            }

            Console.WriteLine();
        });
        return command;
    }
}

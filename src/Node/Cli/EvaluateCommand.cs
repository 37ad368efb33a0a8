using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using FedChain.Learning.Data;
using FedChain.Learning.Evaluation;
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
        var answers = new Option<string[]>("--answers")
        {
            Description = "Also ask each test record whose response begins with one of these which of them is the likeliest: how often it is the right one.",
            HelpName = "TEXTS",
            AllowMultipleArgumentsPerToken = true,
        };
        var passphrase = CommonOptions.PassphraseFile();
        var json = CommonOptions.Json();
        var command = new Command("evaluate", """
            Measures a model on this institution's test records: loss in nats per token, and bits per byte of the responses.

            Examples:
              fedchain evaluate --home /srv/fedchain --adapter none
              fedchain evaluate --home /srv/fedchain --adapter round:latest --json
              fedchain evaluate --home /srv/fedchain --answers yes no maybe
            """)
        { home, rpc, adapter, data, most, batch, answers, passphrase, json };
        var placement = new PlacementOptions(command);
        command.SetAction(async (result, cancellationToken) =>
        {
            var folder = HomeFolder.Open(result.GetRequiredValue(home).FullName);
            using var model = await LoadedModel.OpenAsync(folder, result.GetValue(rpc), result.GetValue(adapter), placement.Read(result, folder.Settings),
                () => Passphrase.Read(result.GetValue(passphrase)?.FullName, confirm: false), cancellationToken);
            var file = result.GetValue(data)?.FullName ?? folder.Settings.Data
                ?? throw new UserErrorException($"The home {folder.Path} names no data. Use --data FILE, or set \"data\" in home.json.");
            var records = InstitutionData.Load(file);
            var context = model.Model.Config.ContextLength;
            var prepared = PreparedData.From(records, model.Tokenizer, context, mostVal: 1, mostTest: result.GetValue(most));
            var labels = result.GetValue(answers) is { Length: > 0 } given ? Questions(records.Test.AtMost(result.GetValue(most)), given, new ExampleBuilder(model.Tokenizer, context), file) : null;
            var measured = model.Model.Evaluate(prepared.Test, result.GetValue(batch), cancellationToken);
            var accuracy = labels is null ? null : model.Model.EvaluateLabels(labels, result.GetValue(batch), cancellationToken);
            var guess = labels?.CountBy(q => q.Correct).Max(c => c.Value);
            if (result.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(
                    new
                    {
                        adapter = model.Name,
                        records = prepared.Test.Count,
                        cutRecords = prepared.CutRecords,
                        tokens = measured.Tokens,
                        natsPerToken = measured.NatsPerToken,
                        bitsPerByte = measured.BitsPerByte,
                        labels = accuracy is null ? null : new { questions = accuracy.Questions, correct = accuracy.Correct, correctPerByte = accuracy.CorrectPerByte, mostFrequent = guess },
                    }, JsonOutput.Options));
                return;
            }

            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{model.Name}: {measured.NatsPerToken:F4} nats per token, {measured.BitsPerByte:F4} bits per byte over {prepared.Test.Count} test records ({prepared.CutRecords} cut to the context of {context})"));
            if (accuracy is not null)
            {
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"  of {accuracy.Questions} questions {accuracy.Correct} ({accuracy.Share:P1}) right by likelihood, {accuracy.CorrectPerByte} ({accuracy.SharePerByte:P1}) by likelihood per byte; always the most frequent answer would be {guess} ({(double)guess! / accuracy.Questions:P1})"));
            }
        });
        return command;
    }

    private static IReadOnlyList<LabelQuestion> Questions(IReadOnlyList<DataRecord> records, string[] answers, ExampleBuilder builder, string file)
    {
        try
        {
            return LabelQuestions.From(records, answers, builder) is { Count: > 0 } questions ? questions
                : throw new UserErrorException($"None of the {records.Count} test records of {file} has a response that begins with {string.Join(" or ", answers.Select(a => $"'{a}'"))}. Name answers as the records write them.");
        }
        catch (ArgumentException e)
        {
            throw new UserErrorException($"--answers: {e.Message.Split(" (Parameter", 2)[0]}", e);
        }
    }

    internal static Option<string?> AdapterOption() => new("--adapter")
    {
        Description = "none for the base model, round:latest or round:NUMBER for a global adapter, imported:NAME or a PEFT folder for another, kept for the one that 'adapter keep' chose; if not given: kept, else round:latest.",
        HelpName = "ADAPTER",
    };
}

using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using FedChain.Learning.Data;
using FedChain.Learning.Models;
using FedChain.Learning.Tokenization;
using FedChain.Node.Data;
using FedChain.Node.Homes;
using FedChain.Node.Models;

namespace FedChain.Node.Cli;

internal static class DataCommand
{
    private const int MostShown = 50;

    public static Command Create() => new("data", "Looks at an institution's records.") { Check() };

    private static Command Check()
    {
        var file = new Argument<FileInfo?>("file") { Description = "Records, *.jsonl or *.jsonl.gz; the home's if not given.", Arity = ArgumentArity.ZeroOrOne };
        var model = new Option<DirectoryInfo?>("--model") { Description = "The base model whose tokens are counted, in Hugging Face layout; the home's, or the one that comes with the program, if not given.", HelpName = "DIR" };
        var home = CommonOptions.Home(required: false);
        var json = CommonOptions.Json();
        var command = new Command("check", """
            Checks a file of records before they are trained on: how many there are in which split, how long they are, how many would be cut to the model's
            context, and every problem with its line. Exit code 0 if they can be trained on, 1 if something has to be mended.

            Examples:
              fedchain data check records.jsonl
              fedchain data check --home /srv/fedchain --json
            """)
        { file, model, home, json };
        command.SetAction(result =>
        {
            var settings = result.GetValue(home) is { } folder ? HomeFolder.Open(folder.FullName).Settings : null;
            var path = result.GetValue(file)?.FullName ?? settings?.Data
                ?? throw new UserErrorException(settings is null ? "Which records? Name a file, or --home DIR of a home that names one." : "The home names no data. Name a file, or set \"data\" in home.json.");
            if (!File.Exists(path))
            {
                throw new UserErrorException($"The file {path} does not exist. Records are a *.jsonl or *.jsonl.gz file.");
            }

            var baseModel = BaseModel.Open(result.GetValue(model)?.FullName ?? settings?.Model ?? BaseModel.Own);
            var tokens = new RecordTokens(TokenizerFolder.Load(baseModel.Path), DecoderConfig.Read(baseModel.Path).ContextLength);
            var report = DataCheck.Of(RecordFile.Scan(path), tokens);
            if (result.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(new { file = path, model = baseModel.Path, ok = report.Ok, report }, JsonOutput.Options));
            }
            else
            {
                Write(path, baseModel.Path, report);
            }

            return report.Ok ? ExitCodes.Done : ExitCodes.Failed;
        });
        return command;
    }

    private static void Write(string path, string model, DataReport report)
    {
        Console.WriteLine($"{path}: {report.Records:N0} records of {report.Documents:N0} documents");
        Console.WriteLine($"  splits      {report.Train:N0} train, {report.Validation:N0} validation, {report.Test:N0} test; {(report.SplitBy == "file" ? "as the file says" : "by the hash of document, id or prompt")}");
        if (report.Characters is { } characters)
        {
            Console.WriteLine("                          minimum    median       95%   maximum");
            Lengths("prompt", "characters", characters.Prompt);
            Lengths("response", "characters", characters.Response);
        }

        if (report.Tokenized is { } tokenized)
        {
            Lengths("prompt", "tokens", tokenized.Tokens.Prompt);
            Lengths("response", "tokens", tokenized.Tokens.Response);
            if (tokenized.LostTokens is { } lost)
            {
                Lengths("cut off", "tokens", lost);
            }

            Console.WriteLine($"  context     {tokenized.Context:N0} tokens of {model}: {tokenized.CutRecords:N0} of {report.Records:N0} records would be cut, {tokenized.LostShare:P1} of all tokens lost");
        }

        foreach (var problem in report.Problems.Take(MostShown))
        {
            Console.WriteLine($"  {(problem.IsError ? "PROBLEM" : "remark ")}  {(problem.Line == 0 || problem.Text.StartsWith(path, StringComparison.Ordinal) ? "" : $"line {problem.Line}: ")}{problem.Text}");
        }

        if (report.Problems.Length > MostShown)
        {
            Console.WriteLine($"  and {report.Problems.Length - MostShown:N0} more; --json lists them all");
        }

        var errors = report.Problems.Count(p => p.IsError);
        Console.WriteLine(errors == 0 ? "These records can be trained on." : $"{errors:N0} to be mended before these records can be trained on.");
    }

    private static void Lengths(string of, string unit, LengthSummary lengths) => Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture, $"  {of,-10}  {unit,-10}  {lengths.Minimum,9:N0} {lengths.Median,9:N0} {lengths.Percentile95,9:N0} {lengths.Maximum,9:N0}"));
}

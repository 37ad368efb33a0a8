using System.CommandLine;
using FedChain.Node.Demo;
using Spectre.Console;

namespace FedChain.Node.Cli;

internal static class DemoCommand
{
    public static Command Create()
    {
        var members = new Option<int?>("--members") { Description = $"Institutions in all, 2 to 16; {DemoDefaults.Members} by default, or as many as --data has. The last one joins by vote before the last round, if there are three." };
        var rounds = new Option<int>("--rounds") { Description = "Rounds in all, at least 1.", DefaultValueFactory = _ => DemoDefaults.Rounds };
        var seed = new Option<ulong>("--seed") { Description = "The same seed gives the same global adapters.", DefaultValueFactory = _ => 1 };
        var data = new Option<DirectoryInfo?>("--data") { Description = "A folder of *.jsonl or *.jsonl.gz, one institution each; generated text if not given.", HelpName = "DIR" };
        var model = new Option<DirectoryInfo?>("--model") { Description = "A base model in Hugging Face layout; a small one of FedChain's own if not given.", HelpName = "DIR" };
        var home = new Option<DirectoryInfo?>("--home") { Description = "A new or empty folder for everything; fedchain-demo (or -2, -3, ...) if not given.", HelpName = "DIR" };
        var report = new Option<FileInfo?>("--report") { Description = "Write everything that happened to this file, as JSON.", HelpName = "FILE" };
        var command = new Command("demo", """
            Founds a federation on this machine and trains with it: a local chain, a process for each institution, real rounds. Then its members admit
            another institution by vote, train a round with it, grant an auditor access, and the history is verified by outsider, member and auditor.

            Examples:
              fedchain demo
              fedchain demo --data institutions/ --model models/llama --rounds 2 --report report.json
            """)
        { members, rounds, seed, data, model, home, report };
        members.Within(2, 16);
        rounds.Within(1, 1000);
        command.SetAction(async (result, cancellationToken) =>
        {
            var options = new DemoOptions
            {
                Members = result.GetValue(members),
                Rounds = result.GetValue(rounds),
                Seed = result.GetValue(seed),
                Data = result.GetValue(data)?.FullName,
                Model = result.GetValue(model)?.FullName,
                Home = NewHome(result.GetValue(home)?.FullName),
                Report = result.GetValue(report)?.FullName,
            };
            if (options.Report is { } path && !Directory.Exists(Path.GetDirectoryName(path)))
            {
                throw new UserErrorException($"The folder of --report {path} does not exist. Make it first; nothing was changed.");
            }

            var console = AnsiConsole.Console.ForLogs();
            var outcome = await new DemoRun(options, console, TimeProvider.System).RunAsync(cancellationToken);
            if (options.Report is { } file)
            {
                outcome.Write(file);
                console.WriteLine($"Report written to {file}");
            }

            var finalised = outcome.Rounds.Count(r => r.Aggregate is not null);
            return finalised == options.Rounds ? outcome.Verification.ExitCode : ExitCodes.Failed;
        });
        return command;
    }

    private static string NewHome(string? asked)
    {
        if (asked is not null)
        {
            return Directory.Exists(asked) && Directory.EnumerateFileSystemEntries(asked).Any()
                ? throw new UserErrorException($"{asked} is not empty. The demonstration needs a new or empty folder; nothing was changed.")
                : asked;
        }

        for (var i = 1; ; i++)
        {
            var path = Path.GetFullPath(i == 1 ? "fedchain-demo" : $"fedchain-demo-{i}");
            if (!Directory.Exists(path))
            {
                return path;
            }
        }
    }
}

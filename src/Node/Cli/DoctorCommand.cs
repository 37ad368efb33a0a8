using System.CommandLine;
using System.Text.Json;
using FedChain.Node.Doctor;
using FedChain.Node.Homes;
using Spectre.Console;

namespace FedChain.Node.Cli;

internal static class DoctorCommand
{
    private const int UsualRounds = 10;

    public static Command Create()
    {
        var home = CommonOptions.Home();
        var rpc = CommonOptions.Rpc();
        var federation = CommonOptions.Federation();
        var passphrase = new Option<FileInfo?>("--passphrase-file")
        {
            Description = $"A file whose first line is the keys' passphrase; else the variable {Passphrase.Variable}. Without either, what needs the keys is not checked.",
            HelpName = "FILE",
        };
        var rounds = new Option<int>("--rounds") { Description = "For how many rounds the operator's account should last.", DefaultValueFactory = _ => UsualRounds }.Within(1);
        var json = CommonOptions.Json();
        var command = new Command("doctor", """
            Examines an institution's home and says what to do about each problem: permissions, settings, keys; the chain, its clock, the federation and its
            contracts; the seat, its commitment, funds and profile; the engine, the model, the records, the disk; and whether the other members reach the
            content endpoint, which they are asked to try. It changes nothing but the home's copy of the federation's log. While the peer isn't running, the
            endpoint is served for the time of the check.

            Exit code: 0 no problem, 1 a problem.

            Example:
              fedchain doctor --home /srv/fedchain --passphrase-file /run/secrets/fedchain
            """)
        { home, rpc, federation, passphrase, rounds, json };
        command.SetAction(async (result, cancellationToken) =>
        {
            var report = await HomeDoctor.ExamineAsync(
                new DoctorOptions(
                    HomeFolder.Open(result.GetRequiredValue(home).FullName), result.GetValue(passphrase)?.FullName, result.GetValue(rpc), result.GetValue(federation), result.GetValue(rounds)),
                TimeProvider.System, cancellationToken);
            if (result.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(report, JsonOutput.Options));
            }
            else
            {
                DoctorText.Write(AnsiConsole.Console.ForLogs(), report);
            }

            return report.ExitCode;
        });
        return command;
    }
}

using System.CommandLine;
using System.Text.Json;
using FedChain.Node.Audit;
using FedChain.Node.Chain;
using FedChain.Node.Homes;
using Spectre.Console;

namespace FedChain.Node.Cli;

internal static class VerifyCommand
{
    public static Command Create()
    {
        var home = CommonOptions.Home(required: false);
        var rpc = CommonOptions.Rpc();
        var federation = CommonOptions.Federation();
        var stores = new Option<DirectoryInfo[]>("--store")
        {
            Description = "A block store on this machine to check as well, once for each; with --home, that home's own is among them.",
            HelpName = "DIR",
            DefaultValueFactory = _ => [],
        };
        var privateEndpoints = new Option<bool>("--allow-private-endpoints") { Description = "Ask members on private or loopback addresses for content." };
        var json = CommonOptions.Json();
        var command = new Command("verify", """
            Verifies a federation's whole public history from the deployment on, trusting the RPC only for which chain is the right one: contract code,
            every opening, submission, reveal, turn, candidate, attestation and outcome, and the content that the digests name.

            Exit code: 0 all held, 1 something failed, 3 something was unavailable and nothing failed.

            Examples:
              fedchain verify --rpc https://rpc.example --federation 0x...
              fedchain verify --home /srv/fedchain --json
            """)
        { home, rpc, federation, stores, privateEndpoints, json };
        command.SetAction(async (result, cancellationToken) =>
        {
            var folder = result.GetValue(home) is { } h ? HomeFolder.Open(h.FullName) : null;
            await using var session = await ChainSession.OpenAsync(folder, result.GetValue(rpc), result.GetValue(federation), TimeProvider.System, cancellationToken);
            string[] local = [.. result.GetRequiredValue(stores).Select(s => s.FullName), .. folder is null ? Array.Empty<string>() : [folder.StorePath]];
            var report = await Auditor.RunAsync(
                session.Client, session.Federation, local, result.GetValue(privateEndpoints) || folder?.Settings.AllowPrivateEndpoints == true, TimeProvider.System, cancellationToken);
            if (result.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(report, JsonOutput.Options));
            }
            else
            {
                AuditText.Write(AnsiConsole.Console.ForLogs(), report);
            }

            return report.ExitCode;
        });
        return command;
    }
}

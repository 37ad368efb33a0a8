using System.CommandLine;
using System.Text.Json;
using FedChain.Node.Audit;
using FedChain.Node.Chain;
using FedChain.Node.Homes;
using FedChain.Protocol;
using FedChain.Protocol.Envelope;
using FedChain.Protocol.Rounds;
using Spectre.Console;

namespace FedChain.Node.Cli;

internal static class VerifyCommand
{
    /// <summary>Nothing is said of progress more often than this, so that short audits stay silent.</summary>
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(5);

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
        var withKeys = new Option<bool>("--with-keys") { Description = "With --home: open sealed files with the home's age identities, and recompute every aggregate." };
        var passphrase = CommonOptions.PassphraseFile();
        var identity = new Option<FileInfo?>("--identity")
        {
            Description = "An age key file, as age-keygen writes it: open sealed files with it, and recompute every aggregate.",
            HelpName = "FILE",
        };
        var auditor = CommonOptions.AddressOf("--auditor", "With --identity: the auditor's address; found by the granted recipient if not given.");
        var from = new Option<ulong>("--from-round") { Description = "The first round to check; earlier ones are only followed.", HelpName = "N", DefaultValueFactory = _ => 1 }.Within(1UL);
        var json = CommonOptions.Json();
        var command = new Command("verify", """
            Verifies a federation's whole history from the deployment on, trusting the RPC only for which chain is the right one: contract code, votes and
            what they ordered, every opening, submission, reveal, turn, candidate, attestation and outcome, and the content that the digests name.

            With a key (--home DIR --with-keys, or --identity FILE) every included update is opened and validated, and every aggregate recomputed. Without
            one, a home needs no passphrase. A coalition that finalised a wrong aggregate by the rules is seen with a key only.

            Exit code: 0 all held, 1 something failed, 3 something was unavailable and nothing failed.

            Examples:
              fedchain verify --rpc https://rpc.example --federation 0x...
              fedchain verify --home /srv/fedchain --json
              fedchain verify --home /srv/fedchain --with-keys --from-round 40
              fedchain verify --rpc https://rpc.example --federation 0x... --identity auditor.txt
            """)
        { home, rpc, federation, stores, privateEndpoints, withKeys, passphrase, identity, auditor, from, json };
        command.Validators.Add(result =>
        {
            if (result.GetValue(withKeys) && result.GetValue(home) is null)
            {
                result.AddError("--with-keys opens files with a home's keys; say whose with --home DIR. An auditor gives --identity FILE instead.");
            }

            if (result.GetValue(withKeys) && result.GetValue(identity) is not null)
            {
                result.AddError("--with-keys and --identity are two keys; an audit is made with one.");
            }

            if (result.GetValue(auditor) is not null && result.GetValue(identity) is null)
            {
                result.AddError("--auditor names whose the --identity FILE is; give that too.");
            }
        });
        command.SetAction(async (result, cancellationToken) =>
        {
            var folder = result.GetValue(home) is { } h ? HomeFolder.Open(h.FullName) : null;
            using var keys = result.GetValue(withKeys) ? folder!.UnlockPeerKeys(Passphrase.Read(result.GetValue(passphrase)?.FullName, confirm: false)) : null;
            var identities = result.GetValue(identity) is { } file ? ReadIdentities(file) : [];
            try
            {
                await using var session = await ChainSession.OpenAsync(folder, result.GetValue(rpc), result.GetValue(federation), TimeProvider.System, cancellationToken);
                var report = await Auditor.RunAsync(
                    session.Client,
                    new AuditRequest
                    {
                        Federation = session.Federation,
                        Stores = [.. result.GetRequiredValue(stores).Select(s => s.FullName), .. folder is null ? Array.Empty<string>() : [folder.StorePath]],
                        AllowPrivate = result.GetValue(privateEndpoints),
                        Home = folder?.Settings,
                        Key = KeyOf(session.Reader.State, keys, identities, result.GetValue(auditor)),
                        FromRound = result.GetValue(from),
                        Progress = SlowProgress(),
                    },
                    TimeProvider.System,
                    cancellationToken);
                if (result.GetValue(json))
                {
                    Console.WriteLine(JsonSerializer.Serialize(report, JsonOutput.Options));
                }
                else
                {
                    AuditText.Write(AnsiConsole.Console.ForLogs(), report);
                }

                return report.ExitCode;
            }
            finally
            {
                foreach (var opened in identities)
                {
                    opened.Dispose();
                }
            }
        });
        return command;
    }

    private static AuditKey? KeyOf(FederationState federation, PeerKeys? keys, IReadOnlyList<AgeIdentity> identities, Address? auditor) =>
        keys is not null ? AuditKey.OfMember(federation, keys)
        : identities.Count > 0 ? AuditKey.OfIdentities(federation, identities, auditor)
        : null;

    private static IReadOnlyList<AgeIdentity> ReadIdentities(FileInfo file)
    {
        if (!file.Exists)
        {
            throw new UserErrorException($"The identity file {file.FullName} does not exist. --identity takes an age key file, as 'age-keygen -o FILE' writes it.");
        }

        try
        {
            return AgeIdentity.ParseKeyFile(File.ReadAllText(file.FullName));
        }
        catch (FormatException e)
        {
            throw new UserErrorException($"{file.FullName} is no age key file: {e.Message}", e);
        }
    }

    private static Action<string> SlowProgress()
    {
        var said = TimeProvider.System.GetTimestamp();
        return text =>
        {
            if (TimeProvider.System.GetElapsedTime(said) >= ProgressInterval)
            {
                said = TimeProvider.System.GetTimestamp();
                Console.Error.WriteLine($"{text} …");
            }
        };
    }
}

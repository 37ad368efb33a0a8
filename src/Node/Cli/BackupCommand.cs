using System.CommandLine;
using System.Text.Json;
using FedChain.Node.Backups;
using FedChain.Node.Homes;

namespace FedChain.Node.Cli;

internal static class BackupCommand
{
    public static Command Create()
    {
        var home = CommonOptions.Home();
        var file = new Argument<FileInfo>("FILE") { Description = "The backup to write; must not exist." };
        var passphrase = SealedWith();
        var json = CommonOptions.Json();
        var command = new Command("backup", """
            Writes all of a home that can't be made again into one file, sealed with a passphrase: settings, keys (former and next ones too), rounds,
            updates and adapters. The peer may run meanwhile. What the backup was made before, its restored peer doesn't know: make one
            after each round. 'age -d FILE | tar xz' opens it without this program.

            Example:
              fedchain backup --home /srv/fedchain /mnt/backup/fedchain-2026-11-30.age
            """)
        { file, home, passphrase, json };
        command.SetAction(async (result, cancellationToken) =>
        {
            var folder = HomeFolder.Open(result.GetRequiredValue(home).FullName);
            var target = result.GetRequiredValue(file).FullName;
            var bytes = await Backup.CreateAsync(
                folder, target, () => Passphrase.Read(result.GetValue(passphrase)?.FullName, confirm: true), TimeProvider.System, cancellationToken);
            Console.WriteLine(result.GetValue(json)
                ? JsonSerializer.Serialize(new { file = target, bytes }, JsonOutput.Options)
                : $"Backed {folder.Path} up to {target} ({bytes:N0} bytes). Keep its passphrase elsewhere: without it nobody can open the backup.");
        });
        return command;
    }

    public static Option<FileInfo?> SealedWith() => new("--passphrase-file")
    {
        Description = $"A file whose first line is the backup's passphrase; else the variable {Passphrase.Variable}, else the keyboard. The keys inside keep the home's.",
        HelpName = "FILE",
    };
}

using System.CommandLine;
using System.Text.Json;
using FedChain.Node.Backups;
using FedChain.Node.Homes;

namespace FedChain.Node.Cli;

internal static class RestoreCommand
{
    public static Command Create()
    {
        var file = new Argument<FileInfo>("FILE") { Description = "What 'fedchain backup' wrote." };
        var home = new Option<DirectoryInfo>("--home") { Description = "Where the home is to be: a new or empty folder.", HelpName = "DIR", Required = true };
        var passphrase = BackupCommand.SealedWith();
        var json = CommonOptions.Json();
        var command = new Command("restore", """
            Makes a home from a backup; checks all of it before the home appears. Its peer goes on with the running round: it neither submits again
            what the chain has, nor trains again what the backup has. The original must not run any more: two peers with one key contradict each other.

            Example:
              fedchain restore /mnt/backup/fedchain-2026-11-30.age --home /srv/fedchain
            """)
        { file, home, passphrase, json };
        command.SetAction(async (result, cancellationToken) =>
        {
            var (folder, info) = await Backup.RestoreAsync(
                result.GetRequiredValue(file).FullName, result.GetRequiredValue(home).FullName,
                () => Passphrase.Read(result.GetValue(passphrase)?.FullName, confirm: false), cancellationToken);
            if (result.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(new { home = folder.Path, name = info.Name, madeAt = info.MadeAt, federation = info.Federation }, JsonOutput.Options));
                return;
            }

            var settings = folder.Settings;
            Console.WriteLine($"Restored {folder.Path}: {info.Name}, as of {info.MadeAt:yyyy-MM-dd HH:mm:ss'Z'}.");
            Console.WriteLine($"Listens at {settings.Listen}, published as {settings.Endpoint}. See that the original never runs again, then: fedchain node --home {folder.Path}");
            foreach (var (what, path) in new[] { ("data", settings.Data), ("model", settings.Model) })
            {
                if (path is not null && !Path.Exists(path))
                {
                    Console.WriteLine($"Its {what} is not here: {path}. Bring it there, or change \"{what}\" in home.json.");
                }
            }
        });
        return command;
    }
}

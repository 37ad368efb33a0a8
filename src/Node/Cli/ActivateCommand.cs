using System.CommandLine;
using FedChain.Node.Chain;
using FedChain.Node.Homes;

namespace FedChain.Node.Cli;

internal static class ActivateCommand
{
    public static Command Create()
    {
        var home = CommonOptions.Home();
        var rpc = CommonOptions.Rpc();
        var federation = CommonOptions.Federation();
        var passphrase = CommonOptions.PassphraseFile();
        var command = new Command("activate", """
            Takes a founder's seat: publishes this home's profile and names its operator. Paid by the holder.

            Example:
              fedchain activate --home /srv/fedchain --rpc https://rpc.example --federation 0x...
            """)
        { home, rpc, federation, passphrase };
        command.SetAction(async (result, cancellationToken) =>
        {
            var folder = HomeFolder.Open(result.GetRequiredValue(home).FullName);
            using var inUse = folder.Lock();
            var secret = Passphrase.Read(result.GetValue(passphrase)?.FullName, confirm: false);
            using var holder = folder.UnlockHolder(secret);
            using var keys = folder.UnlockPeerKeys(secret);
            await using var session = await ChainSession.OpenAsync(folder, result.GetValue(rpc), result.GetValue(federation), TimeProvider.System, cancellationToken);
            var receipt = await Founding.ActivateAsync(session, folder, holder, keys, cancellationToken);
            folder.Save(folder.Settings with { Rpc = session.Urls, ChainId = session.ChainId, Federation = session.Federation });
            Console.WriteLine(receipt is null
                ? $"The seat of {holder.Address} is active already; nothing was sent."
                : $"The seat of {holder.Address} is active ({receipt.GasUsed:N0} gas, transaction {receipt.Transaction}). Now run: fedchain doctor --home {folder.Path}, and, if it finds no problem, fedchain node --home {folder.Path}");
        });
        return command;
    }
}

using System.Net;
using FedChain.Node.Chain;
using FedChain.Node.Homes;
using FedChain.Node.Models;

namespace FedChain.Node.Doctor;

/// <summary>The home itself: who may read it, what its settings say, whether its keys open.</summary>
internal static class HomeChecks
{
    private const UnixFileMode OthersMay =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    /// <returns>The peer's keys; null without a passphrase, or if they don't open.</returns>
    public static async Task<PeerKeys?> RunAsync(HomeFolder home, string? passphraseFile, Checkup checkup)
    {
        Permissions(home, checkup);
        Settings(home.Settings, checkup);
        if (!Passphrase.IsGiven(passphraseFile))
        {
            checkup.Skip("keys", $"no passphrase was given; use --passphrase-file FILE or {Passphrase.Variable}");
            return null;
        }

        return await checkup.FindAsync("keys", "Give the passphrase that 'fedchain init' was given, or restore keys/ from a backup.", () =>
        {
            var passphrase = Passphrase.Read(passphraseFile, confirm: false);
            home.UnlockHolder(passphrase).Dispose();
            var keys = home.UnlockPeerKeys(passphrase);
            checkup.Ok("keys", $"the passphrase opens all {home.KeyPaths.Count}: holder {home.HolderAddress}, operator {home.OperatorAddress}");
            return Task.FromResult(keys);
        });
    }

    private static void Permissions(HomeFolder home, Checkup checkup)
    {
        if (OperatingSystem.IsWindows())
        {
            checkup.Skip("permissions", "not looked at on Windows");
            return;
        }

        var open = home.KeyPaths.Where(p => File.Exists(p) && IsOpen(p)).ToList();
        if (IsOpen(home.Path))
        {
            checkup.Problem("permissions", $"other users may enter {home.Path}, where keys and opened adapters lie", $"chmod 700 {home.Path}");
        }
        else if (open.Count > 0)
        {
            checkup.Problem("permissions", $"other users may read {string.Join(" and ", open)}", $"chmod 600 {string.Join(' ', open)}");
        }
        else
        {
            checkup.Ok("permissions", $"only this user may enter {home.Path}");
        }
    }

    private static bool IsOpen(string path) => !OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & OthersMay) != UnixFileMode.None;

    private static void Settings(HomeSettings settings, Checkup checkup)
    {
        var wrong = new List<string>();
        Require(IPEndPoint.TryParse(settings.Listen, out var listen) && listen.Port > 0, $"\"listen\" is an IP address and a port, such as 0.0.0.0:7420; found '{settings.Listen}'");
        Require(HomeSettings.EndpointFault(settings.Endpoint) is null, $"\"endpoint\" {HomeSettings.EndpointFault(settings.Endpoint)}");
        Require(settings.PollMilliseconds is >= 10 and <= 60_000, $"\"pollMilliseconds\" is 10 to 60,000; found {settings.PollMilliseconds}");
        Require(settings.ConfirmationsFault is null, settings.ConfirmationsFault!);
        Try(() => ModelPlacement.Of(settings));
        Try(settings.Training.Check);
        if (settings.Rpc is { Count: > 0 } rpc)
        {
            Try(() => RpcUrls.Of(rpc));
        }

        if (wrong.Count > 0)
        {
            checkup.Problem("settings", string.Join("; ", wrong), "Mend home.json while the peer is stopped.");
        }
        else
        {
            checkup.Ok("settings", $"{settings.Name}; listens on {settings.Listen}, reached at {settings.Endpoint}");
        }

        void Require(bool holds, string fault)
        {
            if (!holds)
            {
                wrong.Add(fault);
            }
        }

        void Try(Action look)
        {
            try
            {
                look();
            }
            catch (UserErrorException e)
            {
                wrong.Add(e.Message.TrimEnd('.'));
            }
        }
    }
}

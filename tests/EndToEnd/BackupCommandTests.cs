using System.Diagnostics;
using FedChain.Protocol.Envelope;

namespace FedChain.EndToEnd.Tests;

public sealed class BackupCommandTests
{
    [Fact]
    public async Task A_home_goes_into_one_file_and_comes_back_and_tar_alone_unpacks_it()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(0, (await Fedchain.RunAsync("of the keys", ["init", "--home", folder["home"], "--name", "St. Test", "--listen", "127.0.0.1:7420", "--data", folder["gone.jsonl"]])).ExitCode);
        string[] backup = ["backup", "--home", folder["home"], folder["home.age"]];
        Refused(await Fedchain.RunAsync(backup), "FEDCHAIN_PASSPHRASE");
        var made = await Fedchain.RunAsync("of the backup", backup);
        Assert.True(made.ExitCode == 0, made.ToString());
        Refused(await Fedchain.RunAsync("of the backup", backup), "exists already");

        Refused(await Fedchain.RunAsync("of the keys", ["restore", folder["home.age"], "--home", folder["new"]]), "can't be restored");
        Refused(await Fedchain.RunAsync("of the backup", ["restore", folder["home.age"], "--home", folder["home"]]), "is not empty");
        Refused(await Fedchain.RunAsync("of the backup", ["restore", folder["other.age"], "--home", folder["new"]]), "There is no backup");
        Assert.False(Directory.Exists(folder["new"]));
        var restored = await Fedchain.RunAsync("of the backup", ["restore", folder["home.age"], "--home", folder["new"]]);
        Assert.True(restored.ExitCode == 0, restored.ToString());
        Assert.Contains($"Its data is not here: {folder["gone.jsonl"]}", restored.Output, StringComparison.Ordinal);
        foreach (var file in new[] { "home.json", "keys/holder.json", "keys/operator.json", "keys/age.json" })
        {
            Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(folder["home"], file), Cancellation), await File.ReadAllBytesAsync(Path.Combine(folder["new"], file), Cancellation));
        }

        Assert.SkipWhen(OperatingSystem.IsWindows(), "tar is looked for on Unix only.");
        Assert.Equal(0, await UntarAsync(folder["home.age"], "of the backup", Directory.CreateDirectory(folder["by-tar"]).FullName));
        Assert.Equal(
            await File.ReadAllTextAsync(Path.Combine(folder["home"], "keys", "operator.json"), Cancellation),
            await File.ReadAllTextAsync(Path.Combine(folder["by-tar"], "keys", "operator.json"), Cancellation));
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>As <c>age -d FILE | tar xz</c> does it; age itself asks for a passphrase at a terminal only.</summary>
    private static async Task<int> UntarAsync(string file, string passphrase, string into)
    {
        using var tar = Process.Start(new ProcessStartInfo("tar", ["xz", "-C", into]) { UseShellExecute = false, RedirectStandardInput = true })!;
        await using (var source = File.OpenRead(file))
        {
            using var secret = new AgePassphrase(passphrase);
            await using var age = await AgeReader.OpenAsync(source, secret, leaveOpen: true, Cancellation);
            await age.CopyToAsync(tar.StandardInput.BaseStream, Cancellation);
        }

        tar.StandardInput.Close();
        await tar.WaitForExitAsync(Cancellation);
        return tar.ExitCode;
    }

    private static void Refused(Fedchain.Outcome outcome, string sentence)
    {
        Assert.True(outcome.ExitCode == 1, outcome.ToString());
        Assert.Contains(sentence, outcome.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", outcome.Errors, StringComparison.Ordinal);
    }
}

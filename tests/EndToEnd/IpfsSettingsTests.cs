using System.Text.Json;
using FedChain.Node.Homes;

namespace FedChain.EndToEnd.Tests;

public sealed class IpfsSettingsTests
{
    [Fact]
    public async Task A_home_remembers_its_node_and_the_doctor_says_what_is_wrong_with_it()
    {
        using var folder = new TemporaryFolder();
        var secret = folder["secret"];
        await File.WriteAllTextAsync(secret, "Bearer geheim\n", TestContext.Current.CancellationToken);
        (await InitAsync("--ipfs", "http://127.0.0.1:1/", "--ipfs-authorization-file", secret)).RequireDone();
        var settings = HomeFolder.Open(folder["home"]).Settings;
        Assert.Equal(("http://127.0.0.1:1", secret), (settings.Ipfs, settings.IpfsAuthorizationFile));
        Assert.DoesNotContain("geheim", await File.ReadAllTextAsync(Path.Combine(folder["home"], HomeFolder.SettingsFile), TestContext.Current.CancellationToken), StringComparison.Ordinal);

        using var report = JsonDocument.Parse((await Fedchain.RunAsync("doctor", "--home", folder["home"], "--json")).Output);
        var check = report.RootElement.GetProperty("checks").EnumerateArray().Single(c => c.GetProperty("name").GetString() == "ipfs");
        Assert.Equal("problem", check.GetProperty("result").GetString());
        Assert.Contains("http://127.0.0.1:1/ is unreachable", check.GetProperty("detail").GetString(), StringComparison.Ordinal);

        Task<Fedchain.Outcome> InitAsync(params string[] more) =>
            Fedchain.RunAsync("correct horse", ["init", "--home", folder["home"], "--name", "A", "--listen", "127.0.0.1:7420", .. more]);
    }

    [Theory]
    [InlineData("ftp://127.0.0.1", "Bearer x", "an http or https URL")]
    [InlineData("http://user@127.0.0.1:5001", "Bearer x", "without a user or a query")]
    [InlineData("http://127.0.0.1:5001", "geheim", "expected the value of an Authorization header")]
    [InlineData("http://127.0.0.1:5001", null, "does not exist")]
    public async Task What_can_not_be_a_node_is_refused_and_no_home_is_made(string url, string? secret, string refusal)
    {
        using var folder = new TemporaryFolder();
        if (secret is not null)
        {
            await File.WriteAllTextAsync(folder["secret"], secret, TestContext.Current.CancellationToken);
        }

        var outcome = await Fedchain.RunAsync(
            "correct horse", ["init", "--home", folder["home"], "--name", "A", "--listen", "127.0.0.1:7420", "--ipfs", url, "--ipfs-authorization-file", folder["secret"]]);
        outcome.RequireRefusal(refusal);
        Assert.DoesNotContain("geheim", outcome.Errors, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["home"]));
    }
}

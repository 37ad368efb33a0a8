using System.Diagnostics;
using FedChain.Node.LocalChain;

namespace FedChain.EndToEnd.Tests;

/// <summary>The program that kills members, for a few rounds; by hand it runs for as many as one likes.</summary>
public sealed class ChaosTests
{
    [Fact]
    public async Task A_federation_goes_through_the_death_of_a_member_in_every_round()
    {
        Assert.SkipUnless(NpmPackages.IsNpmAvailable(), "npm is missing, and the local chain comes from an npm package.");
        var (exitCode, output) = await RunAsync("--members", "4", "--rounds", "3");
        Assert.True(exitCode == 0, output);
        Assert.StartsWith("seed ", output, StringComparison.Ordinal);
        Assert.Contains("3 kills, 1 of them of the aggregator", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_seed_decides_the_faults()
    {
        var (_, first) = await RunAsync("--plan", "--seed", "5");
        Assert.Equal(21, first.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Equal((0, first), await RunAsync("--plan", "--seed", "5"));
        Assert.NotEqual(first, (await RunAsync("--plan", "--seed", "6")).Output);
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(params string[] arguments)
    {
        var program = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "fedchain-chaos.exe" : "fedchain-chaos");
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true })!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            return (process.ExitCode, await output + await errors);
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }
    }
}

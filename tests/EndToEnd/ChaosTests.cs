using System.Diagnostics;
using FedChain.Chaos;
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
    public void A_run_holds_only_if_a_round_ended_well_and_nothing_was_lost_or_done_twice()
    {
        var report = new ChaosReport
        {
            Rounds = 3,
            Finalised = 1,
            Aborted = 2,
            Kills = 3,
            AggregatorKills = 1,
            Ended = [],
            Lost = [],
            Duplicates = [],
            ChecksHeld = 1,
            StepsLost = 4,
            CheckpointSteps = 4,
            Submissions = 4,
            Possible = 12,
            Took = TimeSpan.FromMinutes(1),
        };
        Assert.True(report.Holds);
        Assert.Contains("4 of at most 4", report.ToString(), StringComparison.Ordinal);
        Assert.All(
            new[]
            {
                report with { Finalised = 0, Aborted = 3 }, report with { Aborted = 1 }, report with { StepsLost = 5 }, report with { Lost = ["an update"] },
                report with { Duplicates = ["a submission"] }, report with { Ended = ["member 1"] }, report with { ChecksHeld = 0 },
            },
            not => Assert.False(not.Holds, not.ToString()));
    }

    [Fact]
    public void The_time_that_a_member_had_is_the_longest_that_it_ran_without_a_break()
    {
        var lives = new Lives();
        lives.End(At(1)); // killed before it was ready
        lives.Begin(At(10));
        lives.Begin(At(12));
        lives.End(At(20));
        lives.End(At(25));
        lives.Begin(At(30));
        Assert.Equal(TimeSpan.FromSeconds(8), lives.LongestBetween(At(12), At(35)));
        Assert.Equal(TimeSpan.FromSeconds(10), lives.LongestBetween(At(12), At(40)));
        Assert.Equal(TimeSpan.Zero, lives.LongestBetween(At(21), At(29)));

        static DateTimeOffset At(int second) => DateTimeOffset.UnixEpoch.AddSeconds(second);
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

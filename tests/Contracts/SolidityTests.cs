namespace FedChain.Tests.Contracts;

/// <summary>The Solidity tests of this folder, each under its own name; Hardhat runs once for all of them.</summary>
public sealed class SolidityTests(HardhatRun run) : IClassFixture<HardhatRun>
{
    private const string NoNpm = "npm is not installed: install Node.js with npm to test the contracts.";

    public static TheoryData<string> Declared => [.. HardhatRun.DeclaredTests()];

    [Theory]
    [MemberData(nameof(Declared))]
    public void Solidity(string test)
    {
        Assert.SkipUnless(run.IsNpmAvailable, NoNpm);
        if (run.Failure(test) is { } failure)
        {
            Assert.Fail(failure);
        }
    }

    [Fact]
    public void Gas_is_as_in_the_committed_snapshots()
    {
        Assert.SkipUnless(run.IsNpmAvailable, NoNpm);
        Assert.True(
            run.Gas.ExitCode == 0, $"If the change is meant, run 'npx hardhat test solidity tests/Contracts/Gas.t.sol --snapshot' and commit the snapshots. Hardhat said:\n{run.Gas.Tail}");
    }

    [Fact]
    public void Release_build_is_what_a_fresh_compile_gives()
    {
        Assert.SkipUnless(run.IsNpmAvailable, NoNpm);
        Assert.True(run.Release.ExitCode == 0, run.Release.Tail);
    }

    [Fact]
    public void Sources_are_formatted()
    {
        Assert.SkipUnless(run.IsNpmAvailable, NoNpm);
        Assert.True(run.Format.ExitCode == 0, $"Run 'npx forge fmt contracts tests/Contracts'. It said:\n{run.Format.Tail}");
    }
}

using System.Text.RegularExpressions;

namespace FedChain.Tests.Contracts;

/// <summary>What docs/threat-model.md claims is shown by a test has that test.</summary>
public sealed partial class ThreatModelTests
{
    [Fact]
    public void Every_named_test_exists()
    {
        var text = File.ReadAllText(Path.Combine(Shared.RepositoryRoot, "docs", "threat-model.md"));
        var named = TestName().Matches(text).Select(m => m.Groups["test"].Value).Distinct(StringComparer.Ordinal).ToList();
        Assert.NotEmpty(named);
        Assert.Empty(named.Except(HardhatRun.DeclaredTests(), StringComparer.Ordinal));
    }

    /// <summary>An attack test that the page leaves out is a page that nobody keeps.</summary>
    [Fact]
    public void Every_attack_is_on_the_page()
    {
        var text = File.ReadAllText(Path.Combine(Shared.RepositoryRoot, "docs", "threat-model.md"));
        var attacks = HardhatRun.DeclaredTests().Where(t => t.Contains("_attack_", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(attacks);
        Assert.DoesNotContain(attacks, t => !text.Contains($"`{t}`", StringComparison.Ordinal));
    }

    [GeneratedRegex(@"`(?<test>\w+Test\.\w+)`", RegexOptions.None, 1000)]
    private static partial Regex TestName();
}

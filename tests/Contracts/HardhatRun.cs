using System.Text.RegularExpressions;
using FedChain.Node.LocalChain;

namespace FedChain.Tests.Contracts;

/// <summary>
/// One run of the Solidity tests, the formatter and a fresh compile, and what came out. Hardhat prints, for each contract, its tests with a
/// tick or a number, and after all of them the numbered failures.
/// </summary>
public sealed partial class HardhatRun : IAsyncLifetime
{
    private readonly Dictionary<string, string> _outcomes = []; // Contract.test -> "" or the number of its failure
    private readonly Dictionary<string, string> _failures = []; // number -> message

    public bool IsNpmAvailable { get; } = NpmPackages.IsNpmAvailable();

    public ScriptResult Test { get; private set; } = ScriptResult.None;

    public ScriptResult Gas { get; private set; } = ScriptResult.None;

    public ScriptResult Release { get; private set; } = ScriptResult.None;

    public ScriptResult Format { get; private set; } = ScriptResult.None;

    /// <summary>Names of the tests that the Solidity files declare, as Contract.test.</summary>
    public static IEnumerable<string> DeclaredTests() =>
        from file in Directory.EnumerateFiles(Path.Combine(Shared.RepositoryRoot, "tests", "Contracts"), "*.t.sol").Order(StringComparer.Ordinal)
        let source = File.ReadAllText(file)
        let contract = ContractName().Match(source).Groups["name"].Value
        from Match test in TestName().Matches(source)
        select $"{contract}.{test.Groups["name"].Value}";

    /// <summary>Null if the test passed; else why it did not.</summary>
    public string? Failure(string test)
    {
        if (!_outcomes.TryGetValue(test, out var number))
        {
            return $"Hardhat did not report this test. It said:\n{Test.Tail}";
        }

        return number.Length == 0 ? null : _failures.GetValueOrDefault(number, $"Hardhat counted this among its failures. It said:\n{Test.Tail}");
    }

    public async ValueTask InitializeAsync()
    {
        if (!IsNpmAvailable)
        {
            return;
        }

        var root = Shared.RepositoryRoot;
        await NpmPackages.EnsureAsync(root);
        using var turn = await ProcessLock.AcquireAsync(root, progress: null, CancellationToken.None);
        Format = await RunAsync(root, "fmt");
        Release = await RunAsync(root, "release:check");
        Test = await RunAsync(root, "test");
        Gas = await RunAsync(root, "gas");
        Read(Test.Lines);
        Read(Gas.Lines);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static async Task<ScriptResult> RunAsync(string root, string script)
    {
        var lines = new List<string>();
        var exitCode = await NpmPackages.RunScriptAsync(root, script, lines.Add, CancellationToken.None);
        return new ScriptResult(exitCode, lines);
    }

    private void Read(IReadOnlyList<string> lines)
    {
        var contract = "";
        string? failure = null;
        foreach (var line in lines)
        {
            if (Contract().Match(line) is { Success: true } header)
            {
                contract = header.Groups["name"].Value;
            }
            else if (Outcome().Match(line) is { Success: true } outcome)
            {
                _outcomes[$"{contract}.{outcome.Groups["name"].Value}"] = outcome.Groups["number"].Value;
            }
            else if (FailureHeader().Match(line) is { Success: true } number)
            {
                failure = number.Groups["number"].Value;
                _failures[failure] = line.Trim();
            }
            else if (failure is not null)
            {
                _failures[failure] += "\n" + line.TrimEnd();
            }
        }
    }

    // Linear on any input: no nested repetition. The tests' own output is what they read.
    [GeneratedRegex(@"^contract (?<name>\w+Test)\b", RegexOptions.Multiline, 1000)]
    private static partial Regex ContractName();

    [GeneratedRegex(@"function (?<name>(?:test|invariant)\w*)\(", RegexOptions.None, 1000)]
    private static partial Regex TestName();

    [GeneratedRegex(@"^  \S+\.t\.sol:(?<name>\w+)$", RegexOptions.None, 1000)]
    private static partial Regex Contract();

    [GeneratedRegex(@"^    (?:✔|(?<number>\d+)\)) (?<name>\w+)\(", RegexOptions.None, 1000)]
    private static partial Regex Outcome();

    [GeneratedRegex(@"^  (?<number>\d+)\) \w+#\w+", RegexOptions.None, 1000)]
    private static partial Regex FailureHeader();
}

/// <summary>A script's exit code and what it printed.</summary>
public sealed record ScriptResult(int ExitCode, IReadOnlyList<string> Lines)
{
    public static ScriptResult None { get; } = new(0, []);

    public string Tail => string.Join('\n', Lines.TakeLast(40));
}

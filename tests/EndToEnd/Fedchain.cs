using System.Diagnostics;

namespace FedChain.EndToEnd.Tests;

/// <summary>Runs the program as a user does, in a process of its own.</summary>
internal static class Fedchain
{
    public sealed record Outcome(int ExitCode, string Output, string Errors)
    {
        public override string ToString() => $"exit code {ExitCode}\n{Output}\n{Errors}";

        /// <summary>What a command that must succeed printed.</summary>
        public string RequireDone()
        {
            Assert.True(ExitCode == 0, ToString());
            return Output;
        }

        /// <summary>A command that must fail says why in a sentence.</summary>
        public void RequireRefusal(string sentence)
        {
            Assert.True(ExitCode == 1, ToString());
            Assert.Contains(sentence, Errors, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", Errors, StringComparison.Ordinal);
        }
    }

    public static string Path { get; } = System.IO.Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "fedchain.exe" : "fedchain");

    public static Task<Outcome> RunAsync(params string[] arguments) => RunAsync(passphrase: null, arguments);

    /// <param name="variable">One more variable of the process's environment.</param>
    public static async Task<Outcome> RunAsync(string? passphrase, string[] arguments, (string Name, string Value)? variable = null)
    {
        using var process = Start(passphrase, variable, arguments);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return new Outcome(process.ExitCode, await output, await errors);
    }

    public static Process Start(string? passphrase, params string[] arguments) => Start(passphrase, variable: null, arguments);

    private static Process Start(string? passphrase, (string Name, string Value)? variable, string[] arguments)
    {
        var start = new ProcessStartInfo(Path, arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.Environment.Remove("FEDCHAIN_PASSPHRASE");
        if (passphrase is not null)
        {
            start.Environment["FEDCHAIN_PASSPHRASE"] = passphrase;
        }

        if (variable is var (name, value))
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }
}

using System.ComponentModel;
using System.Diagnostics;
using System.Security.Cryptography;

namespace FedChain.Node.LocalChain;

/// <summary>The npm packages of the repository: the Solidity compiler and its test runner, and the chain that the demo runs on.</summary>
public static class NpmPackages
{
    /// <summary>
    /// npm itself has to run on a Node that Hardhat accepts, or it leaves out Hardhat's native part; the system's may be older. So npm fetches
    /// its own Node first.
    /// </summary>
    private const string NodePackage = "node@24.21.0";

    /// <summary>Inside node_modules: the SHA-256 of the lock file that was installed from.</summary>
    private const string Stamp = ".fedchain-installed";

    private const int LinesKept = 20;

    /// <summary>
    /// Installs what package-lock.json names, unless that is there already. Takes about 15 seconds, without a network too once npm's cache is
    /// filled. Safe to call from several processes at a time: one installs, the others wait.
    /// </summary>
    /// <param name="repositoryRoot">The folder that holds package-lock.json.</param>
    /// <param name="progress">Gets one line at a time.</param>
    /// <exception cref="LocalChainException">npm is missing, or failed.</exception>
    public static async Task EnsureAsync(string repositoryRoot, IProgress<string>? progress = null, CancellationToken cancellationToken = default)
    {
        var lockFile = Path.Combine(repositoryRoot, "package-lock.json");
        if (!File.Exists(lockFile))
        {
            throw new LocalChainException($"{repositoryRoot} holds no package-lock.json. Run this from a clone of the repository.");
        }

        if (await IsInstalledAsync(repositoryRoot, cancellationToken))
        {
            return;
        }

        using var turn = await ProcessLock.AcquireAsync(repositoryRoot, progress, cancellationToken);
        if (await IsInstalledAsync(repositoryRoot, cancellationToken))
        {
            return;
        }

        progress?.Report("Installing npm packages (once; about 20 seconds)");
        await RunAsync(
            repositoryRoot,
            Npm("npx", repositoryRoot, "--prefer-offline", "--yes", $"--package={NodePackage}", "--", "npm", "ci", "--prefer-offline", "--no-audit", "--no-fund"),
            "npm ci",
            progress,
            cancellationToken);
        await File.WriteAllTextAsync(StampPath(repositoryRoot), await DigestAsync(lockFile, cancellationToken), cancellationToken);
    }

    /// <summary>Whether npm can be run at all.</summary>
    public static bool IsNpmAvailable()
    {
        var names = OperatingSystem.IsWindows() ? new[] { "npx.cmd" } : ["npx"];
        return (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Any(folder => names.Any(name => File.Exists(Path.Combine(folder, name))));
    }

    /// <summary>Runs a script of package.json, on the Node that was installed.</summary>
    /// <returns>The exit code.</returns>
    /// <exception cref="LocalChainException">npm is missing.</exception>
    public static Task<int> RunScriptAsync(string repositoryRoot, string script, Action<string> onLine, CancellationToken cancellationToken) =>
        StartAsync(Npm("npm", repositoryRoot, "run", "--silent", script), onLine, cancellationToken);

    internal static async Task RunAsync(
        string repositoryRoot, ProcessStartInfo start, string what, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        var tail = new Queue<string>();
        var exitCode = await StartAsync(
            start,
            line =>
            {
                if (string.IsNullOrWhiteSpace(line))
                {
                    return;
                }

                tail.Enqueue(line);
                if (tail.Count > LinesKept)
                {
                    tail.Dequeue();
                }

                progress?.Report(line);
            },
            cancellationToken);
        if (exitCode != 0)
        {
            throw new LocalChainException(
                $"'{what}' failed with exit code {exitCode} in {repositoryRoot}. Without a network it works only once npm's cache is filled. It said:\n"
                + string.Join('\n', tail));
        }
    }

    internal static ProcessStartInfo Npm(string program, string repositoryRoot, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(OperatingSystem.IsWindows() ? program + ".cmd" : program, arguments) { WorkingDirectory = repositoryRoot };
        start.Environment["HARDHAT_DISABLE_TELEMETRY"] = "true";
        start.Environment["npm_config_loglevel"] = "error";
        start.Environment["npm_config_update_notifier"] = "false";
        return start;
    }

    private static async Task<int> StartAsync(ProcessStartInfo start, Action<string> onLine, CancellationToken cancellationToken)
    {
        try
        {
            return await ChildProcess.RunAsync(start, onLine, cancellationToken);
        }
        catch (Win32Exception e)
        {
            throw new LocalChainException(
                $"'{start.FileName}' can't be run ({e.Message}). Install Node.js with npm, any version (https://nodejs.org, or 'apt install npm'), and try again.", e);
        }
    }

    private static async Task<bool> IsInstalledAsync(string repositoryRoot, CancellationToken cancellationToken)
    {
        var stamp = StampPath(repositoryRoot);
        return File.Exists(stamp)
            && await File.ReadAllTextAsync(stamp, cancellationToken) == await DigestAsync(Path.Combine(repositoryRoot, "package-lock.json"), cancellationToken);
    }

    private static string StampPath(string repositoryRoot) => Path.Combine(repositoryRoot, "node_modules", Stamp);

    private static async Task<string> DigestAsync(string file, CancellationToken cancellationToken)
    {
        await using var stream = File.OpenRead(file);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellationToken));
    }
}

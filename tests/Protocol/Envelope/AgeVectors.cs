using System.ComponentModel;
using System.Security.Cryptography;
using FedChain.Tests;

namespace FedChain.Protocol.Tests.Envelope;

/// <summary>
/// The age vectors to run: the published collection (npm's cctv-age, installed and dumped to obj/ once per lock file), and whatever lies in
/// a folder "age" of <see cref="Shared.Vectors"/>.
/// </summary>
internal static class AgeVectors
{
    private static readonly Lazy<(string? Folder, string? Problem)> Collection = new(Obtain);

    /// <summary>The folder with the published collection, or null where npm can't provide it.</summary>
    public static string? Published => Collection.Value.Folder;

    /// <summary>Why <see cref="Published"/> is null.</summary>
    public static string? WhyAbsent => Collection.Value.Problem;

    public static IReadOnlyList<string> Paths { get; } =
    [
        .. (Published is null ? [] : Directory.EnumerateFiles(Published)).Order(),
        .. Shared.VectorFolders("age").SelectMany(folder => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
            .Where(path => Path.GetExtension(path) != ".md" && !Path.GetFileName(path).StartsWith("LICENSE", StringComparison.Ordinal)).Order(),
    ];

    private static (string? Folder, string? Problem) Obtain()
    {
        var recipe = Path.Combine(Shared.RepositoryRoot, "tests", "Protocol", "Envelope", "npm");
        var lockFile = Path.Combine(recipe, "package-lock.json");
        var root = Path.Combine(Shared.RepositoryRoot, "tests", "Protocol", "obj", "age-vectors");
        var folder = Path.Combine(root, Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(lockFile)))[..16]);
        if (Directory.Exists(folder))
        {
            return (folder, null);
        }

        var work = Path.Combine(root, $"work-{Environment.ProcessId}");
        try
        {
            Directory.CreateDirectory(work);
            foreach (var file in Directory.EnumerateFiles(recipe))
            {
                File.Copy(file, Path.Combine(work, Path.GetFileName(file)), overwrite: true);
            }

            var install = Tool.Run("npm", ["ci", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"], work);
            var dump = install.ExitCode == 0 ? Tool.Run("node", ["dump.mjs", "dumped"], work) : install;
            if (dump.ExitCode != 0)
            {
                var reason = dump.Error.Split('\n').FirstOrDefault(line => line.Contains("rror", StringComparison.Ordinal))?.Trim();
                return (null, $"the vectors of npm's cctv-age can't be had, go online once: {reason ?? $"exit code {dump.ExitCode}"}");
            }

            Directory.Move(Path.Combine(work, "dumped"), folder); // appears whole or not at all
            return (folder, null);
        }
        catch (Win32Exception e)
        {
            return (null, $"the vectors of npm's cctv-age need node and npm on the PATH: {e.Message}");
        }
        catch (IOException) when (Directory.Exists(folder))
        {
            return (folder, null); // another process was faster
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }
}

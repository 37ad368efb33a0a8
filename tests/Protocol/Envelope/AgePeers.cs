using System.ComponentModel;
using System.Security.Cryptography;
using FedChain.Tests;

namespace FedChain.Protocol.Tests.Envelope;

/// <summary>
/// The npm packages of <c>npm/</c>: age's published vectors (cctv-age), and the age author's TypeScript implementation (age-encryption). Installed to obj/
/// once for each state of that folder.
/// </summary>
internal static class AgePeers
{
    private static readonly Lazy<(string? Folder, string? Problem)> Installed = new(Obtain);

    /// <summary>Why npm can't provide the packages, or null.</summary>
    public static string? WhyAbsent => Installed.Value.Problem;

    /// <summary>The folder with the published vectors, or null where npm can't provide it.</summary>
    public static string? Vectors => Installed.Value.Folder is { } folder ? Path.Combine(folder, "vectors") : null;

    /// <summary>Runs age-encryption; see <c>npm/age.mjs</c> for the commands.</summary>
    /// <returns>What it wrote.</returns>
    /// <exception cref="InvalidOperationException">It failed; the message is what it said.</exception>
    public static byte[] Run(string command, IEnumerable<string> arguments, byte[] input)
    {
        var (exitCode, output, error) = Tool.Run("node", ["age.mjs", command, .. arguments], Installed.Value.Folder!, input);
        return exitCode == 0 ? output : throw new InvalidOperationException($"age-encryption, {command}: {error}");
    }

    private static (string? Folder, string? Problem) Obtain()
    {
        var recipe = Directory.EnumerateFiles(Path.Combine(Shared.RepositoryRoot, "tests", "Protocol", "Envelope", "npm")).Order().ToList();
        var root = Path.Combine(Shared.RepositoryRoot, "tests", "Protocol", "obj", "age-peers");
        byte[] state = [.. recipe.SelectMany(file => SHA256.HashData(File.ReadAllBytes(file)))];
        var folder = Path.Combine(root, Convert.ToHexStringLower(SHA256.HashData(state))[..16]);
        if (Directory.Exists(folder))
        {
            return (folder, null);
        }

        var work = Path.Combine(root, $"work-{Environment.ProcessId}");
        try
        {
            Directory.CreateDirectory(work);
            recipe.ForEach(file => File.Copy(file, Path.Combine(work, Path.GetFileName(file)), overwrite: true));
            var install = Tool.Run("npm", ["ci", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"], work);
            var dump = install.ExitCode == 0 ? Tool.Run("node", ["dump.mjs", "vectors"], work) : install;
            if (dump.ExitCode != 0)
            {
                var reason = dump.Error.Split('\n').FirstOrDefault(line => line.Contains("rror", StringComparison.Ordinal))?.Trim();
                return (null, $"npm's cctv-age and age-encryption can't be had, go online once: {reason ?? $"exit code {dump.ExitCode}"}");
            }

            Directory.Move(work, folder); // appears whole or not at all
            return (folder, null);
        }
        catch (Win32Exception e)
        {
            return (null, $"npm's cctv-age and age-encryption need node and npm on the PATH: {e.Message}");
        }
        catch (IOException) when (Directory.Exists(folder))
        {
            return (folder, null); // another process was faster
        }
        finally
        {
            if (Directory.Exists(work))
            {
                Directory.Delete(work, recursive: true);
            }
        }
    }
}

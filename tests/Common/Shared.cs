using System.Reflection;

namespace FedChain.Tests;

/// <summary>
/// Finds what the tests read from outside the repository: vectors, data and models. Each is a list of folders in an environment variable
/// (separated as in PATH, relative ones taken from the repository root); where none exists, the tests that need them are reported as skipped.
/// </summary>
internal static class Shared
{
    /// <summary>The folder that holds FedChain.sln.</summary>
    public static string RepositoryRoot { get; } = typeof(Shared).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(a => a.Key == "RepositoryRoot").Value!;

    public static IReadOnlyList<string> Vectors { get; } = Folders("FEDCHAIN_VECTORS", "../shared/vectors");

    public static IReadOnlyList<string> Data { get; } = Folders("FEDCHAIN_DATA", "../shared/data");

    public static IReadOnlyList<string> Models { get; } = Folders("FEDCHAIN_MODELS", "../shared/models");

    /// <summary>The existing folders named <paramref name="relative"/> under any of the vector folders, e.g. "ethereum/ethers".</summary>
    public static IEnumerable<string> VectorFolders(string relative) =>
        Vectors.Select(root => Path.Combine(root, relative)).Where(Directory.Exists);

    /// <summary>The existing files named <paramref name="relative"/> under any of the vector folders, e.g. "ipfs/cids.json".</summary>
    public static IEnumerable<string> VectorFiles(string relative) =>
        Vectors.Select(root => Path.Combine(root, relative)).Where(File.Exists);

    private static List<string> Folders(string variable, string fallback)
    {
        var value = Environment.GetEnvironmentVariable(variable);
        return [.. (string.IsNullOrEmpty(value) ? fallback : value)
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(folder => Path.GetFullPath(folder, RepositoryRoot))
            .Where(Directory.Exists)];
    }
}

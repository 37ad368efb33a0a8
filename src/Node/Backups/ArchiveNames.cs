using FedChain.Node.Adapters;
using FedChain.Node.Homes;

namespace FedChain.Node.Backups;

/// <summary>What may lie where in a backup: known files at the top, and plain names in known folders. Kept by who writes one, demanded by who reads one.</summary>
internal static class ArchiveNames
{
    private const long MostSmall = 1 << 20; // settings and keystores
    private const long MostLarge = 1L << 36; // adapters
    private const int MostDepth = 8;
    private const int MostLetters = 128;
    private static readonly string[] Folders = ["keys", "rounds", "adapters", "updates", "store"];

    /// <summary>The files at the top of a home: settings, and what was decided and noted of adapters.</summary>
    public static IReadOnlyList<string> TopFiles { get; } = [HomeFolder.SettingsFile, KeptAdapter.FileName, LossLog.FileName];

    /// <returns>What is wrong with a file or folder of this name and size; null if nothing is.</returns>
    public static string? Refusal(string name, bool isFolder, long length)
    {
        var segments = name.Split('/');
        var isTopFile = !isFolder && (TopFiles.Contains(name) || name == BackupInfo.FileName);
        if (segments.Length > MostDepth || !segments.All(IsPlain) || !(isTopFile || (Folders.Contains(segments[0]) && (isFolder || segments.Length > 1))))
        {
            return $"'{name}' has no place in a home";
        }

        var most = isTopFile || segments[0] == "keys" ? MostSmall : MostLarge;
        return length > most ? $"'{name}' has {length:N0} bytes, where at most {most:N0} are expected" : null;
    }

    private static bool IsPlain(string segment) =>
        segment is not ("" or "." or "..") && segment.Length <= MostLetters && segment.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');
}

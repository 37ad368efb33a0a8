using System.Formats.Tar;
using System.IO.Compression;
using FedChain.Node.Homes;

namespace FedChain.Node.Backups;

/// <summary>
/// Unpacks a backup's tar.gz into a folder, and nothing outside it: plain files and folders, with the names that homes have. A passphrase proves who made
/// an archive only as long as nobody else knows it, so what it holds is not trusted.
/// </summary>
internal static class ArchiveReader
{
    private const long MostSmall = 1 << 20; // settings and keystores
    private const long MostLarge = 1L << 36; // adapters
    private const UnixFileMode FolderMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private static readonly string[] Folders = ["keys", "rounds", "adapters", "updates", "store"];

    /// <param name="archive">Read to its end, so that a source that ends early or was altered is noticed by whoever made the stream.</param>
    /// <param name="folder">Exists and is empty.</param>
    /// <exception cref="InvalidDataException">The archive is damaged, or holds what a backup doesn't; the folder may hold a part.</exception>
    public static async Task ExtractAsync(Stream archive, string folder, CancellationToken cancellationToken)
    {
        await using (var gzip = new GZipStream(archive, CompressionMode.Decompress, leaveOpen: true))
        {
            await using var tar = new TarReader(gzip, leaveOpen: true);
            while (await tar.GetNextEntryAsync(copyData: false, cancellationToken) is { } entry)
            {
                await ExtractAsync(entry, folder, cancellationToken);
            }

            await gzip.CopyToAsync(Stream.Null, cancellationToken);
        }

        await archive.CopyToAsync(Stream.Null, cancellationToken);
    }

    private static async Task ExtractAsync(TarEntry entry, string folder, CancellationToken cancellationToken)
    {
        var isFolder = entry.EntryType == TarEntryType.Directory;
        if (!isFolder && entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile))
        {
            throw new InvalidDataException($"The backup holds '{entry.Name}', which is a {entry.EntryType}; backups hold plain files and folders only.");
        }

        var name = isFolder && entry.Name.EndsWith('/') ? entry.Name[..^1] : entry.Name;
        var segments = name.Split('/');
        var isTopFile = !isFolder && name is (BackupInfo.FileName or HomeFolder.SettingsFile);
        if (!IsSafe(segments) || !(isTopFile || (Folders.Contains(segments[0]) && (isFolder || segments.Length > 1))))
        {
            throw new InvalidDataException($"The backup holds '{entry.Name}', which has no place in a home.");
        }

        var most = segments.Length == 1 || segments[0] == "keys" ? MostSmall : MostLarge;
        if (entry.Length > most)
        {
            throw new InvalidDataException($"The backup's '{entry.Name}' has {entry.Length:N0} bytes; at most {most:N0} are expected there.");
        }

        for (var depth = 1; depth < segments.Length + (isFolder ? 1 : 0); depth++)
        {
            MakeFolder(Path.Combine([folder, .. segments[..depth]])); // one by one: parents made along the way would be open to others
        }

        if (isFolder)
        {
            return;
        }

        var path = Path.Combine([folder, .. segments]);
        if (File.Exists(path) || Directory.Exists(path))
        {
            throw new InvalidDataException($"The backup holds '{entry.Name}' twice.");
        }

        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        await using var file = new FileStream(path, options);
        if (entry.DataStream is not null)
        {
            await entry.DataStream.CopyToAsync(file, cancellationToken);
        }

        file.Flush(flushToDisk: true);
    }

    private static bool IsSafe(string[] segments) => segments.Length <= 8 && segments.All(s => s is not ("" or "." or "..") && s.Length <= 128 && s.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'));

    private static void MakeFolder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, FolderMode);
        }
    }
}

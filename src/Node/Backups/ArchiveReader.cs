using System.Formats.Tar;
using System.IO.Compression;

namespace FedChain.Node.Backups;

/// <summary>
/// Unpacks a backup's tar.gz into a folder, and nothing outside it: plain files and folders, with the names that homes have. A passphrase proves who made
/// an archive only as long as nobody else knows it, so what it holds is not trusted.
/// </summary>
internal static class ArchiveReader
{
    private const UnixFileMode FolderMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

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
        if (ArchiveNames.Refusal(name, isFolder, entry.Length) is { } refusal)
        {
            throw new InvalidDataException($"The backup is refused: {refusal}.");
        }

        var segments = name.Split('/');
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

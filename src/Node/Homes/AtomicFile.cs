using FedChain.Network;
using FedChain.Network.Content;

namespace FedChain.Node.Homes;

/// <summary>Writes a file so that after a crash it holds either the old bytes or the new ones.</summary>
public static class AtomicFile
{
    /// <summary>What the names of unfinished files end in.</summary>
    public const string Unfinished = ".tmp";

    /// <summary>What the names of files end in that were found damaged.</summary>
    public const string Damaged = ".damaged";

    /// <param name="path">The file's name.</param>
    /// <param name="bytes">All of it.</param>
    /// <param name="secret">Whether only its owner may read it.</param>
    public static void Write(string path, ReadOnlySpan<byte> bytes, bool secret = false) => Write(path, bytes, static (file, all) => file.Write(all), secret);

    /// <param name="path">The file's name.</param>
    /// <param name="write">Writes all of it.</param>
    /// <param name="secret">Whether only its owner may read it.</param>
    public static void Write(string path, Action<Stream> write, bool secret = false) => Write(path, write, static (file, all) => all(file), secret);

    private static void Write<T>(string path, T content, Action<Stream, T> write, bool secret)
        where T : allows ref struct
    {
        var temporary = $"{path}.{Guid.NewGuid():N}{Unfinished}";
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite
                | (secret ? UnixFileMode.None : UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        }

        try
        {
            using (var file = new FileStream(temporary, options))
            {
                write(file, content);
                file.Flush(flushToDisk: true);
            }

            Replace(temporary, path);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Gives a finished and flushed file its name. The folder is flushed as well: until then a power failure may bring back the old file.</summary>
    public static void Replace(string temporary, string path)
    {
        Crash.At(CrashPoint.FileWritten);
        File.Move(temporary, path, overwrite: true);
        Crash.At(CrashPoint.FileNamed);
        DiskFolder.Flush(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>
    /// Takes a file out of the way that holds what nobody wrote there, as after a power failure that tore a write, or on a disk that rots: it is kept for who
    /// wants to look into it, and what it held is made or fetched anew.
    /// </summary>
    /// <returns>A sentence for the operator.</returns>
    public static string PutAside(string path, string fault)
    {
        File.Move(path, path + Damaged, overwrite: true);
        return $"{path} is damaged ({fault.TrimEnd('.')}). It was put aside as {Path.GetFileName(path)}{Damaged}, and what it held is made or fetched anew. If this happens again, check the disk.";
    }

    /// <summary>Removes what writers that crashed left in a folder. Nobody may be writing there.</summary>
    public static void Sweep(string folder, bool below)
    {
        foreach (var file in Directory.GetFiles(folder, "*" + Unfinished, below ? SearchOption.AllDirectories : SearchOption.TopDirectoryOnly))
        {
            File.Delete(file);
        }
    }
}

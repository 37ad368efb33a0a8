using FedChain.Node.Homes;
using FedChain.Node.Peer;
using FedChain.Protocol.Envelope;

namespace FedChain.Node.Backups;

/// <summary>
/// A home in one file: a tar.gz inside an age file sealed with a passphrase, so that <c>age -d FILE | tar xz</c> opens it without this program. Either
/// the whole file appears or none, and likewise the restored home.
/// </summary>
internal static class Backup
{
    /// <summary>Packs and seals a home; a peer may be running in it.</summary>
    /// <param name="home">What to back up.</param>
    /// <param name="file">A new file.</param>
    /// <param name="passphrase">Asked for once all else is found in order. It opens the backup; the keys in it are sealed with the home's own besides.</param>
    /// <param name="time">Tells when.</param>
    /// <param name="cancellationToken">Leaves nothing behind.</param>
    /// <param name="workFactor">Base-two logarithm of scrypt's N.</param>
    /// <returns>Bytes of the file.</returns>
    /// <exception cref="UserErrorException">The file exists, or the home can't be backed up.</exception>
    public static async Task<long> CreateAsync(
        HomeFolder home, string file, Func<string> passphrase, TimeProvider time, CancellationToken cancellationToken, int workFactor = AgePassphrase.DefaultWorkFactor)
    {
        file = Path.GetFullPath(file);
        if (Path.Exists(file))
        {
            throw new UserErrorException($"{file} exists already, and a backup never replaces another. Name a new file; nothing was written.");
        }

        var settings = home.Settings;
        var info = new BackupInfo(1, time.GetUtcNow(), settings.Name, settings.ChainId, settings.Federation?.ToString());
        var unfinished = $"{file}.{Guid.NewGuid():N}{AtomicFile.Unfinished}";
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var secret = new AgePassphrase(passphrase());
        try
        {
            await using (var destination = new FileStream(unfinished, options))
            {
                await using (var age = new AgeWriter(destination, secret, workFactor, leaveOpen: true))
                {
                    await ArchiveWriter.WriteAsync(home, info, age, cancellationToken);
                    await age.CompleteAsync(cancellationToken);
                }

                destination.Flush(flushToDisk: true);
            }

            AtomicFile.Replace(unfinished, file);
        }
        catch
        {
            File.Delete(unfinished);
            throw;
        }

        return new FileInfo(file).Length;
    }

    /// <summary>Makes the home that was backed up. What it served it serves again: the store is made anew from its own updates.</summary>
    /// <exception cref="UserErrorException">The folder isn't empty, or the file is no backup, damaged, or of another passphrase; nothing is left behind.</exception>
    public static async Task<(HomeFolder Home, BackupInfo Info)> RestoreAsync(string file, string folder, Func<string> passphrase, CancellationToken cancellationToken)
    {
        using var making = new NewFolder(folder);
        if (!File.Exists(file))
        {
            throw new UserErrorException($"There is no backup {file}. Name the file that 'fedchain backup' made.");
        }

        using var secret = new AgePassphrase(passphrase());
        try
        {
            await UnpackAsync(file, making.Unfinished, secret, cancellationToken);
            var info = BackupInfo.Parse(await File.ReadAllBytesAsync(Path.Combine(making.Unfinished, BackupInfo.FileName), cancellationToken));
            var home = HomeFolder.Open(making.Unfinished);
            if (new[] { home.OperatorKey, home.AgeKey }.FirstOrDefault(k => !File.Exists(k.Present)) is { } missing)
            {
                throw new InvalidDataException($"It lacks keys/{Path.GetFileName(missing.Present)}, without which no peer can run.");
            }

            await ServeAgainAsync(home, cancellationToken);
            File.Delete(Path.Combine(making.Unfinished, BackupInfo.FileName));
            making.Complete();
            return (HomeFolder.Open(folder), info);
        }
        catch (Exception e) when (e is AgeException or InvalidDataException or FileNotFoundException)
        {
            throw new UserErrorException($"{file} can't be restored: {e.Message} Nothing was written to {folder}.", e);
        }
    }

    private static async Task UnpackAsync(string file, string folder, AgePassphrase passphrase, CancellationToken cancellationToken)
    {
        await using var source = File.OpenRead(file);
        using var age = await AgeReader.OpenAsync(source, passphrase, leaveOpen: true, cancellationToken);
        await ArchiveReader.ExtractAsync(age, folder, cancellationToken);
    }

    private static async Task ServeAgainAsync(HomeFolder home, CancellationToken cancellationToken)
    {
        using var store = HomeStore.Open(home);
        foreach (var update in OwnUpdate.AllOf(home).Where(u => u.IsExposed).ToList())
        {
            await update.ServeAgainAsync(home, store, cancellationToken);
        }
    }
}

namespace FedChain.Network.Content;

/// <summary>A process's folder for unfinished files, with a lock beside it that the system releases when the process ends, however it ends.</summary>
internal sealed class StoreSession : IDisposable
{
    private const string LockSuffix = ".lock";

    private readonly FileStream _lock;

    public StoreSession(string temporary)
    {
        Directory.CreateDirectory(temporary);
        Folder = Path.Combine(temporary, Guid.NewGuid().ToString("n"));
        _lock = new FileStream(Folder + LockSuffix, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
        Directory.CreateDirectory(Folder);
    }

    public string Folder { get; }

    /// <summary>Removes the folders whose process is gone. What can't be removed now is left to the next one.</summary>
    public static void RemoveAbandoned(string temporary)
    {
        if (!Directory.Exists(temporary))
        {
            return;
        }

        foreach (var folder in Directory.GetDirectories(temporary))
        {
            try
            {
                // Whoever holds the lock is alive. Without a lock file its process ended in order, but for the folder.
                using var taken = new FileStream(folder + LockSuffix, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
                Directory.Delete(folder, recursive: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                continue;
            }
        }
    }

    public void Dispose()
    {
        if (Directory.Exists(Folder))
        {
            Directory.Delete(Folder, recursive: true);
        }

        _lock.Dispose();
    }
}

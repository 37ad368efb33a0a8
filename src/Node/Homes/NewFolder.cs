using FedChain.Network.Content;

namespace FedChain.Node.Homes;

/// <summary>A folder that appears whole or not at all: it is filled under another name, beside its place, and only its owner can enter it.</summary>
internal sealed class NewFolder : IDisposable
{
    private readonly string _path;
    private bool _completed;

    /// <exception cref="UserErrorException">Something is there already.</exception>
    public NewFolder(string path)
    {
        _path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (File.Exists(_path) || (Directory.Exists(_path) && Directory.EnumerateFileSystemEntries(_path).Any()))
        {
            throw new UserErrorException($"{_path} is not empty. A new home needs an empty or new folder; nothing was changed.");
        }

        Unfinished = $"{_path}.{Guid.NewGuid():N}{AtomicFile.Unfinished}";
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(Unfinished);
        }
        else
        {
            Directory.CreateDirectory(Unfinished, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute); // keys and opened adapters lie here
        }
    }

    /// <summary>Where to write meanwhile.</summary>
    public string Unfinished { get; }

    /// <summary>Puts the folder in its place.</summary>
    public void Complete()
    {
        if (Directory.Exists(_path))
        {
            Directory.Delete(_path);
        }

        Directory.Move(Unfinished, _path);
        _completed = true;
        DiskFolder.Flush(Path.GetDirectoryName(_path)!);
    }

    public void Dispose()
    {
        if (!_completed)
        {
            Directory.Delete(Unfinished, recursive: true);
        }
    }
}

namespace FedChain.Learning;

/// <summary>A folder that appears whole or not at all: its files are written beside it, and it is moved when they are complete.</summary>
internal static class NewFolder
{
    /// <param name="directory">A new folder, or an empty one.</param>
    /// <param name="what">What it is for, to say so where it can't be.</param>
    /// <param name="fill">Writes the files into the folder that it is given.</param>
    /// <exception cref="IOException">The folder holds something already, or it can't be written.</exception>
    public static void Write(string directory, string what, Action<string> fill)
    {
        var target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory));
        if (File.Exists(target) || (Directory.Exists(target) && Directory.EnumerateFileSystemEntries(target).Any()))
        {
            throw new IOException($"{directory} exists and is not an empty folder. Name a new folder for {what}; nothing is overwritten.");
        }

        var temporary = $"{target}.{Guid.NewGuid():N}";
        Directory.CreateDirectory(temporary);
        try
        {
            fill(temporary);
            if (Directory.Exists(target))
            {
                Directory.Delete(target); // empty, as seen above; fails if something came into it since
            }

            Directory.Move(temporary, target);
        }
        catch
        {
            Directory.Delete(temporary, recursive: true);
            throw;
        }
    }
}

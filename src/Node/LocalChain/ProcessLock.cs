namespace FedChain.Node.LocalChain;

/// <summary>One process at a time works on the repository's node_modules and artifacts. The system lets go of the lock when a process dies.</summary>
internal sealed class ProcessLock : IDisposable
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);

    private readonly FileStream _file;

    private ProcessLock(FileStream file) => _file = file;

    public static async Task<ProcessLock> AcquireAsync(string repositoryRoot, IProgress<string>? progress, CancellationToken cancellationToken)
    {
        var folder = Path.Combine(repositoryRoot, "obj"); // ignored by git, and npm doesn't clean it
        Directory.CreateDirectory(folder);
        for (var told = false; ; told = true)
        {
            try
            {
                return new ProcessLock(new FileStream(Path.Combine(folder, "npm.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
            }
            catch (IOException e) when (e.GetType() == typeof(IOException))
            {
                if (!told)
                {
                    progress?.Report("Waiting for another process that installs or builds here");
                }

                await Task.Delay(Poll, cancellationToken);
            }
        }
    }

    public void Dispose() => _file.Dispose();
}

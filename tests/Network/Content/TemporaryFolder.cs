namespace FedChain.Network.Tests.Content;

/// <summary>A folder for one test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("fedchain-test-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

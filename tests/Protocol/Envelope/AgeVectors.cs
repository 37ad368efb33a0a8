using FedChain.Tests;

namespace FedChain.Protocol.Tests.Envelope;

/// <summary>The age vectors to run: the published collection, and whatever lies in a folder "age" of <see cref="Shared.Vectors"/>.</summary>
internal static class AgeVectors
{
    public static IReadOnlyList<string> Paths { get; } =
    [
        .. (AgePeers.Vectors is { } published ? Directory.EnumerateFiles(published) : []).Order(),
        .. Shared.VectorFolders("age").SelectMany(folder => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
            .Where(path => Path.GetExtension(path) != ".md" && !Path.GetFileName(path).StartsWith("LICENSE", StringComparison.Ordinal)).Order(),
    ];
}

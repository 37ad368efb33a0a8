using System.Security.Cryptography;
using FedChain.Network.Content;
using FedChain.Node.Homes;
using FedChain.Protocol;
using FedChain.Protocol.Content;
using FedChain.Protocol.Manifests;

namespace FedChain.Node.Peer;

/// <summary>
/// This member's own update in the folder of a round: plaintext, sealed file and, written last, the manifest that names both. They exist nowhere else
/// before they are served, which <c>exposed</c> notes, and can't be made again: each has a salt, and the sealed file its own key.
/// </summary>
internal sealed class OwnUpdate(string folder)
{
    private const string PlaintextName = "update.safetensors";
    private const string SealedName = "update.age";
    private const string ManifestName = "update.manifest";

    public string PlaintextPath => Path.Combine(folder, PlaintextName);

    /// <summary>Nobody else may see it before the close.</summary>
    public string SealedPath => Path.Combine(folder, SealedName);

    public string ManifestPath => Path.Combine(folder, ManifestName);

    /// <summary>What encoding left out of the update; it counts once the update has entered an aggregate. None, which is zero, where nothing was left out.</summary>
    public string ResidualPath => Path.Combine(folder, "residual.safetensors");

    private string ExposedPath => Path.Combine(folder, "exposed");

    /// <summary>Whether the update of the present manifest is served.</summary>
    public bool IsExposed => ReadManifest() is { } manifest && File.Exists(ExposedPath) && File.ReadAllText(ExposedPath) == DigestOf(manifest).ToString();

    /// <summary>The own updates of every round of a home.</summary>
    public static IEnumerable<OwnUpdate> AllOf(HomeFolder home) =>
        Directory.EnumerateFiles(home.RoundsPath, ManifestName, SearchOption.AllDirectories).Select(file => new OwnUpdate(Path.GetDirectoryName(file)!));

    /// <summary>Whether a file is one of an update's three.</summary>
    public static bool IsPartOf(string file) => Path.GetFileName(file) is PlaintextName or SealedName or ManifestName;

    public static Hash256 DigestOf(byte[] manifest) => new(SHA256.HashData(manifest));

    public byte[]? ReadManifest() => File.Exists(ManifestPath) ? File.ReadAllBytes(ManifestPath) : null;

    public void WriteManifest(ReadOnlySpan<byte> manifest) => AtomicFile.Write(ManifestPath, manifest);

    public void MarkExposed() => AtomicFile.Write(ExposedPath, System.Text.Encoding.UTF8.GetBytes(DigestOf(ReadManifest()!).ToString()));

    /// <summary>Serves again what was served: sealed file and manifest are put into a store, and the plaintext among the opened updates.</summary>
    /// <exception cref="InvalidDataException">The sealed file isn't the one that the manifest names.</exception>
    public async Task ServeAgainAsync(HomeFolder home, IContentStore store, CancellationToken cancellationToken)
    {
        var bytes = ReadManifest()!;
        var manifest = UpdateManifest.Parse(bytes);
        await using (var sealedFile = File.OpenRead(SealedPath))
        {
            var (found, _) = await store.AddAsync(sealedFile, cancellationToken);
            if (found != manifest.Payload)
            {
                throw new InvalidDataException($"{SealedPath} is damaged: its manifest names {manifest.Payload}, and it is {found}.");
            }
        }

        await store.AddBlockAsync(bytes, cancellationToken);
        if (!File.Exists(home.UpdateFile(manifest.Plaintext)))
        {
            AtomicFile.Write(home.UpdateFile(manifest.Plaintext), await File.ReadAllBytesAsync(PlaintextPath, cancellationToken));
        }
    }

    /// <summary>Whether plaintext and sealed file are those that the manifest names. They aren't while another training replaces them.</summary>
    public static async Task<bool> AgreesAsync(UpdateManifest manifest, Stream plaintext, Stream sealedFile, CancellationToken cancellationToken) =>
        new Hash256(await SHA256.HashDataAsync(plaintext, cancellationToken)) == manifest.Plaintext
        && (await UnixFsImporter.ImportAsync(sealedFile, UnixFsLayout.Default, sink: null, cancellationToken)).Cid == manifest.Payload;
}

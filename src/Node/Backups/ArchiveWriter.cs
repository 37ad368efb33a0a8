using System.Formats.Tar;
using System.IO.Compression;
using FedChain.Network.Content;
using FedChain.Node.Homes;
using FedChain.Node.Peer;
using FedChain.Protocol.Content;
using FedChain.Protocol.Manifests;

namespace FedChain.Node.Backups;

/// <summary>
/// Packs what can't be made again or fetched from a home into a tar.gz, while a peer may be running there. Every file is written atomically and after
/// what it speaks of, so they are packed the other way round, facts before what they speak of: whatever a packed fact speaks of is packed as well. Of the
/// store only what perhaps nobody else holds goes in: this member's own global manifests and sealed adapters. Its updates' sealed files lie in
/// <c>rounds/</c>, whence a restore puts those that were served back into the store; all else is the other members' too.
/// </summary>
internal sealed class ArchiveWriter : IAsyncDisposable
{
    private readonly HomeFolder _home;
    private readonly GZipStream _gzip;
    private readonly TarWriter _tar;

    private ArchiveWriter(HomeFolder home, Stream destination)
    {
        _home = home;
        _gzip = new GZipStream(destination, CompressionLevel.Fastest, leaveOpen: true); // adapters hardly shrink
        _tar = new TarWriter(_gzip, TarEntryFormat.Pax, leaveOpen: true);
    }

    /// <param name="destination">Gets the archive; left open.</param>
    /// <exception cref="UserErrorException">The home lacks a key that a peer can't do without.</exception>
    public static async Task WriteAsync(HomeFolder home, BackupInfo info, Stream destination, CancellationToken cancellationToken)
    {
        await using var writer = new ArchiveWriter(home, destination);
        await writer.WriteAsync(info, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _tar.DisposeAsync();
        await _gzip.DisposeAsync();
    }

    private async Task WriteAsync(BackupInfo info, CancellationToken cancellationToken)
    {
        using (var bytes = new MemoryStream(info.ToBytes()))
        {
            await AddAsync(BackupInfo.FileName, bytes, info.MadeAt.UtcDateTime, cancellationToken);
        }

        foreach (var file in ArchiveNames.TopFiles)
        {
            await AddAsync(file, cancellationToken);
        }

        await AddKeysAsync(cancellationToken);
        await AddRoundsAsync(cancellationToken);
        await AddFolderAsync(_home.AdaptersPath, _ => true, cancellationToken);
        await AddFolderAsync(_home.UpdatesPath, _ => true, cancellationToken);
        await AddOwnBlocksAsync(cancellationToken);
    }

    /// <summary>The next keys before the present ones, and these before the former: a rotation that ends meanwhile moves each to where it is yet to be packed.</summary>
    private async Task AddKeysAsync(CancellationToken cancellationToken)
    {
        foreach (var key in new[] { _home.OperatorKey, _home.AgeKey })
        {
            if (!File.Exists(key.Present))
            {
                throw new UserErrorException($"The key file {key.Present} is missing, and a backup without it could not be used. Restore it first.");
            }
        }

        var keys = Path.GetDirectoryName(_home.OperatorKey.Present)!;
        await AddDirectoryAsync(keys, cancellationToken);
        foreach (var next in new[] { true, false })
        {
            foreach (var file in Directory.GetFiles(keys).Where(f => IsFinished(f) && f.EndsWith(KeyFiles.NextEnding, StringComparison.Ordinal) == next))
            {
                await AddAsync(NameOf(file), cancellationToken);
            }
        }

        if (Directory.Exists(Path.Combine(keys, KeyFiles.FormerFolder)))
        {
            await AddFolderAsync(Path.Combine(keys, KeyFiles.FormerFolder), _ => true, cancellationToken);
        }
    }

    private async Task AddRoundsAsync(CancellationToken cancellationToken)
    {
        await AddFolderAsync(_home.RoundsPath, file => !OwnUpdate.IsPartOf(file), cancellationToken);
        foreach (var update in OwnUpdate.AllOf(_home).ToList())
        {
            await AddUpdateAsync(update, cancellationToken);
        }
    }

    /// <summary>The three files of an update if they belong together; they are read from what was opened, whatever replaces it meanwhile.</summary>
    private async Task AddUpdateAsync(OwnUpdate update, CancellationToken cancellationToken)
    {
        if (update.ReadManifest() is not { } bytes || !File.Exists(update.PlaintextPath) || !File.Exists(update.SealedPath))
        {
            return;
        }

        await using var plaintext = File.OpenRead(update.PlaintextPath);
        await using var sealedFile = File.OpenRead(update.SealedPath);
        if (!await OwnUpdate.AgreesAsync(UpdateManifest.Parse(bytes), plaintext, sealedFile, cancellationToken))
        {
            return; // being replaced: restored without, the peer trains anew
        }

        (plaintext.Position, sealedFile.Position) = (0, 0);
        var time = File.GetLastWriteTimeUtc(update.ManifestPath);
        await AddAsync(NameOf(update.PlaintextPath), plaintext, time, cancellationToken);
        await AddAsync(NameOf(update.SealedPath), sealedFile, time, cancellationToken);
        using var manifest = new MemoryStream(bytes);
        await AddAsync(NameOf(update.ManifestPath), manifest, time, cancellationToken);
    }

    private async Task AddOwnBlocksAsync(CancellationToken cancellationToken)
    {
        if (_home.Settings.Ipfs is not null)
        {
            return; // they lie in the institution's IPFS node, which is no part of the home
        }

        using var store = new BlockStore(_home.StorePath);
        var packed = new HashSet<Cid>();
        foreach (var digest in RoundFolder.PublishedIn(_home).ToList())
        {
            var cid = Cid.RawOf(digest);
            if (await store.GetAsync(cid, cancellationToken: cancellationToken) is not { } manifest)
            {
                continue; // the peer packed nothing there, or somebody tidied up
            }

            List<Cid> blocks = [cid];
            var named = GlobalManifest.Parse(manifest.Span);
            foreach (var payload in new[] { named.Payload, named.State?.Payload }.OfType<Cid>())
            {
                await foreach (var block in store.BlocksOfAsync(payload, cancellationToken))
                {
                    blocks.Add(block);
                }
            }

            foreach (var block in blocks.Where(packed.Add))
            {
                await AddAsync(NameOf(store.PathOf(block)), cancellationToken);
            }
        }
    }

    private async Task AddFolderAsync(string folder, Func<string, bool> wanted, CancellationToken cancellationToken)
    {
        await AddDirectoryAsync(folder, cancellationToken);
        foreach (var file in Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Where(f => IsFinished(f) && wanted(f)).Order(StringComparer.Ordinal))
        {
            await AddAsync(NameOf(file), cancellationToken);
        }
    }

    private async Task AddAsync(string name, CancellationToken cancellationToken)
    {
        var path = Path.Combine(_home.Path, name);
        if (File.Exists(path))
        {
            await using var file = File.OpenRead(path);
            await AddAsync(name, file, File.GetLastWriteTimeUtc(path), cancellationToken);
        }
    }

    /// <exception cref="UserErrorException">A restore would refuse the file.</exception>
    private async Task AddAsync(string name, Stream content, DateTime time, CancellationToken cancellationToken)
    {
        if (ArchiveNames.Refusal(name, isFolder: false, content.Length) is { } refusal)
        {
            throw new UserErrorException($"The home {_home.Path} can't be backed up: {refusal}. Move it elsewhere if it isn't the peer's.");
        }

        var entry = new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = content, Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite, ModificationTime = new DateTimeOffset(time) };
        await _tar.WriteEntryAsync(entry, cancellationToken);
    }

    /// <summary>So that <c>tar</c> alone makes folders that others can't enter.</summary>
    private async Task AddDirectoryAsync(string folder, CancellationToken cancellationToken) => await _tar.WriteEntryAsync(
        new PaxTarEntry(TarEntryType.Directory, NameOf(folder) + "/") { Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute }, cancellationToken);

    private static bool IsFinished(string file) => !file.EndsWith(AtomicFile.Unfinished, StringComparison.Ordinal);

    private string NameOf(string path) => Path.GetRelativePath(_home.Path, path).Replace(Path.DirectorySeparatorChar, '/');
}

using System.Security.Cryptography;
using System.Text;
using FedChain.Network.Content;
using FedChain.Node.Backups;
using FedChain.Node.Homes;
using FedChain.Node.Peer;
using FedChain.Node.Tests.Homes;
using FedChain.Protocol;
using FedChain.Protocol.Content;
using FedChain.Protocol.Ethereum.Keys;
using FedChain.Protocol.Manifests;

namespace FedChain.Node.Tests.Backups;

public sealed class BackupTests : IDisposable
{
    private const int WorkFactor = 4; // what scrypt costs is not the matter here

    private readonly string _folder = Directory.CreateTempSubdirectory("fedchain-test-").FullName;

    private string BackupFile => Path.Combine(_folder, "home.age");

    [Fact]
    public async Task What_cannot_be_made_again_comes_back_and_what_was_served_is_served_again()
    {
        var home = MakeHome();
        home.OperatorKey.Begin("secret", KeystoreOptions.Light);
        home.OperatorKey.Finish();
        home.AgeKey.Begin("secret", KeystoreOptions.Light);
        AtomicFile.Write(home.AdapterFile(default), [1, 2, 3]);
        AtomicFile.Write(Path.Combine(Directory.CreateDirectory(Path.Combine(home.AdaptersPath, "imported", "from-ward.3")).FullName, "adapter_model.safetensors"), [4]);
        AtomicFile.Write(Path.Combine(home.Path, "kept.json"), "{}"u8);
        AtomicFile.Write(Path.Combine(home.Path, "losses.json"), "{}"u8);
        var served = await MakeUpdateAsync(home, round: 1, "served");
        served.MarkExposed();
        var held = await MakeUpdateAsync(home, round: 2, "private");
        await File.WriteAllTextAsync(held.PlaintextPath + ".tmp", "half", Cancellation);
        using var inUse = home.Lock(); // the peer runs

        await BackUpAsync(home);
        var (restored, info) = await RestoreAsync("restored");
        Assert.Equal("St. Test", info.Name);
        var (before, after) = (Tree(home), Tree(restored));
        Assert.True(before.Remove("lock") && before.Remove("rounds/1-0x00/2/update.safetensors.tmp"));
        var store = after.Keys.Where(name => name.StartsWith("store/", StringComparison.Ordinal) || name.StartsWith("updates/", StringComparison.Ordinal)).ToList();
        store.ForEach(name => after.Remove(name));
        Assert.Equal(before, after);
        Assert.True(restored.AgeKey.HasNext);
        using var keys = restored.UnlockPeerKeys("secret");
        Assert.Equal(2, keys.Operators.Count);

        using var blocks = new BlockStore(restored.StorePath);
        var manifest = UpdateManifest.Parse(served.ReadManifest());
        Assert.True(await blocks.HasAsync(Cid.RawOf(OwnUpdate.DigestOf(served.ReadManifest()!)), Cancellation) && await blocks.HasFileAsync(manifest.Payload, Cancellation));
        Assert.True(File.Exists(restored.UpdateFile(manifest.Plaintext)));
        Assert.False(await blocks.HasAsync(UpdateManifest.Parse(held.ReadManifest()).Payload, Cancellation)); // before the close nobody may have it
    }

    [Fact]
    public async Task An_update_that_is_being_replaced_is_left_out_whole()
    {
        var home = MakeHome();
        var update = await MakeUpdateAsync(home, round: 1, "first");
        await File.WriteAllTextAsync(update.PlaintextPath, "second, whose manifest is yet to be written", Cancellation);
        await BackUpAsync(home);
        var (restored, _) = await RestoreAsync("restored");
        Assert.Empty(OwnUpdate.AllOf(restored));
    }

    [Fact]
    public async Task An_own_global_manifest_and_its_sealed_adapter_come_along()
    {
        var home = MakeHome();
        using var store = new BlockStore(home.StorePath);
        var (payload, size) = await store.AddAsync(new MemoryStream(RandomNumberGenerator.GetBytes(600_000)), Cancellation);
        var (others, _) = await store.AddAsync(new MemoryStream(RandomNumberGenerator.GetBytes(1000)), Cancellation);
        var signed = new SignedHolding(new MemberId(1), SubmissionBitmap.Of(1, [0]), new Protocol.Ethereum.Signature(Word(1), Word(1), yIsOdd: false));
        var manifest = new GlobalManifest(
            1, default, new RoundId(1), 0, new MemberId(1), Word(2), Word(3), Word(4), SubmissionBitmap.Of(1, [0]), new HoldingsSource.Inline([signed]), Word(5), payload, size, State: null).ToBytes();
        await store.AddBlockAsync(manifest, Cancellation);
        var published = Directory.CreateDirectory(Path.Combine(home.RoundsPath, "1-0x00", "1", "published")).FullName;
        AtomicFile.Write(Path.Combine(published, OwnUpdate.DigestOf(manifest).ToString()), []);
        await BackUpAsync(home);
        var (restored, _) = await RestoreAsync("restored");
        using var blocks = new BlockStore(restored.StorePath);
        Assert.True(await blocks.HasFileAsync(payload, Cancellation) && await blocks.HasAsync(Cid.RawOf(OwnUpdate.DigestOf(manifest)), Cancellation));
        Assert.False(await blocks.HasAsync(others, Cancellation)); // whoever made it has it

        static Hash256 Word(byte value) => new([.. new byte[31], value]);
    }

    [Fact]
    public async Task A_damaged_or_truncated_backup_or_a_wrong_passphrase_leaves_no_home()
    {
        var home = MakeHome();
        AtomicFile.Write(home.AdapterFile(default), RandomNumberGenerator.GetBytes(200_000));
        await BackUpAsync(home);
        var bytes = await File.ReadAllBytesAsync(BackupFile, Cancellation);
        await RefusedAsync("can't be restored", "restored", "another passphrase");
        foreach (var at in new[] { 300, 70_000, bytes.Length - 1 })
        {
            var flipped = bytes.ToArray();
            flipped[at] ^= 1;
            await File.WriteAllBytesAsync(BackupFile, flipped, Cancellation);
            await RefusedAsync("can't be restored", "restored");
            await File.WriteAllBytesAsync(BackupFile, bytes[..at], Cancellation);
            await RefusedAsync("can't be restored", "restored");
        }

        await File.WriteAllBytesAsync(BackupFile, bytes, Cancellation);
        await RefusedAsync("is not empty", "home");
        Assert.Equal(["home", "home.age"], Directory.GetFileSystemEntries(_folder).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task A_backup_replaces_nothing_and_fails_without_leaving_a_part()
    {
        var home = MakeHome();
        await File.WriteAllTextAsync(BackupFile, "an older one", Cancellation);
        Assert.Contains("exists already", (await Assert.ThrowsAsync<UserErrorException>(() => BackUpAsync(home))).Message, StringComparison.Ordinal);
        Assert.Equal("an older one", await File.ReadAllTextAsync(BackupFile, Cancellation));
        File.Delete(BackupFile);
        var stray = Path.Combine(home.UpdatesPath, "a copy.safetensors");
        await File.WriteAllTextAsync(stray, "by hand", Cancellation);
        Assert.Contains("'updates/a copy.safetensors' has no place", (await Assert.ThrowsAsync<UserErrorException>(() => BackUpAsync(home))).Message, StringComparison.Ordinal);
        File.Delete(stray);
        File.Delete(home.AgeKey.Present);
        Assert.Contains("age.json is missing", (await Assert.ThrowsAsync<UserErrorException>(() => BackUpAsync(home))).Message, StringComparison.Ordinal);
        Assert.Equal(["home"], Directory.GetFileSystemEntries(_folder).Select(Path.GetFileName));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private HomeFolder MakeHome() => HomeFolder.Create(Path.Combine(_folder, "home"), KeyFilesTests.Settings(), "secret", KeystoreOptions.Light);

    private Task<long> BackUpAsync(HomeFolder home) => Backup.CreateAsync(home, BackupFile, () => "backup", TimeProvider.System, Cancellation, WorkFactor);

    private Task<(HomeFolder Home, BackupInfo Info)> RestoreAsync(string name, string passphrase = "backup") =>
        Backup.RestoreAsync(BackupFile, Path.Combine(_folder, name), () => passphrase, Cancellation);

    private async Task RefusedAsync(string reason, string name, string passphrase = "backup") =>
        Assert.Contains(reason, (await Assert.ThrowsAsync<UserErrorException>(() => RestoreAsync(name, passphrase))).Message, StringComparison.Ordinal);

    private static async Task<OwnUpdate> MakeUpdateAsync(HomeFolder home, int round, string text)
    {
        var update = new OwnUpdate(Directory.CreateDirectory(Path.Combine(home.RoundsPath, "1-0x00", $"{round}")).FullName);
        await File.WriteAllTextAsync(update.PlaintextPath, text, Cancellation);
        await File.WriteAllTextAsync(update.SealedPath, "sealed " + text, Cancellation);
        await using var file = File.OpenRead(update.SealedPath);
        var payload = await UnixFsImporter.ImportAsync(file, UnixFsLayout.Default, sink: null, Cancellation);
        update.WriteManifest(new UpdateManifest(
            1, default, new RoundId((ulong)round), new MemberId(1), default, default, payload.Cid, file.Length, new Hash256(SHA256.HashData(Encoding.UTF8.GetBytes(text)))).ToBytes());
        return update;
    }

    private static SortedDictionary<string, string> Tree(HomeFolder home) => new(
        Directory.GetFiles(home.Path, "*", SearchOption.AllDirectories)
            .ToDictionary(f => Path.GetRelativePath(home.Path, f), f => f.EndsWith("lock", StringComparison.Ordinal) ? "" : Convert.ToHexString(File.ReadAllBytes(f))), StringComparer.Ordinal);
}

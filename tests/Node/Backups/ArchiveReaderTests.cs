using System.Formats.Tar;
using System.IO.Compression;
using FedChain.Node.Backups;

namespace FedChain.Node.Tests.Backups;

/// <summary>An archive can't write where it has no business to, whoever made it.</summary>
public sealed class ArchiveReaderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fedchain-test-").FullName;

    [Theory]
    [InlineData("../outside")]
    [InlineData("keys/../../outside")]
    [InlineData("/var/fedchain-outside")]
    [InlineData("keys//x.json")]
    [InlineData("keys/./x.json")]
    [InlineData("keys\\x.json")]
    [InlineData("keys/x y.json")]
    [InlineData("elsewhere/x")]
    [InlineData("lock")]
    [InlineData("keys")]
    [InlineData("rounds/a/b/c/d/e/f/g/h/x")]
    public async Task A_name_that_has_no_place_in_a_home_is_refused(string name) => await RefusedAsync("no place in a home", File(name));

    [Theory]
    [InlineData(TarEntryType.SymbolicLink)]
    [InlineData(TarEntryType.HardLink)]
    [InlineData(TarEntryType.Fifo)]
    public async Task Links_and_devices_are_refused(TarEntryType type)
    {
        var entry = new PaxTarEntry(type, "keys/x.json");
        if (type != TarEntryType.Fifo)
        {
            entry.LinkName = "/etc/passwd";
        }

        await RefusedAsync("plain files and folders only", entry);
    }

    [Fact]
    public async Task A_keystore_of_a_megabyte_is_none() => await RefusedAsync("at most", File("keys/operator.json", (1 << 20) + 1));

    [Fact]
    public async Task The_same_name_twice_is_refused() => await RefusedAsync("twice", File("keys/operator.json"), File("keys/operator.json"));

    [Fact]
    public async Task Files_and_folders_are_for_their_owner_only()
    {
        await ExtractAsync(new PaxTarEntry(TarEntryType.Directory, "keys/") { Mode = (UnixFileMode)0b111_111_111 }, File("keys/operator.json", 5), File("rounds/1-0x00/1/exposed", 3));
        Assert.Equal(5, new FileInfo(Path.Combine(_folder, "keys", "operator.json")).Length);
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        foreach (var file in Directory.GetFiles(_folder, "*", SearchOption.AllDirectories))
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(file));
        }

        foreach (var folder in Directory.GetDirectories(_folder, "*", SearchOption.AllDirectories))
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, System.IO.File.GetUnixFileMode(folder));
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static PaxTarEntry File(string name, int size = 1) =>
        new(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(new byte[size]), Mode = (UnixFileMode)0b110_110_110 };

    private async Task RefusedAsync(string reason, params TarEntry[] entries)
    {
        var e = await Assert.ThrowsAsync<InvalidDataException>(() => ExtractAsync(entries));
        Assert.Contains(reason, e.Message, StringComparison.Ordinal);
    }

    private async Task ExtractAsync(params TarEntry[] entries)
    {
        using var archive = new MemoryStream();
        await using (var gzip = new GZipStream(archive, CompressionLevel.Fastest, leaveOpen: true))
        {
            await using var tar = new TarWriter(gzip, TarEntryFormat.Pax, leaveOpen: true);
            foreach (var entry in entries)
            {
                await tar.WriteEntryAsync(entry, TestContext.Current.CancellationToken);
            }
        }

        archive.Position = 0;
        await ArchiveReader.ExtractAsync(archive, _folder, TestContext.Current.CancellationToken);
    }
}

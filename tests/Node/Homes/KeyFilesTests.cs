using FedChain.Node.Homes;
using FedChain.Protocol.Ethereum.Keys;

namespace FedChain.Node.Tests.Homes;

public sealed class KeyFilesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fedchain-test-").FullName;

    [Fact]
    public void A_rotation_keeps_the_old_key_as_the_latest_former_one()
    {
        var key = Made();
        var first = File.ReadAllText(key.Present);
        key.Begin("secret", KeystoreOptions.Light);
        var second = File.ReadAllText(key.Next);
        key.Begin("secret", KeystoreOptions.Light);
        Assert.Equal(second, File.ReadAllText(key.Next)); // it may be on the chain already
        key.Finish();
        key.Begin("secret", KeystoreOptions.Light);
        key.Finish();
        Assert.False(key.HasNext);
        Assert.Equal([key.Present, Former(2), Former(1)], key.All);
        Assert.Equal([first, second], [File.ReadAllText(Former(1)), File.ReadAllText(Former(2))]);
    }

    [Fact]
    public void A_rotation_that_was_cut_off_after_the_copy_makes_no_second_one()
    {
        var key = Made();
        key.Begin("secret", KeystoreOptions.Light);
        var (old, next) = (File.ReadAllText(key.Present), File.ReadAllText(key.Next));
        Directory.CreateDirectory(Path.Combine(_folder, KeyFiles.FormerFolder));
        File.Copy(key.Present, Former(1));
        key.Finish();
        Assert.Equal([key.Present, Former(1)], key.All);
        Assert.Equal([next, old], key.All.Select(File.ReadAllText));
    }

    [Fact]
    public void A_next_key_that_is_present_already_is_no_former_one()
    {
        var key = Made();
        File.Copy(key.Present, key.Next); // as a backup has it that was made while the rotation ended
        key.Finish();
        Assert.Equal([key.Present], key.All);
        Assert.False(key.HasNext);
    }

    [Fact]
    public void The_address_is_read_without_the_passphrase()
    {
        var key = Made();
        using var opened = HomeFolder.Unlock(key.Present, "secret");
        Assert.Equal(opened.Address, key.Address);
        File.WriteAllText(key.Present, "[]");
        Assert.Null(key.Address);
    }

    [Fact]
    public void What_a_crashed_writer_left_is_swept_and_nothing_else()
    {
        var home = HomeFolder.Create(Path.Combine(_folder, "home"), Settings(), "secret", KeystoreOptions.Light);
        var left = new[] { home.Path, Path.GetDirectoryName(home.OperatorKey.Present)!, home.UpdatesPath, Path.Combine(home.RoundsPath, "1-0x00", "1", "held") }
            .Select(folder => Path.Combine(Directory.CreateDirectory(folder).FullName, "name.0123.tmp")).ToList();
        left.ForEach(file => File.WriteAllText(file, "half"));
        AtomicFile.Write(home.AdapterFile(default), [1]);
        home.Sweep();
        Assert.All(left, file => Assert.False(File.Exists(file)));
        Assert.True(File.Exists(home.AdapterFile(default)) && File.Exists(home.OperatorKey.Present) && File.Exists(Path.Combine(home.Path, HomeFolder.SettingsFile)));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    internal static HomeSettings Settings() => new() { Name = "St. Test", Listen = "127.0.0.1:7420", Endpoint = "http://127.0.0.1:7420" };

    private KeyFiles Made()
    {
        var key = new KeyFiles(_folder, "operator");
        key.Begin("secret", KeystoreOptions.Light);
        File.Move(key.Next, key.Present);
        return key;
    }

    private string Former(int number) => Path.Combine(_folder, KeyFiles.FormerFolder, $"operator-{number}.json");
}

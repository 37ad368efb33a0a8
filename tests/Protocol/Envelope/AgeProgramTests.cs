using System.ComponentModel;
using FedChain.Protocol.Envelope;

namespace FedChain.Protocol.Tests.Envelope;

/// <summary>Both ways between the envelope and the age program (Debian's package age), where that is on the PATH.</summary>
public sealed class AgeProgramTests : IDisposable
{
    private const int Chunk = AgeFormat.ChunkSize;

    private static readonly Lazy<string?> Missing = new(() =>
    {
        try
        {
            return Tool.Run("age", ["--version"], Path.GetTempPath()).ExitCode == 0 ? null : "age --version failed";
        }
        catch (Win32Exception)
        {
            return "the age program is not on the PATH (apt-get install age)";
        }
    });

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("fedchain-age-");
    private readonly List<AgeIdentity> _identities = [.. Enumerable.Range(0, 3).Select(_ => AgeIdentity.Generate())];

    public static TheoryData<int> Sizes => [0, 1, Chunk - 1, Chunk, Chunk + 1, 2 * Chunk, (5 * Chunk) + 123];

    private List<AgeRecipient> Recipients => [.. _identities.Select(i => i.Recipient)];

    public void Dispose()
    {
        _identities.ForEach(i => i.Dispose());
        _folder.Delete(recursive: true);
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void The_age_program_opens_what_is_sealed_here(int size)
    {
        Assert.SkipUnless(Missing.Value is null, Missing.Value ?? "");
        var plaintext = Plaintext(size);
        foreach (var armored in (bool[])[false, true])
        {
            using var file = new MemoryStream();
            using var armor = new AgeArmorWriter(file, leaveOpen: true);
            using var writer = new AgeWriter(armored ? armor : file, Recipients, leaveOpen: true);
            writer.Write(plaintext);
            writer.Complete();
            if (armored)
            {
                armor.Complete();
            }

            foreach (var identity in _identities)
            {
                var keyFile = Path.Combine(_folder.FullName, "key.txt");
                File.WriteAllText(keyFile, identity.ExportSecretKey() + "\n");
                var opened = Tool.Run("age", ["--decrypt", "--identity", keyFile], _folder.FullName, file.ToArray());
                Assert.True(opened.ExitCode == 0, opened.Error);
                Assert.True(plaintext.AsSpan().SequenceEqual(opened.Output));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void What_the_age_program_sealed_is_opened_here(int size)
    {
        Assert.SkipUnless(Missing.Value is null, Missing.Value ?? "");
        var plaintext = Plaintext(size);
        foreach (var armored in (bool[])[false, true])
        {
            string[] arguments = [.. Recipients.SelectMany(r => (string[])["--recipient", r.ToString()]), .. armored ? (string[])["--armor"] : []];
            var file = Tool.Run("age", arguments, _folder.FullName, plaintext);
            Assert.True(file.ExitCode == 0, file.Error);
            if (!armored)
            {
                Assert.Equal(AgeFormat.SealedSize(size, Recipients), file.Output.Length);
            }

            foreach (var identity in _identities)
            {
                Stream source = new MemoryStream(file.Output);
                using var reader = AgeReader.Open(armored ? new AgeArmorReader(source) : source, [identity]);
                using var opened = new MemoryStream();
                reader.CopyTo(opened);
                Assert.True(plaintext.AsSpan().SequenceEqual(opened.ToArray()));
            }
        }
    }

    [Fact]
    public void Keys_of_age_keygen_are_read_and_give_the_recipient_it_prints()
    {
        Assert.SkipUnless(Missing.Value is null, Missing.Value ?? "");
        var file = System.Text.Encoding.ASCII.GetString(Tool.Run("age-keygen", [], _folder.FullName).Output);
        using var identity = Assert.Single(AgeIdentity.ParseKeyFile(file));
        Assert.Contains($"# public key: {identity.Recipient}", file, StringComparison.Ordinal);
    }

    [Fact]
    public void A_passphrase_opens_there_what_was_sealed_here_and_the_other_way_round()
    {
        Assert.SkipUnless(Missing.Value is null, Missing.Value ?? "");
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/usr/bin/script"), "age asks for passphrases on a terminal; script, of util-linux, lends it one.");
        const string Words = "correct horse battery staple";
        using var passphrase = new AgePassphrase(Words);
        var plaintext = Plaintext(Chunk + 1);
        var (plain, here, there, opened) = (InFolder("plain"), InFolder("here.age"), InFolder("there.age"), InFolder("opened"));
        File.WriteAllBytes(plain, plaintext);
        using (var file = File.Create(here))
        {
            using var writer = new AgeWriter(file, passphrase);
            writer.Write(plaintext);
            writer.Complete();
        }

        OnTerminal($"age --decrypt --output {opened} {here}", $"{Words}\n");
        Assert.Equal(plaintext, File.ReadAllBytes(opened));

        OnTerminal($"age --passphrase --output {there} {plain}", $"{Words}\n{Words}\n");
        using var reader = AgeReader.Open(File.OpenRead(there), passphrase);
        using var read = new MemoryStream();
        reader.CopyTo(read);
        Assert.Equal(plaintext, read.ToArray());
    }

    private string InFolder(string name) => Path.Combine(_folder.FullName, name);

    private void OnTerminal(string command, string typed)
    {
        var (exitCode, output, error) = Tool.Run("/usr/bin/script", ["--quiet", "--return", "--command", command, "/dev/null"], _folder.FullName, System.Text.Encoding.ASCII.GetBytes(typed));
        Assert.True(exitCode == 0, $"{command}: {System.Text.Encoding.Latin1.GetString(output)} {error}");
    }

    private static byte[] Plaintext(int size)
    {
        var bytes = new byte[size];
        new Random(size).NextBytes(bytes);
        return bytes;
    }
}

using System.Globalization;
using System.Text;
using System.Text.Json;
using FedChain.Protocol.Envelope;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Keys;

namespace FedChain.Node.Homes;

/// <summary>
/// An institution's home: <c>home.json</c> (settings), <c>keys/</c> (keystores), <c>store/</c> (public blocks), <c>adapters/</c> and <c>updates/</c>
/// (what was decrypted), <c>rounds/</c> (progress). Besides the chain, this is all that a peer knows.
/// </summary>
public sealed class HomeFolder
{
    private const string SettingsFile = "home.json";

    private HomeFolder(string path, HomeSettings settings) => (Path, Settings) = (path, settings);

    public string Path { get; }

    public HomeSettings Settings { get; private set; }

    public string StorePath => Folder("store");

    /// <summary>Global adapters, by digest.</summary>
    public string AdaptersPath => Folder("adapters");

    /// <summary>Opened updates, by digest.</summary>
    public string UpdatesPath => Folder("updates");

    public string RoundsPath => Folder("rounds");

    private string HolderKeyPath => System.IO.Path.Combine(Path, "keys", "holder.json");

    private string OperatorKeyPath => System.IO.Path.Combine(Path, "keys", "operator.json");

    private string AgeKeyPath => System.IO.Path.Combine(Path, "keys", "age.json");

    /// <summary>Makes a home with new keys. Nothing is left behind if it fails.</summary>
    /// <exception cref="UserErrorException">The folder exists and is not empty.</exception>
    public static HomeFolder Create(string path, HomeSettings settings, string passphrase, KeystoreOptions keystore)
    {
        path = System.IO.Path.GetFullPath(path);
        if (Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any())
        {
            throw new UserErrorException($"{path} is not empty. A new home needs an empty or new folder; nothing was changed.");
        }

        var building = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            if (!OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(building, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute); // keys and opened adapters lie here
            }

            Directory.CreateDirectory(System.IO.Path.Combine(building, "keys"));
            var home = new HomeFolder(building, settings);
            foreach (var file in new[] { home.HolderKeyPath, home.OperatorKeyPath, home.AgeKeyPath })
            {
                using var key = PrivateKey.Create();
                AtomicFile.Write(file, Encoding.UTF8.GetBytes(Keystore.Encrypt(key, passphrase, keystore)), secret: true);
            }

            home.Save(settings);
            if (Directory.Exists(path))
            {
                Directory.Delete(path);
            }

            Directory.Move(building, path);
        }
        catch
        {
            if (Directory.Exists(building))
            {
                Directory.Delete(building, recursive: true);
            }

            throw;
        }

        return new HomeFolder(path, settings);
    }

    /// <exception cref="UserErrorException">There is no home here, or its settings can't be read.</exception>
    public static HomeFolder Open(string path)
    {
        path = System.IO.Path.GetFullPath(path);
        var file = System.IO.Path.Combine(path, SettingsFile);
        if (!File.Exists(file))
        {
            throw new UserErrorException($"{path} is no FedChain home: it has no {SettingsFile}. 'fedchain init --home {path} --name NAME' makes one.");
        }

        try
        {
            var settings = JsonSerializer.Deserialize<HomeSettings>(File.ReadAllBytes(file), HomeSettings.Json)!;
            return new HomeFolder(path, settings);
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            throw new UserErrorException($"{file} can't be read: {e.Message} Mend it by hand, or restore it from a backup.", e);
        }
    }

    public void Save(HomeSettings settings)
    {
        Settings = settings;
        AtomicFile.Write(System.IO.Path.Combine(Path, SettingsFile), [.. JsonSerializer.SerializeToUtf8Bytes(settings, HomeSettings.Json), (byte)'\n']);
    }

    /// <summary>The key that votes and names the operator.</summary>
    public PrivateKey UnlockHolder(string passphrase) => Unlock(HolderKeyPath, passphrase);

    /// <summary>The peer's own key, as it is now.</summary>
    public PrivateKey UnlockOperator(string passphrase) => Unlock(OperatorKeyPath, passphrase);

    /// <summary>The peer's keys, former ones included.</summary>
    public PeerKeys UnlockPeerKeys(string passphrase)
    {
        var operators = new List<PrivateKey>();
        var age = new List<AgeIdentity>();
        try
        {
            operators.AddRange(KeyFiles(OperatorKeyPath).Select(file => Unlock(file, passphrase)));
            age.AddRange(KeyFiles(AgeKeyPath).SelectMany(file => UnlockAge(file, passphrase)));
            return new PeerKeys(operators, age);
        }
        catch
        {
            operators.ForEach(k => k.Dispose());
            age.ForEach(k => k.Dispose());
            throw;
        }
    }

    /// <summary>
    /// What opens the files that are sealed to this institution, the preferred first: a post-quantum hybrid identity and an X25519 one, both derived
    /// from one key, so that all keys rest in keystores.
    /// </summary>
    public static IReadOnlyList<AgeIdentity> DeriveAge(PrivateKey key) =>
    [
        Derive(key, "fedchain/age/mlkem768x25519"u8, AgeIdentity.FromHybridSeed),
        Derive(key, "fedchain/age/x25519"u8, AgeIdentity.FromSecret),
    ];

    private static AgeIdentity Derive(PrivateKey key, ReadOnlySpan<byte> label, Func<ReadOnlySpan<byte>, AgeIdentity> identityOf)
    {
        var secret = key.DeriveSecret(label).ToArray();
        try
        {
            return identityOf(secret);
        }
        finally
        {
            System.Security.Cryptography.CryptographicOperations.ZeroMemory(secret);
        }
    }

    private static IReadOnlyList<AgeIdentity> UnlockAge(string file, string passphrase)
    {
        using var key = Unlock(file, passphrase);
        return DeriveAge(key);
    }

    /// <summary>A key's file, then those of the keys that it replaced, the latest first: <c>former/NAME-1.json</c> is the oldest.</summary>
    private IEnumerable<string> KeyFiles(string present)
    {
        var (folder, name) = (System.IO.Path.Combine(Path, "keys", "former"), System.IO.Path.GetFileNameWithoutExtension(present));
        return [present, .. Enumerable.Range(1, int.MaxValue - 1)
            .Select(number => System.IO.Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{name}-{number}.json")))
            .TakeWhile(File.Exists).Reverse()];
    }

    /// <summary>Keeps other processes out of this home until disposed.</summary>
    /// <exception cref="UserErrorException">Another process has it.</exception>
    public IDisposable Lock()
    {
        var file = System.IO.Path.Combine(Path, "lock");
        try
        {
            return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new UserErrorException($"The home {Path} is in use by another process. Stop that one first; two peers with one key would contradict each other.", e);
        }
    }

    public string AdapterFile(Protocol.Hash256 digest) => System.IO.Path.Combine(AdaptersPath, NameOf(digest));

    public string UpdateFile(Protocol.Hash256 digest) => System.IO.Path.Combine(UpdatesPath, NameOf(digest));

    private static string NameOf(Protocol.Hash256 digest) => string.Create(CultureInfo.InvariantCulture, $"{digest.ToString()[2..]}.safetensors");

    /// <summary>Opens any keystore (version 3).</summary>
    /// <exception cref="UserErrorException">The file is missing, no keystore, or the passphrase does not open it.</exception>
    public static PrivateKey Unlock(string path, string passphrase)
    {
        if (!File.Exists(path))
        {
            throw new UserErrorException($"The key file {path} is missing. Restore it from a backup; it can't be made again.");
        }

        try
        {
            return Keystore.Decrypt(File.ReadAllText(path), passphrase);
        }
        catch (WrongPassphraseException e)
        {
            throw new UserErrorException($"The passphrase does not open {path}. Check --passphrase-file, {Passphrase.Variable}, or what was typed.", e);
        }
        catch (FormatException e)
        {
            throw new UserErrorException($"{path} is no keystore (version 3): {e.Message}", e);
        }
    }

    private string Folder(string name) => Directory.CreateDirectory(System.IO.Path.Combine(Path, name)).FullName;
}

using System.Globalization;
using System.Text.Json;
using FedChain.Protocol.Envelope;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Keys;

namespace FedChain.Node.Homes;

/// <summary>
/// An institution's home: <c>home.json</c> (settings), <c>keys/</c> (keystores), <c>store/</c> (public blocks), <c>adapters/</c> and <c>updates/</c>
/// (what was decrypted), <c>rounds/</c> (progress), <c>chain/</c> (a copy of the federation's log, and what was sent). Besides the chain, this is all that a peer knows.
/// </summary>
public sealed class HomeFolder
{
    public const string SettingsFile = "home.json";

    private HomeFolder(string path, HomeSettings settings) => (Path, Settings) = (path, settings);

    public string Path { get; }

    public HomeSettings Settings { get; private set; }

    public string StorePath => Folder("store");

    /// <summary>Global adapters, and the velocities that go with them under server momentum, by digest.</summary>
    public string AdaptersPath => Folder("adapters");

    /// <summary>Opened updates, by digest.</summary>
    public string UpdatesPath => Folder("updates");

    public string RoundsPath => Folder("rounds");

    /// <summary>What was read of the federation's log; made anew from the chain when it is missing.</summary>
    public string EventIndexFile => System.IO.Path.Combine(Path, "chain", "events.sqlite");

    /// <summary>Which nonces the operator's transactions were given.</summary>
    public string TransactionsFile => System.IO.Path.Combine(Path, "chain", "transactions.sqlite");

    public KeyFiles HolderKey => new(KeysPath, "holder");

    public KeyFiles OperatorKey => new(KeysPath, "operator");

    public KeyFiles AgeKey => new(KeysPath, "age");

    private string KeysPath => System.IO.Path.Combine(Path, "keys");

    /// <summary>Makes a home with new keys. Nothing is left behind if it fails.</summary>
    /// <exception cref="UserErrorException">The folder exists and is not empty.</exception>
    public static HomeFolder Create(string path, HomeSettings settings, string passphrase, KeystoreOptions keystore)
    {
        path = System.IO.Path.GetFullPath(path);
        using var folder = new NewFolder(path);
        var home = new HomeFolder(folder.Unfinished, settings);
        Directory.CreateDirectory(home.KeysPath);
        foreach (var key in new[] { home.HolderKey, home.OperatorKey, home.AgeKey })
        {
            KeyFiles.WriteNew(key.Present, passphrase, keystore);
        }

        home.Save(settings);
        folder.Complete();
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

    /// <summary>Every key file of this home.</summary>
    public IReadOnlyList<string> KeyPaths => [HolderKey.Present, .. OperatorKey.All, .. AgeKey.All];

    /// <summary>The holder's address, which its key file names; no passphrase is needed.</summary>
    /// <exception cref="UserErrorException">The file is missing or no keystore.</exception>
    public Protocol.Address? HolderAddress => AddressIn(HolderKey.Present);

    /// <summary>The operator's address, likewise.</summary>
    /// <exception cref="UserErrorException">The file is missing or no keystore.</exception>
    public Protocol.Address? OperatorAddress => AddressIn(OperatorKey.Present);

    /// <summary>The key that votes and names the operator.</summary>
    public PrivateKey UnlockHolder(string passphrase) => Unlock(HolderKey.Present, passphrase);

    /// <summary>The peer's own key, as it is now.</summary>
    public PrivateKey UnlockOperator(string passphrase) => Unlock(OperatorKey.Present, passphrase);

    /// <summary>The operator key that a rotation is bringing in.</summary>
    public PrivateKey UnlockNextOperator(string passphrase) => Unlock(OperatorKey.Next, passphrase);

    /// <summary>The recipients of the age key that a rotation is bringing in, the preferred first.</summary>
    public IReadOnlyList<AgeRecipient> NextRecipients(string passphrase)
    {
        var identities = UnlockAge(AgeKey.Next, passphrase);
        AgeRecipient[] recipients = [.. identities.Select(i => i.Recipient)];
        foreach (var identity in identities)
        {
            identity.Dispose();
        }

        return recipients;
    }

    /// <summary>The peer's keys, former ones included.</summary>
    public PeerKeys UnlockPeerKeys(string passphrase)
    {
        var operators = new List<PrivateKey>();
        var age = new List<AgeIdentity>();
        try
        {
            operators.AddRange(OperatorKey.All.Select(file => Unlock(file, passphrase)));
            age.AddRange(AgeKey.All.SelectMany(file => UnlockAge(file, passphrase)));
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

    /// <summary>Keeps other processes out of this home until disposed.</summary>
    /// <exception cref="UserErrorException">Another process has it, or it can't be written.</exception>
    public IDisposable Lock()
    {
        var file = System.IO.Path.Combine(Path, "lock");
        try
        {
            return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception e) when (DiskFault.Of(e) is { } fault)
        {
            throw new UserErrorException($"The home {Path} can't be used: {fault}", e);
        }
        catch (IOException e)
        {
            throw new UserErrorException($"The home {Path} is in use by another process. Stop that one first; two peers with one key would contradict each other.", e);
        }
    }

    /// <summary>Makes sure that so many bytes can be written.</summary>
    /// <exception cref="IOException">They can't; to be told as a full disk is.</exception>
    public void RequireRoom(long bytes)
    {
        if (new DriveInfo(Path).AvailableFreeSpace is var free && free < bytes)
        {
            throw DiskFault.NoRoom(Path, free, bytes);
        }
    }

    /// <summary>Removes what writers that crashed left; the home must be locked.</summary>
    public void Sweep()
    {
        foreach (var folder in new[] { Path, KeysPath, AdaptersPath, UpdatesPath, RoundsPath })
        {
            AtomicFile.Sweep(folder, below: folder != Path); // the store keeps its own order
        }
    }

    public string AdapterFile(Protocol.Hash256 digest) => System.IO.Path.Combine(AdaptersPath, NameOf(digest));

    /// <summary>What server momentum carries on. It lies beside the adapters, and whoever may have those may have it.</summary>
    public string VelocityFile(Protocol.Hash256 digest) => AdapterFile(digest);

    public string UpdateFile(Protocol.Hash256 digest) => System.IO.Path.Combine(UpdatesPath, NameOf(digest));

    private static string NameOf(Protocol.Hash256 digest) => string.Create(CultureInfo.InvariantCulture, $"{digest.ToString()[2..]}.safetensors");

    private static Protocol.Address? AddressIn(string path) => ReadKeystore(path, Keystore.AddressOf);

    /// <summary>Opens any keystore (version 3).</summary>
    /// <exception cref="UserErrorException">The file is missing, no keystore, or the passphrase does not open it.</exception>
    public static PrivateKey Unlock(string path, string passphrase)
    {
        try
        {
            return ReadKeystore(path, json => Keystore.Decrypt(json, passphrase));
        }
        catch (WrongPassphraseException e)
        {
            throw new UserErrorException($"The passphrase does not open {path}. Check --passphrase-file, {Passphrase.Variable}, or what was typed.", e);
        }
    }

    private static T ReadKeystore<T>(string path, Func<string, T> read)
    {
        if (!File.Exists(path))
        {
            throw new UserErrorException($"The key file {path} is missing. Restore it from a backup; it can't be made again.");
        }

        try
        {
            return read(File.ReadAllText(path));
        }
        catch (FormatException e)
        {
            throw new UserErrorException($"{path} is no keystore (version 3): {e.Message}", e);
        }
    }

    private string Folder(string name) => Directory.CreateDirectory(System.IO.Path.Combine(Path, name)).FullName;
}

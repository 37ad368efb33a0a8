using System.Globalization;
using System.Text;
using FedChain.Network.Content;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Keys;

namespace FedChain.Node.Homes;

/// <summary>
/// The keystores of one of a home's keys: <c>NAME.json</c>, those that it replaced as <c>former/NAME-1.json</c> (the oldest) and so on, and, while a
/// rotation is under way, <c>NAME.next.json</c>. A rotation writes the next key before anybody is told of it, and takes it into use when the chain
/// names it; after a crash at any moment each key is in at least one of these files.
/// </summary>
public sealed class KeyFiles(string folder, string name)
{
    /// <summary>What the names of next keys end in.</summary>
    public const string NextEnding = ".next.json";

    public const string FormerFolder = "former";

    public string Present => Path.Combine(folder, $"{name}.json");

    public string Next => Path.Combine(folder, name + NextEnding);

    /// <summary>Whether a rotation is under way.</summary>
    public bool HasNext => File.Exists(Next);

    /// <summary>The present key, then former ones, the latest first.</summary>
    public IEnumerable<string> All => [Present, .. Former.Reverse()];

    /// <summary>The address that the present keystore names in the clear; null if it names none. Only the key itself proves it.</summary>
    public Address? Address
    {
        get
        {
            try
            {
                return Keystore.AddressOf(File.ReadAllText(Present));
            }
            catch (Exception e) when (e is FormatException or IOException)
            {
                return null; // whoever needs the key will be told
            }
        }
    }

    private IEnumerable<string> Former => Enumerable.Range(1, int.MaxValue - 1).Select(FormerAt).TakeWhile(File.Exists);

    /// <summary>Begins a rotation with a fresh key, unless one is under way: that one's key may be on the chain already.</summary>
    public void Begin(string passphrase, KeystoreOptions options)
    {
        if (!HasNext)
        {
            WriteNew(Next, passphrase, options);
        }
    }

    /// <summary>Ends a rotation: the present key becomes the latest former one, the next becomes present. May be repeated after a crash.</summary>
    public void Finish()
    {
        var present = File.ReadAllBytes(Present);
        var former = Former.ToList();
        var isKept = former.Count > 0 && File.ReadAllBytes(former[^1]).AsSpan().SequenceEqual(present);
        if (!isKept && !File.ReadAllBytes(Next).AsSpan().SequenceEqual(present))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(FormerAt(1))!);
            DiskFolder.Flush(folder);
            AtomicFile.Write(FormerAt(former.Count + 1), present, secret: true);
        }

        AtomicFile.Replace(Next, Present);
    }

    internal static void WriteNew(string path, string passphrase, KeystoreOptions options)
    {
        using var key = PrivateKey.Create();
        AtomicFile.Write(path, Encoding.UTF8.GetBytes(Keystore.Encrypt(key, passphrase, options)), secret: true);
    }

    private string FormerAt(int number) => Path.Combine(folder, FormerFolder, string.Create(CultureInfo.InvariantCulture, $"{name}-{number}.json"));
}

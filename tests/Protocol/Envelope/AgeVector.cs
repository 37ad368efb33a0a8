using System.IO.Compression;
using System.Text;
using FedChain.Protocol.Envelope;

namespace FedChain.Protocol.Tests.Envelope;

/// <summary>
/// A test vector in the format of C2SP's CCTV collection: lines "key: value", an empty line, then an age file, possibly compressed.
/// </summary>
internal sealed record AgeVector(
    string Name, string Expect, string? PayloadSha256, IReadOnlyList<string> Identities, IReadOnlyList<string> Passphrases, bool Armored, byte[] File)
{
    /// <summary>What the vector is about, by the first part of its name.</summary>
    public string Kind => Name.Split('_')[0];

    public Stream Open() => Armored ? new AgeArmorReader(new MemoryStream(File)) : new MemoryStream(File);

    /// <exception cref="InvalidDataException">The file is no vector, or has a key this reader does not know.</exception>
    public static AgeVector Read(string path)
    {
        var name = Path.GetFileName(path);
        var bytes = System.IO.File.ReadAllBytes(path);
        var end = bytes.AsSpan().IndexOf("\n\n"u8);
        if (end < 0)
        {
            throw new InvalidDataException($"{name}: no empty line ends the vector's keys.");
        }

        string? expect = null, payload = null;
        var identities = new List<string>();
        var passphrases = new List<string>();
        bool armored = false, compressed = false;
        foreach (var line in Encoding.UTF8.GetString(bytes, 0, end).Split('\n'))
        {
            var colon = line.IndexOf(": ", StringComparison.Ordinal);
            var (key, value) = colon < 0 ? (line, "") : (line[..colon], line[(colon + 2)..]);
            switch (key, value)
            {
                case ("expect", _): expect = value; break;
                case ("payload", _): payload = value; break;
                case ("identity", _): identities.Add(value); break;
                case ("passphrase", _): passphrases.Add(value); break;
                case ("armored", "yes"): armored = true; break;
                case ("compressed", "zlib"): compressed = true; break;
                case ("comment" or "file key", _): break;
                default: throw new InvalidDataException($"{name}: unknown key '{line}'.");
            }
        }

        var file = bytes[(end + 2)..];
        if (compressed)
        {
            using var inflated = new MemoryStream();
            using var zlib = new ZLibStream(new MemoryStream(file), CompressionMode.Decompress);
            zlib.CopyTo(inflated);
            file = inflated.ToArray();
        }

        return new AgeVector(
            name, expect ?? throw new InvalidDataException($"{name}: no 'expect'."), payload, identities, passphrases, armored, file);
    }
}

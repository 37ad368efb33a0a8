using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FedChain.Tests;

namespace FedChain.Protocol.Tests.Content;

/// <summary>The cases of the vectors' ipfs folder: a file, the path to a case within it, and what its README says about contents.</summary>
internal static class IpfsVectors
{
    public const string Cids = "cids.json";
    public const string Cars = "cars.json";
    public const string Files = "unixfs_files.json";
    public const string Known = "unixfs_known.json";
    public const string Trees = "unixfs_tiny_trees.json";

    private static readonly ConcurrentDictionary<string, JsonElement> Documents = new();

    public static IEnumerable<string> Folders => Shared.VectorFolders("ipfs");

    /// <summary>One row a case of a file, in every vector folder: the file, the property its list lies under ("" for none), its index, and a name.</summary>
    public static TheoryData<string, string, int, string> Cases(string file, string list, Func<JsonElement, string> name)
    {
        var rows = new TheoryData<string, string, int, string>();
        foreach (var path in Folders.Select(folder => Path.Combine(folder, file)).Where(File.Exists))
        {
            var cases = List(path, list);
            for (var i = 0; i < cases.GetArrayLength(); i++)
            {
                rows.Add(path, list, i, name(cases[i]));
            }
        }

        return rows;
    }

    public static JsonElement Case(string path, string list, int index) => List(path, list)[index];

    /// <summary>The first n bytes of SHA-256(seed ":" 0) | SHA-256(seed ":" 1) | …</summary>
    public static byte[] Content(string seed, int size)
    {
        var content = new byte[size];
        Span<byte> hash = stackalloc byte[32];
        for (int at = 0, k = 0; at < size; at += hash.Length, k++)
        {
            SHA256.HashData(Encoding.ASCII.GetBytes($"{seed}:{k}"), hash);
            hash[..Math.Min(hash.Length, size - at)].CopyTo(content.AsSpan(at));
        }

        return content;
    }

    public static string Sha256Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    public static string Text(this JsonElement element, string property) => element.GetProperty(property).GetString()!;

    public static int Number(this JsonElement element, string property) => element.GetProperty(property).GetInt32();

    private static JsonElement List(string path, string list)
    {
        var root = Documents.GetOrAdd(path, p =>
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(p));
            return document.RootElement.Clone();
        });
        return list.Length == 0 ? root : root.GetProperty(list);
    }
}

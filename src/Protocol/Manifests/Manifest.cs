using FedChain.Protocol.Content;
using FedChain.Protocol.Files;

namespace FedChain.Protocol.Manifests;

/// <summary>What update and global manifests have in common: one raw block of canonical JSON, named on the chain by its SHA-256.</summary>
public static class Manifest
{
    /// <summary>The most bytes of a manifest, so that it is one block: 256 KiB.</summary>
    public const int MaxSize = 256 * 1024;

    /// <summary>The most bytes of a payload that a manifest may name: 1 TiB.</summary>
    public const long MaxPayloadSize = 1L << 40;

    internal static JsonFields Open(ReadOnlySpan<byte> bytes, string kind)
    {
        var fields = new JsonFields(CanonicalJson.Parse(bytes, MaxSize), $"{kind} manifest");
        fields.Constant("v", 1);
        fields.Constant("kind", kind);
        return fields;
    }

    internal static byte[] Seal(JsonValue json)
    {
        var bytes = CanonicalJson.Serialize(json);
        return bytes.Length <= MaxSize
            ? bytes
            : throw new InvalidOperationException($"The manifest has {bytes.Length} bytes; at most {MaxSize} fit a block. Store its holdings apart and name them by CID.");
    }

    internal static ulong Chain(this JsonFields fields) => (ulong)fields.Integer("chain", 1, CanonicalJson.MaxInteger);

    internal static RoundId Round(this JsonFields fields) => new((ulong)fields.Integer("round", 1, CanonicalJson.MaxInteger));

    internal static MemberId Member(this JsonFields fields, string name) => new((uint)fields.Integer(name, 1, uint.MaxValue));

    internal static long Size(this JsonFields fields, long least) => fields.Integer("size", least, MaxPayloadSize);

    /// <summary>A version 1 CID in base32 over SHA-256, as this program writes them.</summary>
    internal static Cid Cid(this JsonFields fields, string name) =>
        fields.Value(name) is JsonValue.Text(var text) && Content.Cid.TryParse(text, out var cid)
        && cid is { Version: 1, IsSha256: true } && (cid.IsRaw || cid.IsDagPb) && cid.ToString() == text
            ? cid
            : throw fields.Wrong(name, "a CID of version 1 in base32 (bafkrei… or bafybei…)");

    internal static Cid? OptionalCid(this JsonFields fields, string name) => fields.Value(name) is JsonValue.Null ? null : fields.Cid(name);

    internal static JsonValue ToJson(this Cid? cid) => cid is { } some ? some.ToString() : new JsonValue.Null();
}

using System.Globalization;
using System.Numerics;
using System.Text.Json;
using FedChain.Protocol;

namespace FedChain.Network.Chain;

/// <summary>Reads and writes the hexadecimal forms of Ethereum's JSON-RPC (execution-apis, "hex value encoding").</summary>
internal static class RpcJson
{
    public static string Quantity(BigInteger value)
    {
        var hex = value.ToString("x", CultureInfo.InvariantCulture).TrimStart('0');
        return "0x" + (hex.Length == 0 ? "0" : hex);
    }

    public static JsonElement Property(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) ? value : throw Unexpected($"a field '{name}'", json);

    public static bool Has(JsonElement json, string name, out JsonElement value)
    {
        value = default;
        return json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null;
    }

    public static BigInteger Integer(JsonElement json)
    {
        var text = Text(json);
        return text.Length is > 2 and <= 66 && text.StartsWith("0x", StringComparison.Ordinal)
            && BigInteger.TryParse("0" + text[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw Unexpected("a quantity such as 0x41", json);
    }

    public static ulong UInt64(JsonElement json) => Integer(json) is var value && value <= ulong.MaxValue ? (ulong)value : throw Unexpected("a quantity of 64 bits", json);

    public static Hash256 Hash(JsonElement json) => Hash256.TryParse(Text(json), out var hash) ? hash : throw Unexpected("a hash", json);

    public static Address Address(JsonElement json) => Protocol.Address.TryParse(Text(json), out var address) ? address : throw Unexpected("an address", json);

    public static byte[] Bytes(JsonElement json) => TryReadBytes(Text(json), out var bytes) ? bytes : throw Unexpected("bytes", json);

    public static bool TryReadBytes(string text, out byte[] bytes)
    {
        try
        {
            bytes = Hex.Decode(text);
            return true;
        }
        catch (FormatException)
        {
            bytes = [];
            return false;
        }
    }

    public static IEnumerable<JsonElement> List(JsonElement json) => json.ValueKind == JsonValueKind.Array ? json.EnumerateArray() : throw Unexpected("a list", json);

    private static string Text(JsonElement json) => json.ValueKind == JsonValueKind.String ? json.GetString()! : throw Unexpected("text", json);

    private static ChainException Unexpected(string expected, JsonElement json)
    {
        var found = json.ValueKind == JsonValueKind.Undefined ? "nothing" : json.GetRawText();
        return new($"The node's answer should have {expected}; found {(found.Length <= 100 ? found : found[..97] + "...")}.");
    }
}

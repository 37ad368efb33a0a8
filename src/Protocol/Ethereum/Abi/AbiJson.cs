using System.Globalization;
using System.Numerics;
using System.Text.Json;

namespace FedChain.Protocol.Ethereum.Abi;

/// <summary>Reads JSON ABIs, and JSON values by their type: integers as numbers, decimal or 0x text; bytes and addresses as 0x text.</summary>
public static class AbiJson
{
    /// <exception cref="FormatException">The JSON is no value of this type.</exception>
    public static object ReadValue(AbiType type, JsonElement json)
    {
        switch (type.Kind)
        {
            case AbiKind.UInt or AbiKind.Int:
                var integer = ReadInteger(json);
                return AbiEncoder.Fits(type, integer) ? integer : throw new FormatException($"{integer} does not fit {type}.");
            case AbiKind.Bool:
                return json.ValueKind is JsonValueKind.True or JsonValueKind.False ? json.GetBoolean() : throw Unexpected("true or false", json);
            case AbiKind.Address:
                return Address.Parse(ReadText(json));
            case AbiKind.FixedBytes:
                var bytes = Hex.Decode(ReadText(json));
                return bytes.Length == type.Size ? bytes : throw new FormatException($"Expected {type}; got {bytes.Length} bytes.");
            case AbiKind.Bytes:
                return Hex.Decode(ReadText(json));
            case AbiKind.String:
                return ReadText(json);
            case AbiKind.Tuple when json.ValueKind == JsonValueKind.Object:
                return new AbiValues([.. type.Components.Select(c => ReadValue(c.Type, Property(json, c.Name)))]);
            default:
                return ReadList(type, json);
        }
    }

    internal static string Name(JsonElement json) => ReadText(Property(json, "name"));

    internal static IReadOnlyList<AbiParameter> Parameters(JsonElement json, string property)
    {
        if (json.ValueKind != JsonValueKind.Object || !json.TryGetProperty(property, out var list) || list.ValueKind != JsonValueKind.Array)
        {
            return [];
        }

        return [.. list.EnumerateArray().Select(Parameter)];
    }

    internal static string ReadText(JsonElement json)
    {
        try
        {
            return json.ValueKind == JsonValueKind.String ? json.GetString()! : throw Unexpected("text", json);
        }
        catch (InvalidOperationException e)
        {
            throw new FormatException("A JSON text is not valid Unicode.", e);
        }
    }

    internal static JsonElement Property(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value)
            ? value
            : throw new FormatException($"Expected a JSON object with a property '{name}'.");

    private static AbiParameter Parameter(JsonElement json)
    {
        var components = Parameters(json, "components");
        var name = json.TryGetProperty("name", out var n) ? ReadText(n) : "";
        var indexed = json.TryGetProperty("indexed", out var i) && i.ValueKind == JsonValueKind.True;
        return new AbiParameter(name, AbiParser.ParseJsonType(ReadText(Property(json, "type")), components), indexed);
    }

    private static AbiValues ReadList(AbiType type, JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Array)
        {
            throw Unexpected($"an array for {type}", json);
        }

        var count = json.GetArrayLength();
        var expected = type.Kind switch { AbiKind.FixedArray => type.Size, AbiKind.Tuple => type.Components.Count, _ => count };
        if (count != expected)
        {
            throw new FormatException($"{type} has {expected} elements; got {count}.");
        }

        var types = AbiEncoder.ElementTypes(type, count);
        return new AbiValues([.. json.EnumerateArray().Select((element, i) => ReadValue(types[i], element))]);
    }

    private static BigInteger ReadInteger(JsonElement json)
    {
        var text = json.ValueKind == JsonValueKind.Number ? json.GetRawText() : ReadText(json);
        var hex = text.StartsWith("0x", StringComparison.Ordinal);
        var style = hex ? NumberStyles.AllowHexSpecifier : NumberStyles.AllowLeadingSign;
        return text.Length <= 80 && BigInteger.TryParse(hex ? "0" + text[2..] : text, style, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw Unexpected("an integer", json);
    }

    private static FormatException Unexpected(string expected, JsonElement json)
    {
        var text = json.GetRawText();
        return new($"Expected {expected}; got {(text.Length <= 60 ? text : text[..57] + "...")}.");
    }
}

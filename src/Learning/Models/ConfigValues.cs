using System.Collections.Immutable;
using System.Text.Json;

namespace FedChain.Learning.Models;

/// <summary>Values of a config.json, each of the expected kind or refused by name.</summary>
internal static class ConfigValues
{
    public static bool Has(JsonElement root, string name) => root.TryGetProperty(name, out _);

    public static int Integer(JsonElement root, string name) =>
        OptionalInteger(root, name) ?? throw new InvalidDataException($"{name} is missing; expected an integer.");

    public static int? OptionalInteger(JsonElement root, string name) =>
        !root.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number
        : throw new InvalidDataException($"{name} = {Shown(value)}; expected an integer.");

    public static double? Number(JsonElement root, string name) =>
        !root.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) ? number
        : throw new InvalidDataException($"{name} = {Shown(value)}; expected a number.");

    public static bool Flag(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null && (value.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? value.GetBoolean()
            : throw new InvalidDataException($"{name} = {Shown(value)}; expected true or false."));

    public static ImmutableArray<int> Tokens(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array
            ? [.. value.EnumerateArray().Select(v => v.ValueKind == JsonValueKind.Number && v.TryGetInt32(out var token) ? token : throw new InvalidDataException($"{name} holds {Shown(v)}; expected integers."))]
            : OptionalInteger(root, name) is { } single ? [single] : [];

    public static bool Is(JsonElement value, string text) => value.ValueKind == JsonValueKind.String && value.GetString() == text;

    public static bool IsNumber(JsonElement value, double number) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var found) && found == number;

    public static bool IsZero(JsonElement value) => value.ValueKind == JsonValueKind.Null || IsNumber(value, 0);

    /// <summary>Null, false, or nothing in it: a setting that isn't used. An empty object is one that is, with its defaults.</summary>
    public static bool IsOff(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.False => true,
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.String => value.GetString()!.Length == 0,
        _ => false,
    };

    public static string Shown(JsonElement value)
    {
        var text = value.GetRawText();
        return text.Length <= 80 ? text : $"{text[..80]}…";
    }
}

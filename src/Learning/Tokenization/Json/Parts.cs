using System.Text.Json;

namespace FedChain.Learning.Tokenization.Json;

/// <summary>Fields of a tokenizer.json, each known or refused by name.</summary>
internal static class Parts
{
    public static JsonElement? Optional(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public static JsonElement Needed(JsonElement element, string part, string name) =>
        Optional(element, name) ?? throw new InvalidDataException($"The {part} lacks '{name}'.");

    public static string Type(JsonElement element, string part) => Text(element, part, "type");

    public static string Text(JsonElement element, string part, string name) =>
        Needed(element, part, name) is { ValueKind: JsonValueKind.String } text ? text.GetString()! : throw Unsupported(element, part, name);

    public static bool Flag(JsonElement element, string part, string name, bool missing) =>
        Optional(element, name) is not { } value ? missing
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Unsupported(element, part, name);

    /// <summary>Refuses fields that nobody here knows: they might change the ids.</summary>
    public static void Only(JsonElement element, string part, params string[] known)
    {
        foreach (var field in element.EnumerateObject().Where(f => !known.Contains(f.Name) && f.Value.ValueKind is not (JsonValueKind.Null or JsonValueKind.False)))
        {
            throw Unsupported(element, part, field.Name);
        }
    }

    public static InvalidDataException Unsupported(JsonElement element, string part, string name)
    {
        var text = element.TryGetProperty(name, out var value) ? value.GetRawText() : "missing";
        return new($"The {part}'s {name} = {(text.Length <= 80 ? text : $"{text[..80]}…")} is not supported, so the model's ids could not be reproduced.");
    }
}

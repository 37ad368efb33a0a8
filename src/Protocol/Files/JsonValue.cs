using System.Collections.Immutable;

namespace FedChain.Protocol.Files;

/// <summary>A value of the JSON subset that peers exchange: no floating point, integers below 2^53 in magnitude, objects without duplicates.</summary>
public abstract record JsonValue
{
    private JsonValue()
    {
    }

    /// <summary>A string of whole Unicode characters.</summary>
    public sealed record Text(string Value) : JsonValue;

    /// <summary>An integer from -(2^53 - 1) to 2^53 - 1.</summary>
    public sealed record Integer(long Value) : JsonValue;

    /// <summary>true or false.</summary>
    public sealed record Flag(bool Value) : JsonValue;

    /// <summary>null.</summary>
    public sealed record Null : JsonValue;

    /// <summary>An array.</summary>
    public sealed record List(ImmutableArray<JsonValue> Items) : JsonValue;

    /// <summary>An object; its fields in the order of their names' UTF-16 code units.</summary>
    public sealed record Fields(ImmutableSortedDictionary<string, JsonValue> Values) : JsonValue;

    /// <summary>An array of these values.</summary>
    public static JsonValue Of(IEnumerable<JsonValue> items) => new List([.. items]);

    /// <summary>An object with these fields.</summary>
    /// <exception cref="ArgumentException">A name is given twice.</exception>
    public static JsonValue Of(params ReadOnlySpan<(string Name, JsonValue Value)> fields)
    {
        var sorted = ImmutableSortedDictionary.CreateBuilder<string, JsonValue>(StringComparer.Ordinal);
        foreach (var (name, value) in fields)
        {
            sorted.Add(name, value);
        }

        return new Fields(sorted.ToImmutable());
    }

    public static implicit operator JsonValue(string value) => new Text(value);

    public static implicit operator JsonValue(long value) => new Integer(value);

    public static implicit operator JsonValue(bool value) => new Flag(value);

    public static implicit operator JsonValue(Hash256 value) => new Text(value.ToString());

    public static implicit operator JsonValue(Address value) => new Text(value.ToString());

    /// <summary>What kind of value this is, for messages.</summary>
    internal string Kind => this switch
    {
        Text => "a string",
        Integer => "an integer",
        Flag => "a boolean",
        Null => "null",
        List => "an array",
        _ => "an object",
    };
}

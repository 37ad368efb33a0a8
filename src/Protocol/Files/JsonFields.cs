using System.Collections.Immutable;
using System.Text;

namespace FedChain.Protocol.Files;

/// <summary>
/// Reads the fields of one JSON object: each exactly once, each of its type and within its bounds, and none that nobody asked for.
/// A field that is wrong is refused with its name, what was expected and what came.
/// </summary>
public sealed class JsonFields
{
    private readonly JsonValue.Fields _object;
    private readonly string _what;
    private readonly HashSet<string> _asked = new(StringComparer.Ordinal);

    /// <param name="value">An object.</param>
    /// <param name="what">What it is, for messages, such as "update manifest".</param>
    /// <exception cref="InvalidDataException">The value is no object.</exception>
    public JsonFields(JsonValue value, string what)
    {
        _what = what;
        _object = value as JsonValue.Fields ?? throw new InvalidDataException($"The {what} should be an object; got {value.Kind}.");
    }

    /// <summary>The value of a field that must be there, whatever its type.</summary>
    /// <exception cref="InvalidDataException">There is no such field.</exception>
    public JsonValue Value(string name)
    {
        _asked.Add(name);
        return _object.Values.TryGetValue(name, out var value)
            ? value
            : throw new InvalidDataException($"The {_what} lacks the field '{name}'.");
    }

    public string Text(string name, int maxLength) => Value(name) is JsonValue.Text(var text) && text.Length <= maxLength
        ? text
        : throw Wrong(name, $"a string of at most {maxLength} characters");

    public long Integer(string name, long min, long max) => Value(name) is JsonValue.Integer(var n) && n >= min && n <= max
        ? n
        : throw Wrong(name, $"an integer from {min} to {max}");

    public bool Flag(string name) => Value(name) is JsonValue.Flag(var flag) ? flag : throw Wrong(name, "true or false");

    public Hash256 Hash(string name) =>
        Value(name) is JsonValue.Text(var text) && Hash256.TryParse(text, out var hash) && hash.ToString() == text
            ? hash
            : throw Wrong(name, "a hash, 0x and 64 lowercase hex digits");

    public Address Address(string name) =>
        Value(name) is JsonValue.Text(var text) && Protocol.Address.TryParse(text, out var address) && address.ToString() == text
            ? address
            : throw Wrong(name, "an address, 0x and 40 lowercase hex digits");

    /// <summary>Bytes, written as 0x and lowercase hex digits.</summary>
    public byte[] Bytes(string name, int maxBytes)
    {
        if (Value(name) is JsonValue.Text(var text) && text.Length <= 2 + (2 * maxBytes))
        {
            try
            {
                var bytes = Hex.Decode(text);
                if (Hex.Encode(bytes) == text)
                {
                    return bytes;
                }
            }
            catch (FormatException)
            {
                // the message below says what was expected
            }
        }

        throw Wrong(name, $"at most {maxBytes} bytes, 0x and lowercase hex digits");
    }

    public ImmutableArray<JsonValue> List(string name, int minCount, int maxCount) =>
        Value(name) is JsonValue.List(var items) && items.Length >= minCount && items.Length <= maxCount
            ? items
            : throw Wrong(name, $"an array of {minCount} to {maxCount} entries");

    public ImmutableArray<string> Texts(string name, int minCount, int maxCount, int maxLength) =>
        [.. List(name, minCount, maxCount).Select(item => item is JsonValue.Text(var text) && text.Length <= maxLength
            ? text
            : throw Wrong(name, $"an array of strings of at most {maxLength} characters"))];

    /// <summary>A field that can only have one value here, such as a version.</summary>
    public void Constant(string name, JsonValue expected)
    {
        if (Value(name) != expected)
        {
            throw Wrong(name, Show(expected));
        }
    }

    public JsonFields Object(string name) => new(Value(name), $"{_what}'s {name}");

    /// <summary>Says that all fields have been read.</summary>
    /// <exception cref="InvalidDataException">The object has one more.</exception>
    public void Done()
    {
        var unknown = _object.Values.Keys.FirstOrDefault(name => !_asked.Contains(name));
        if (unknown is not null)
        {
            throw new InvalidDataException($"The {_what} has an unknown field '{unknown}'; this version knows {string.Join(", ", _asked.Order(StringComparer.Ordinal))}.");
        }
    }

    /// <summary>The refusal of a field's value.</summary>
    public InvalidDataException Wrong(string name, string expected) =>
        new($"The {_what}'s field '{name}' should be {expected}; got {Show(Value(name))}.");

    private static string Show(JsonValue value)
    {
        var text = Encoding.UTF8.GetString(CanonicalJson.Serialize(value));
        return text.Length <= 100 ? text : text[..97] + "...";
    }
}

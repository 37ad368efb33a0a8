using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace FedChain.Protocol.Files;

/// <summary>
/// The JSON Canonicalization Scheme (RFC 8785) for the subset that peers exchange: strings, integers below 2^53 in magnitude, booleans, null,
/// arrays and objects. Object keys are sorted by their UTF-16 code units, strings escaped as ECMAScript's JSON.stringify does, no white space.
/// A document is only accepted if its bytes equal its own re-serialisation, so that a digest of the bytes is a digest of the value.
/// </summary>
public static class CanonicalJson
{
    /// <summary>2^53 - 1: beyond it, JSON readers that use doubles lose digits.</summary>
    public const long MaxInteger = (1L << 53) - 1;

    /// <summary>How deep arrays and objects may be nested.</summary>
    public const int MaxDepth = 16;

    /// <summary>The canonical bytes of a value (UTF-8).</summary>
    /// <exception cref="ArgumentException">An integer out of range, a lone surrogate, or nesting deeper than <see cref="MaxDepth"/>.</exception>
    public static byte[] Serialize(JsonValue value)
    {
        var text = new StringBuilder();
        Append(text, value, MaxDepth);
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    /// <summary>Reads a document that must be canonical.</summary>
    /// <param name="utf8">The whole document.</param>
    /// <param name="maxBytes">The most bytes to accept.</param>
    /// <exception cref="InvalidDataException">Too long, not JSON, outside the subset, or not in canonical form; the message says which.</exception>
    public static JsonValue Parse(ReadOnlySpan<byte> utf8, int maxBytes)
    {
        var value = ParseAnyForm(utf8, maxBytes);
        var canonical = Serialize(value);
        if (!utf8.SequenceEqual(canonical))
        {
            var at = utf8.CommonPrefixLength(canonical);
            throw new InvalidDataException(
                $"The JSON is not canonical (RFC 8785): at byte {at} expected {Show(canonical.AsSpan(at))}, got {Show(utf8[at..])}.");
        }

        return value;
    }

    /// <summary>Reads a document of the subset in any form (white space, order of keys, escapes), such as one that a person has written.</summary>
    /// <exception cref="InvalidDataException">Too long, not JSON, or outside the subset; the message says which.</exception>
    public static JsonValue ParseAnyForm(ReadOnlySpan<byte> utf8, int maxBytes)
    {
        if (utf8.Length > maxBytes)
        {
            throw new InvalidDataException($"The JSON has {utf8.Length} bytes; at most {maxBytes} are accepted.");
        }

        if (!Utf8.IsValid(utf8))
        {
            throw new InvalidDataException("The JSON is not valid UTF-8.");
        }

        try
        {
            var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = MaxDepth });
            reader.Read();
            var value = ReadValue(ref reader);
            reader.Read(); // throws if anything but white space follows
            return value;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Utf8JsonReader reports a lone surrogate in an escape as InvalidOperationException.
            throw new InvalidDataException($"Not well-formed JSON: {e.Message}", e);
        }
    }

    /// <summary>Appends a string in quotes as RFC 8785, section 3.2.2.2, escapes it.</summary>
    /// <exception cref="ArgumentException">The string has a lone surrogate.</exception>
    internal static void AppendString(StringBuilder text, string value)
    {
        text.Append('"');
        for (var i = 0; i < value.Length; i++)
        {
            var c = value[i];
            switch (c)
            {
                case '"':
                    text.Append("\\\"");
                    break;
                case '\\':
                    text.Append("\\\\");
                    break;
                case '\b':
                    text.Append("\\b");
                    break;
                case '\f':
                    text.Append("\\f");
                    break;
                case '\n':
                    text.Append("\\n");
                    break;
                case '\r':
                    text.Append("\\r");
                    break;
                case '\t':
                    text.Append("\\t");
                    break;
                case < ' ':
                    text.Append("\\u").Append(((int)c).ToString("x4"));
                    break;
                case var _ when char.IsSurrogate(c):
                    if (i + 1 == value.Length || !char.IsSurrogatePair(c, value[i + 1]))
                    {
                        throw new ArgumentException($"The string has half a surrogate pair at {i}.", nameof(value));
                    }

                    text.Append(c).Append(value[++i]);
                    break;
                default:
                    text.Append(c);
                    break;
            }
        }

        text.Append('"');
    }

    private static void Append(StringBuilder text, JsonValue value, int depth)
    {
        switch (value)
        {
            case JsonValue.Text(var s):
                AppendString(text, s);
                break;
            case JsonValue.Integer(var n):
                if (n is > MaxInteger or < -MaxInteger)
                {
                    throw new ArgumentException($"JSON integers stay below 2^53; got {n}.", nameof(value));
                }

                text.Append(n);
                break;
            case JsonValue.Flag(var flag):
                text.Append(flag ? "true" : "false");
                break;
            case JsonValue.Null:
                text.Append("null");
                break;
            case JsonValue.List(var items):
                RequireDepth(depth, value);
                text.Append('[');
                foreach (var item in items)
                {
                    Append(text, item, depth - 1);
                    text.Append(',');
                }

                Close(text, ']');
                break;
            case JsonValue.Fields(var fields):
                RequireDepth(depth, value);
                text.Append('{');
                foreach (var (name, field) in fields)
                {
                    AppendString(text, name);
                    text.Append(':');
                    Append(text, field, depth - 1);
                    text.Append(',');
                }

                Close(text, '}');
                break;
        }
    }

    private static void RequireDepth(int depth, JsonValue value)
    {
        if (depth == 0)
        {
            throw new ArgumentException($"JSON is nested at most {MaxDepth} deep.", nameof(value));
        }
    }

    private static void Close(StringBuilder text, char bracket)
    {
        if (text[^1] == ',')
        {
            text.Length--;
        }

        text.Append(bracket);
    }

    private static JsonValue ReadValue(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.String:
                return new JsonValue.Text(reader.GetString()!);
            case JsonTokenType.Number:
                return reader.TryGetInt64(out var n) && n is <= MaxInteger and >= -MaxInteger
                    ? new JsonValue.Integer(n)
                    : throw new InvalidDataException(
                        $"JSON numbers are integers below 2^53 here; got {Show(reader.ValueSpan)} at byte {reader.TokenStartIndex}.");
            case JsonTokenType.True or JsonTokenType.False:
                return new JsonValue.Flag(reader.TokenType == JsonTokenType.True);
            case JsonTokenType.StartArray:
                var items = ImmutableArray.CreateBuilder<JsonValue>();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    items.Add(ReadValue(ref reader));
                }

                return new JsonValue.List(items.ToImmutable());
            case JsonTokenType.StartObject:
                var fields = ImmutableSortedDictionary.CreateBuilder<string, JsonValue>(StringComparer.Ordinal);
                while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
                {
                    var name = reader.GetString()!;
                    reader.Read();
                    if (!fields.TryAdd(name, ReadValue(ref reader)))
                    {
                        throw new InvalidDataException($"The JSON names the field '{name}' twice in one object.");
                    }
                }

                return new JsonValue.Fields(fields.ToImmutable());
            default:
                return new JsonValue.Null();
        }
    }

    private static string Show(ReadOnlySpan<byte> bytes) =>
        bytes.IsEmpty ? "the end" : $"'{Encoding.UTF8.GetString(bytes[..Math.Min(bytes.Length, 40)])}'";
}

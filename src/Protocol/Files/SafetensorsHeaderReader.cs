using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Unicode;

namespace FedChain.Protocol.Files;

/// <summary>Reads the JSON of a safetensors header token by token: nothing is built that the text itself does not pay for in bytes.</summary>
internal ref struct SafetensorsHeaderReader
{
    private Utf8JsonReader _json;

    private SafetensorsHeaderReader(ReadOnlySpan<byte> json) =>
        _json = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 4 });

    /// <exception cref="InvalidDataException">Anything but a well-formed header for a file of that length.</exception>
    public static SafetensorsHeader Read(ReadOnlySpan<byte> json, long fileLength)
    {
        if (json.IsEmpty || json[0] != '{')
        {
            throw new InvalidDataException("A safetensors header begins with '{'; this one doesn't.");
        }

        if (!Utf8.IsValid(json))
        {
            throw new InvalidDataException("The safetensors header is not valid UTF-8.");
        }

        try
        {
            return new SafetensorsHeaderReader(json).ReadFile(8 + json.Length, fileLength);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Utf8JsonReader reports a lone surrogate in an escape as InvalidOperationException.
            throw new InvalidDataException($"The safetensors header is not well-formed JSON: {e.Message}", e);
        }
    }

    private SafetensorsHeader ReadFile(long dataOffset, long fileLength)
    {
        var metadata = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        var tensors = new List<SafetensorsTensor>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        Next(JsonTokenType.StartObject, "the header");
        while (NextName() is { } name)
        {
            if (!names.Add(name))
            {
                throw new InvalidDataException($"The safetensors header names '{name}' twice.");
            }

            if (name == SafetensorsHeader.MetadataKey)
            {
                ReadMetadata(metadata);
            }
            else
            {
                tensors.Add(ReadTensor(name));
            }
        }

        if (_json.Read())
        {
            throw new InvalidDataException("The safetensors header has something after its closing brace.");
        }

        return new SafetensorsHeader(dataOffset, InOrder(tensors, fileLength - dataOffset), metadata.ToImmutable());
    }

    private void ReadMetadata(ImmutableSortedDictionary<string, string>.Builder metadata)
    {
        Next(JsonTokenType.StartObject, SafetensorsHeader.MetadataKey);
        while (NextName() is { } key)
        {
            Next(JsonTokenType.String, $"metadata '{key}'");
            if (!metadata.TryAdd(key, _json.GetString()!))
            {
                throw new InvalidDataException($"The safetensors metadata names '{key}' twice.");
            }
        }
    }

    private SafetensorsTensor ReadTensor(string name)
    {
        TensorType? type = null;
        List<long>? shape = null, offsets = null;
        Next(JsonTokenType.StartObject, $"tensor '{name}'");
        while (NextName() is { } field)
        {
            switch (field)
            {
                case "dtype" when type is null:
                    Next(JsonTokenType.String, $"dtype of '{name}'");
                    type = TensorTypes.TryParse(_json.GetString()!, out var known)
                        ? known
                        : throw new InvalidDataException($"Tensor '{name}' has dtype '{_json.GetString()}', which is not supported.");
                    break;
                case "shape" when shape is null:
                    shape = ReadIntegers($"shape of '{name}'");
                    break;
                case "data_offsets" when offsets is null:
                    offsets = ReadIntegers($"data_offsets of '{name}'");
                    break;
                default:
                    throw new InvalidDataException($"Tensor '{name}' has a second or unknown field '{field}'; expected dtype, shape, data_offsets once each.");
            }
        }

        if (type is null || shape is null || offsets is not [var begin, var end])
        {
            throw new InvalidDataException($"Tensor '{name}' needs dtype, shape and two data_offsets.");
        }

        if (begin > end)
        {
            throw new InvalidDataException($"Tensor '{name}' ends at {end}, before it begins at {begin}.");
        }

        var size = SafetensorsTensor.SizeOf(type.Value, shape.ToArray());
        return size == end - begin
            ? new SafetensorsTensor(name, type.Value, [.. shape], begin, end - begin)
            : throw new InvalidDataException(
                $"Tensor '{name}' of type {type.Value.Code()} and shape [{string.Join(", ", shape)}] takes {size?.ToString() ?? "too many"} bytes; its offsets span {end - begin}.");
    }

    private List<long> ReadIntegers(string what)
    {
        var values = new List<long>(2);
        Next(JsonTokenType.StartArray, what);
        while (_json.Read() && _json.TokenType != JsonTokenType.EndArray)
        {
            if (_json.TokenType != JsonTokenType.Number || !_json.TryGetInt64(out var value) || value < 0)
            {
                throw new InvalidDataException($"The {what} must hold integers from 0 to 2^63 - 1.");
            }

            values.Add(value);
        }

        return values;
    }

    private static ImmutableArray<SafetensorsTensor> InOrder(List<SafetensorsTensor> tensors, long dataLength)
    {
        // Empty tensors share their offset with a neighbour and come before it; equal ones in the order of their names.
        tensors.Sort((x, y) => (x.Offset, x.Length).CompareTo((y.Offset, y.Length)) is var order && order != 0
            ? order
            : string.CompareOrdinal(x.Name, y.Name));
        var expected = 0L;
        foreach (var tensor in tensors)
        {
            if (tensor.Offset != expected)
            {
                throw new InvalidDataException(
                    $"Tensor '{tensor.Name}' begins at {tensor.Offset}; expected {expected}, where the one before it ends (no gap, no overlap).");
            }

            expected += tensor.Length;
        }

        return expected == dataLength
            ? [.. tensors]
            : throw new InvalidDataException($"The safetensors header describes {expected} bytes of tensors; the file has {dataLength}.");
    }

    private string? NextName()
    {
        if (!_json.Read())
        {
            throw new InvalidDataException("The safetensors header ends within an object.");
        }

        return _json.TokenType == JsonTokenType.EndObject ? null : _json.GetString();
    }

    private void Next(JsonTokenType expected, string what)
    {
        if (!_json.Read() || _json.TokenType != expected)
        {
            throw new InvalidDataException($"In the safetensors header, {what} should be a {expected}; got {_json.TokenType}.");
        }
    }
}

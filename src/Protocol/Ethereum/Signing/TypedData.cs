using System.Text.Json;
using FedChain.Protocol.Ethereum.Abi;

namespace FedChain.Protocol.Ethereum.Signing;

/// <summary>
/// EIP-712 typed data in the JSON form of eth_signTypedData_v4: types, primaryType, domain, message.
/// digest = keccak256(0x1901 | hashStruct(domain) | hashStruct(message)), hashStruct(s) = keccak256(typeHash | encodeData(s)).
/// </summary>
public sealed class TypedData
{
    private const string DomainType = "EIP712Domain";

    private static readonly (string Name, string Type)[] DomainFields =
        [("name", "string"), ("version", "string"), ("chainId", "uint256"), ("verifyingContract", "address"), ("salt", "bytes32")];

    private readonly Dictionary<string, List<(string Name, string Type)>> _types = [];
    private readonly Dictionary<string, Hash256> _typeHashes = [];

    private TypedData(JsonElement types, string primaryType, JsonElement domain, JsonElement message)
    {
        PrimaryType = primaryType;
        foreach (var type in Object(types, "types"))
        {
            if (type.Value.ValueKind != JsonValueKind.Array)
            {
                throw new FormatException($"EIP-712: type '{type.Name}' is not an array of fields.");
            }

            if (!_types.TryAdd(type.Name, [.. type.Value.EnumerateArray().Select(f => (Text(f, "name"), Text(f, "type")))]))
            {
                throw new FormatException($"EIP-712: type '{type.Name}' is defined twice.");
            }
        }

        if (!_types.ContainsKey(DomainType)) // then the domain's type has the fields that the domain has
        {
            _types[DomainType] = [.. DomainFields.Where(f => domain.ValueKind == JsonValueKind.Object && domain.TryGetProperty(f.Name, out _))];
        }

        DomainSeparator = HashStruct(DomainType, domain);
        EncodedData = EncodeData(primaryType, message);
        StructHash = Keccak256.Hash(EncodedData);
        Digest = SigningDomain.Digest(DomainSeparator, StructHash);
    }

    public string PrimaryType { get; }

    public Hash256 DomainSeparator { get; }

    /// <summary>typeHash | encodeData of the message.</summary>
    public byte[] EncodedData { get; }

    public Hash256 StructHash { get; }

    /// <summary>What is signed.</summary>
    public Hash256 Digest { get; }

    /// <exception cref="FormatException">Not JSON, a missing or misshapen part, an unknown type, or a value that does not fit its type.</exception>
    public static TypedData Parse(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var root = document.RootElement;
            return Create(Property(root, "types"), Text(root, "primaryType"), Property(root, "domain"), Property(root, "message"));
        }
        catch (JsonException e)
        {
            throw new FormatException($"EIP-712: expected JSON: {e.Message}", e);
        }
    }

    /// <inheritdoc cref="Parse"/>
    public static TypedData Create(JsonElement types, string primaryType, JsonElement domain, JsonElement message) => new(types, primaryType, domain, message);

    /// <summary>name(type field,…) of the type itself, then of all types it refers to, sorted by name.</summary>
    /// <exception cref="FormatException">The type, or one that it refers to, is not defined.</exception>
    public string EncodeType(string name)
    {
        var found = new SortedSet<string>(StringComparer.Ordinal);
        var open = new Stack<string>([name]);
        while (open.TryPop(out var type))
        {
            if (found.Add(type))
            {
                foreach (var field in Fields(type))
                {
                    var element = ElementName(field.Type);
                    if (_types.ContainsKey(element))
                    {
                        open.Push(element);
                    }
                }
            }
        }

        found.Remove(name);
        return string.Concat(found.Prepend(name).Select(type => $"{type}({string.Join(',', Fields(type).Select(f => $"{f.Type} {f.Name}"))})"));
    }

    public Hash256 TypeHash(string name)
    {
        if (!_typeHashes.TryGetValue(name, out var hash))
        {
            _typeHashes[name] = hash = Keccak256.Hash(EncodeType(name));
        }

        return hash;
    }

    private Hash256 HashStruct(string type, JsonElement value) => Keccak256.Hash(EncodeData(type, value));

    private byte[] EncodeData(string type, JsonElement value)
    {
        using var output = new MemoryStream();
        output.Write(TypeHash(type).ToArray());
        foreach (var field in Fields(type))
        {
            output.Write(EncodeField(field.Type, Property(value, field.Name)).ToArray());
        }

        return output.ToArray();
    }

    private Word EncodeField(string type, JsonElement value)
    {
        if (type.EndsWith(']'))
        {
            return EncodeArray(type, value);
        }

        if (_types.ContainsKey(type))
        {
            return HashStruct(type, value);
        }

        var elementary = AbiType.Parse(type);
        return elementary.Kind switch
        {
            AbiKind.Bytes or AbiKind.String => Keccak256.Hash(AbiEncoder.DynamicBytes(elementary, ReadValue(elementary, value))),
            AbiKind.Tuple => throw new FormatException($"EIP-712: '{type}' is no type; tuples are named."),
            _ => AbiEncoder.EncodeWord(elementary, ReadValue(elementary, value)),
        };
    }

    private Hash256 EncodeArray(string type, JsonElement value)
    {
        var bracket = type.LastIndexOf('[');
        var length = bracket < 0 ? "" : type[(bracket + 1)..^1];
        if (bracket <= 0 || value.ValueKind != JsonValueKind.Array || (length.Length > 0 && length != value.GetArrayLength().ToString(System.Globalization.CultureInfo.InvariantCulture)))
        {
            throw new FormatException($"EIP-712: the value for '{type}' is no array of that length.");
        }

        using var output = new MemoryStream();
        foreach (var element in value.EnumerateArray())
        {
            output.Write(EncodeField(type[..bracket], element).ToArray());
        }

        return Keccak256.Hash(output.ToArray());
    }

    private List<(string Name, string Type)> Fields(string type) =>
        _types.TryGetValue(type, out var fields) ? fields : throw new FormatException($"EIP-712: type '{type}' is not defined.");

    private static string ElementName(string type) => type.IndexOf('[', StringComparison.Ordinal) is var bracket and >= 0 ? type[..bracket] : type;

    private static object ReadValue(AbiType type, JsonElement value) => AbiJson.ReadValue(type, value);

    private static JsonElement Property(JsonElement json, string name) => AbiJson.Property(json, name);

    private static string Text(JsonElement json, string name) => AbiJson.ReadText(Property(json, name));

    private static JsonElement.ObjectEnumerator Object(JsonElement json, string what) =>
        json.ValueKind == JsonValueKind.Object ? json.EnumerateObject() : throw new FormatException($"EIP-712: '{what}' is not a JSON object.");
}

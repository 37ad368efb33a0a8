using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using FedChain.Protocol;

namespace FedChain.Node.Homes;

/// <summary>What an institution's peer has to know about its surroundings; kept in <c>home.json</c> and safe to edit by hand while the peer is stopped.</summary>
public sealed record HomeSettings
{
    /// <summary>The institution's display name.</summary>
    public required string Name { get; init; }

    /// <summary>Where the content endpoint listens, as host:port.</summary>
    public required string Listen { get; init; }

    /// <summary>The content endpoint's URL as the other members reach it.</summary>
    public required string Endpoint { get; init; }

    /// <summary>A PEM file with the content endpoint's certificate and, after it, its issuers'; with it the endpoint speaks https itself. Null: http, for a proxy in front.</summary>
    public string? TlsCertificate { get; init; }

    /// <summary>The certificate's private key, a PEM file without a passphrase.</summary>
    public string? TlsKey { get; init; }

    /// <summary>
    /// A file whose first line is the token that the federation's members agreed on: this endpoint serves those who send it, and it is sent to the
    /// others'. Null: content, which is sealed, is served to everybody.
    /// </summary>
    public string? ContentTokenFile { get; init; }

    /// <summary>The chain's JSON-RPC URLs, http or https, the preferred first; ws or wss besides, for news of blocks. In the file one alone may be a text.</summary>
    [JsonConverter(typeof(TextsJson))]
    public IReadOnlyList<string>? Rpc { get; init; }

    /// <summary>The chain's id, noted when the seat was taken: the same addresses may exist on another chain.</summary>
    public ulong? ChainId { get; init; }

    /// <summary>The RPC API of the institution's own IPFS node (Kubo), as in http://127.0.0.1:5001; content is kept there. Null: in the home's <c>store/</c>.</summary>
    public string? Ipfs { get; init; }

    /// <summary>A file whose first line is the value of the Authorization header that the node asks for, such as "Bearer TOKEN"; null for none.</summary>
    public string? IpfsAuthorizationFile { get; init; }

    /// <summary>The Membership contract: the federation's one address.</summary>
    [JsonConverter(typeof(AddressJson))]
    public Address? Federation { get; init; }

    /// <summary>The institution's records, *.jsonl or *.jsonl.gz.</summary>
    public string? Data { get; init; }

    /// <summary>The base model's folder, in Hugging Face layout.</summary>
    public string? Model { get; init; }

    /// <summary>Where the model runs: "auto", "cpu" or "cuda".</summary>
    public string Device { get; init; } = "auto";

    /// <summary>How the base model's weights are held, and so what it computes in: "f32", "bf16" or "int8"; "auto" is f32 on a CPU, bf16 on CUDA.</summary>
    public string Weights { get; init; } = "auto";

    /// <summary>Threads of the model on a CPU; 0 leaves the choice to the library. 1 makes training repeatable to the bit on a CPU.</summary>
    public int Threads { get; init; }

    /// <summary>Seed of the order in which records are trained on; fixed for demonstrations, random else.</summary>
    public ulong Seed { get; init; }

    /// <summary>How training is done in a round.</summary>
    public Training.LocalTraining Training { get; init; } = new();

    /// <summary>How often the chain is asked for news, in milliseconds (10 to 60,000).</summary>
    public int PollMilliseconds { get; init; } = 1000;

    /// <summary>
    /// How many blocks must follow a block before its events, and the peer's own transactions in it, count: 0 to 64. For chains that take blocks back
    /// now and then. On one that makes blocks only for transactions nothing would ever be confirmed.
    /// </summary>
    public int Confirmations { get; init; }

    /// <summary>Whether other members' endpoints may lie on private or loopback addresses.</summary>
    public bool AllowPrivateEndpoints { get; init; }

    /// <summary>What is wrong with <see cref="Confirmations"/>; null if nothing.</summary>
    internal string? ConfirmationsFault => Confirmations is >= 0 and <= 64 ? null : $"\"confirmations\" is 0 to 64; found {Confirmations}";

    /// <summary>What is wrong with an endpoint as the profile has it; null if nothing.</summary>
    internal static string? EndpointFault(string text) =>
        !Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https")
            ? $"is an http or https URL, such as https://fedchain.hospital.example; found '{text}'"
        : uri.UserInfo.Length > 0 || uri.Query.Length > 0 || uri.Fragment.Length > 0 || text.EndsWith('/')
            ? $"has no user, query, fragment or trailing slash; found '{text}'"
        : IPAddress.TryParse(uri.Host.Trim('[', ']'), out var address) && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any))
            ? $"is the URL by which the others reach this machine; nobody can connect to '{text}'"
        : null;

    internal static JsonSerializerOptions Json { get; } = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    private sealed class TextsJson : JsonConverter<IReadOnlyList<string>>
    {
        public override IReadOnlyList<string>? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.String ? [reader.GetString()!] : JsonSerializer.Deserialize<string[]>(ref reader);

        public override void Write(Utf8JsonWriter writer, IReadOnlyList<string> value, JsonSerializerOptions options)
        {
            if (value.Count == 1)
            {
                writer.WriteStringValue(value[0]);
            }
            else
            {
                JsonSerializer.Serialize(writer, value);
            }
        }
    }

    private sealed class AddressJson : JsonConverter<Address?>
    {
        public override Address? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.GetString() is { } text ? Address.Parse(text) : null;

        public override void Write(Utf8JsonWriter writer, Address? value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value?.ToString());
    }
}

using System.Collections.Immutable;
using FedChain.Protocol.Files;

namespace FedChain.Protocol.Manifests;

/// <summary>What a member says about itself in an event of Membership, whose keccak the contract keeps.</summary>
public sealed record Profile
{
    /// <summary>The most bytes: it is written to the chain.</summary>
    public const int MaxSize = 16 * 1024;

    private const int MaxName = 128;
    private const int MaxRecipients = 4;
    private const int MaxRecipient = 2500; // a post-quantum hybrid recipient takes about 2,000 characters
    private const int MaxEndpoints = 8;
    private const int MaxEndpoint = 512;

    /// <param name="name">Shown to people: 1 to 128 characters, no control characters.</param>
    /// <param name="age">age recipients (<c>age1…</c>), the preferred first; 1 to 4.</param>
    /// <param name="endpoints">Where the member serves content: up to 8 http or https addresses without a trailing slash, query or fragment.</param>
    /// <param name="baseModel">Digest of the base model.</param>
    /// <param name="adapterConfig">Digest of the adapter configuration.</param>
    /// <exception cref="ArgumentException">A value outside these bounds.</exception>
    public Profile(string name, IEnumerable<string> age, IEnumerable<string> endpoints, Hash256 baseModel, Hash256 adapterConfig)
    {
        (Name, Age, Endpoints, BaseModel, AdapterConfig) = (name, [.. age], [.. endpoints], baseModel, adapterConfig);
        if (name.Length is 0 or > MaxName || name.Any(char.IsControl))
        {
            throw new ArgumentException($"A name has 1 to {MaxName} characters and no control characters.", nameof(name));
        }

        if (Age.Length is 0 or > MaxRecipients || Age.Any(r => r.Length is 0 or > MaxRecipient || !r.All(c => c is > ' ' and <= '~')))
        {
            throw new ArgumentException($"A profile has 1 to {MaxRecipients} age recipients of at most {MaxRecipient} printable characters.", nameof(age));
        }

        if (Endpoints.Length > MaxEndpoints || Endpoints.Any(e => !IsEndpoint(e)))
        {
            throw new ArgumentException(
                $"A profile has at most {MaxEndpoints} endpoints, http or https addresses without user, query, fragment or trailing slash.", nameof(endpoints));
        }
    }

    public string Name { get; }

    public ImmutableArray<string> Age { get; }

    public ImmutableArray<string> Endpoints { get; }

    public Hash256 BaseModel { get; }

    public Hash256 AdapterConfig { get; }

    public byte[] ToBytes() => CanonicalJson.Serialize(JsonValue.Of(
        ("adapterConfig", AdapterConfig),
        ("age", JsonValue.Of(Age.Select(r => (JsonValue)r))),
        ("baseModel", BaseModel),
        ("endpoints", JsonValue.Of(Endpoints.Select(e => (JsonValue)e))),
        ("name", Name),
        ("v", 1)));

    /// <exception cref="InvalidDataException">Too large, not canonical, or a field is missing, unknown or wrong; the message says which.</exception>
    public static Profile Parse(ReadOnlySpan<byte> bytes)
    {
        var fields = new JsonFields(CanonicalJson.Parse(bytes, MaxSize), "profile");
        fields.Constant("v", 1);
        var (name, age, endpoints) = (fields.Text("name", MaxName), fields.Texts("age", 1, MaxRecipients, MaxRecipient), fields.Texts("endpoints", 0, MaxEndpoints, MaxEndpoint));
        var (baseModel, adapterConfig) = (fields.Hash("baseModel"), fields.Hash("adapterConfig"));
        fields.Done();
        try
        {
            return new Profile(name, age, endpoints, baseModel, adapterConfig);
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"The profile is refused: {e.Message}", e);
        }
    }

    public bool Equals(Profile? other) =>
        other is not null && Name == other.Name && BaseModel == other.BaseModel && AdapterConfig == other.AdapterConfig
        && Age.SequenceEqual(other.Age) && Endpoints.SequenceEqual(other.Endpoints);

    public override int GetHashCode() => HashCode.Combine(Name, BaseModel, AdapterConfig);

    private static bool IsEndpoint(string text) =>
        text.Length <= MaxEndpoint && Uri.TryCreate(text, UriKind.Absolute, out var uri) && (uri.Scheme is "http" or "https")
        && uri.UserInfo.Length == 0 && uri.Query.Length == 0 && uri.Fragment.Length == 0 && !text.EndsWith('/');
}

using System.Collections.Immutable;
using FedChain.Protocol.Content;
using FedChain.Protocol.Files;

namespace FedChain.Protocol.Manifests;

/// <summary>The signed holdings that a global manifest rests on: in it, or in a file of their own where they would not fit.</summary>
public abstract record HoldingsSource
{
    private HoldingsSource()
    {
    }

    /// <summary>In the manifest, in the order of their members.</summary>
    public sealed record Inline(ImmutableArray<SignedHolding> Holdings) : HoldingsSource
    {
        public bool Equals(Inline? other) => other is not null && Holdings.SequenceEqual(other.Holdings);

        public override int GetHashCode() => Holdings.Length;
    }

    /// <summary>In a file: a canonical JSON array of what the manifest would have held, see <see cref="GlobalManifest.ParseHoldings"/>.</summary>
    public sealed record Stored(Cid Cid) : HoldingsSource;
}

/// <summary>What an aggregation rule carries on to the next round, as a sealed file: like the adapter itself, it tells of everybody's updates.</summary>
/// <param name="Payload">The age file.</param>
/// <param name="Size">Its bytes.</param>
/// <param name="Plaintext">SHA-256 of the <see cref="StateFile"/> inside, which every member recomputes.</param>
public sealed record CarriedState(Cid Payload, long Size, Hash256 Plaintext)
{
    internal JsonValue ToJson() => JsonValue.Of(("payload", Payload.ToString()), ("plaintext", Plaintext), ("size", Size));

    internal static CarriedState Parse(JsonFields fields)
    {
        var state = new CarriedState(fields.Cid("payload"), fields.Size(least: 1), fields.Hash("plaintext"));
        fields.Done();
        return state;
    }
}

/// <summary>
/// Names the global adapter that a turn's aggregator publishes, and what it was computed from. Everybody who can read the included updates can
/// recompute it.
/// </summary>
/// <param name="Chain">The chain's id.</param>
/// <param name="Rounds">The Rounds contract.</param>
/// <param name="Round">The round.</param>
/// <param name="Turn">The turn, from 0.</param>
/// <param name="Aggregator">Whose turn it is.</param>
/// <param name="Policy">Hash of the policy in force.</param>
/// <param name="Base">SHA-256 of the round's base adapter.</param>
/// <param name="Set">Rolling hash of the round's submissions.</param>
/// <param name="Included">The submissions that enter, see <see cref="Inclusion"/>.</param>
/// <param name="Holdings">What shows that they are the ones.</param>
/// <param name="Aggregate">SHA-256 of the adapter's file; zero if fewer updates than the minimum are included.</param>
/// <param name="Payload">The age file of the adapter; null with a zero aggregate.</param>
/// <param name="Size">Bytes of the age file; 0 with a zero aggregate.</param>
/// <param name="State">What the aggregation rule carries on to the next round; null for rules that carry nothing.</param>
public sealed record GlobalManifest(
    ulong Chain,
    Address Rounds,
    RoundId Round,
    int Turn,
    MemberId Aggregator,
    Hash256 Policy,
    Hash256 Base,
    Hash256 Set,
    SubmissionBitmap Included,
    HoldingsSource Holdings,
    Hash256 Aggregate,
    Cid? Payload,
    long Size,
    CarriedState? State)
{
    /// <summary>The most turns that a policy can ask for.</summary>
    public const int MaxTurns = 8;

    /// <summary>The most bytes of a file of holdings.</summary>
    public const int MaxHoldingsSize = 1 << 23;

    private const int MaxHoldings = 8 * SubmissionBitmap.MaxBytes;

    /// <summary>The canonical bytes: one raw block, whose SHA-256 goes on the chain.</summary>
    /// <exception cref="InvalidOperationException">Too many inline holdings for a block.</exception>
    public byte[] ToBytes() => Manifest.Seal(JsonValue.Of(
        ("aggregate", Aggregate),
        ("aggregator", Aggregator.Value),
        ("base", Base),
        ("chain", (long)Chain),
        ("holdings", Holdings switch
        {
            HoldingsSource.Inline(var all) => ToJson(all),
            HoldingsSource.Stored(var cid) => cid.ToString(),
            _ => throw new InvalidOperationException("Holdings are inline or stored."),
        }),
        ("included", Included.ToString()),
        ("kind", "global"),
        ("payload", Payload.ToJson()),
        ("policy", Policy),
        ("round", (long)Round.Value),
        ("rounds", Rounds),
        ("set", Set),
        ("size", Size),
        ("state", State?.ToJson() ?? new JsonValue.Null()),
        ("turn", Turn),
        ("v", 1)));

    /// <exception cref="InvalidDataException">Too large, not canonical, or a field is missing, unknown or wrong; the message says which.</exception>
    public static GlobalManifest Parse(ReadOnlySpan<byte> bytes)
    {
        var fields = Manifest.Open(bytes, "global");
        var manifest = new GlobalManifest(
            fields.Chain(),
            fields.Address("rounds"),
            fields.Round(),
            (int)fields.Integer("turn", 0, MaxTurns - 1),
            fields.Member("aggregator"),
            fields.Hash("policy"),
            fields.Hash("base"),
            fields.Hash("set"),
            new SubmissionBitmap(fields.Bytes("included", SubmissionBitmap.MaxBytes)),
            fields.Value("holdings") is JsonValue.List(var items)
                ? new HoldingsSource.Inline(SignedHolding.ParseAll(items))
                : new HoldingsSource.Stored(fields.Cid("holdings")),
            fields.Hash("aggregate"),
            fields.OptionalCid("payload"),
            fields.Size(least: 0),
            fields.Value("state") is JsonValue.Null ? null : CarriedState.Parse(fields.Object("state")));
        fields.Done();
        var nothing = manifest.Aggregate.IsZero;
        if (nothing != manifest.Payload is null || nothing != (manifest.Size == 0))
        {
            throw fields.Wrong(nothing ? "payload" : "size", nothing ? "null, with size 0, beside a zero aggregate" : "at least 1, with a payload, beside an aggregate");
        }

        return manifest;
    }

    /// <summary>The file of holdings that <see cref="HoldingsSource.Stored"/> names.</summary>
    public static byte[] HoldingsToBytes(IEnumerable<SignedHolding> holdings) => CanonicalJson.Serialize(ToJson(holdings));

    /// <exception cref="InvalidDataException">Too large, not canonical, not in the order of members; the message says which.</exception>
    public static ImmutableArray<SignedHolding> ParseHoldings(ReadOnlySpan<byte> bytes) =>
        CanonicalJson.Parse(bytes, MaxHoldingsSize) is JsonValue.List(var items) && items.Length <= MaxHoldings
            ? SignedHolding.ParseAll(items)
            : throw new InvalidDataException($"A file of holdings is an array of at most {MaxHoldings} entries.");

    private static JsonValue ToJson(IEnumerable<SignedHolding> holdings) => JsonValue.Of(holdings.OrderBy(h => h.Member).Select(h => h.ToJson()));
}

using System.Collections.Immutable;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Files;

namespace FedChain.Protocol.Manifests;

/// <summary>Bounds of a member's local work in a round.</summary>
/// <param name="MaxSteps">The most optimiser steps, 1 to 2^30.</param>
/// <param name="MaxSamples">The most training examples that an update may claim, 1 to 2^53 - 1.</param>
public sealed record LocalWork(int MaxSteps, long MaxSamples);

/// <summary>
/// What a federation has voted on, beyond the times and counts that the contract itself follows. It is published in an event; its keccak
/// is part of what the contract keeps.
/// </summary>
public sealed record Policy
{
    /// <summary>The most bytes: it is written to the chain.</summary>
    public const int MaxSize = 16 * 1024;

    /// <summary>
    /// The most that a cap allows an update to weigh. A round has at most 2^16 submissions (<see cref="SubmissionBitmap.MaxBytes"/>), and a fair
    /// rule may treble a weight: sums of weights stay below 2^38, and with differences below 2^24 their sums below 2^62.
    /// </summary>
    public const long MaxWeight = 1L << 20;

    private const int MaxSchedule = 64;
    private const int MaxStepsBound = 1 << 30;

    /// <summary>Digest of the base model's files.</summary>
    public required Hash256 BaseModel { get; init; }

    /// <summary>Rank, alpha, targets and fraction bits.</summary>
    public required AdapterConfig Adapter { get; init; }

    /// <summary>Seed of the first adapter (<see cref="Files.Adapter.First"/>), whose file's digest is the chain's genesis.</summary>
    public required Hash256 Seed { get; init; }

    /// <summary>How updates are written.</summary>
    public UpdateEncoding Encoding { get; init; } = UpdateEncoding.Int32;

    /// <summary>The factors that are trained, round after round; repeated without end. 1 to 64 entries. Both by default.</summary>
    public ImmutableArray<Factors> Schedule { get; init; } = [Factors.Both];

    /// <summary>How updates become an adapter. The mean with weight 1 by default.</summary>
    public AggregationRule Rule { get; init; } = new AggregationRule.Mean(Weighting.Uniform);

    /// <summary>The most that one update may weigh, 1 to 2^20. One that claims more is invalid, not clipped.</summary>
    public long WeightCap { get; init; } = 1;

    /// <summary>Bounds of local work.</summary>
    public LocalWork Work { get; init; } = new(MaxSteps: 10_000, MaxSamples: 1L << 30);

    /// <summary>Whether everything must be encrypted to post-quantum hybrid recipients.</summary>
    public bool PostQuantum { get; init; }

    /// <summary>keccak256 of the bytes. The policy's hash on the chain covers it together with the contract's parameters and the genesis.</summary>
    public Hash256 JsonHash => Keccak256.Hash(ToBytes());

    /// <summary>One factor after the other, starting with B, because while B = 0 the gradient of A is 0.</summary>
    public static ImmutableArray<Factors> Alternating => [Factors.B, Factors.A];

    /// <summary>The factors that a round trains.</summary>
    /// <param name="finalised">Rounds finalised under the current genesis before it. Not the round's number: an aborted first round would have A trained while B = 0.</param>
    public Factors FactorsAt(ulong finalised) => Schedule[(int)(finalised % (ulong)Schedule.Length)];

    /// <summary>What an update claims to weigh, before a fair rule; it may exceed the cap, and then the update is invalid.</summary>
    public long WeightOf(UpdateMetadata update) => WeighsBySamples ? update.Samples : 1;

    /// <summary>The most samples that an update may claim. Who trained on more claims these: a claim beyond them is not cut, it makes the update invalid.</summary>
    public long MostSamples => WeighsBySamples ? Math.Min(Work.MaxSamples, WeightCap) : Work.MaxSamples;

    private bool WeighsBySamples => Rule.Combining is AggregationRule.Mean(Weighting.Samples) or AggregationRule.FairMean(Weighting.Samples, _, _);

    /// <summary>The canonical bytes.</summary>
    /// <exception cref="InvalidOperationException">A value out of its bounds: nobody could read this policy.</exception>
    public byte[] ToBytes()
    {
        var bytes = CanonicalJson.Serialize(ToJson());
        try
        {
            Parse(bytes);
            return bytes;
        }
        catch (InvalidDataException e)
        {
            throw new InvalidOperationException($"No reader would accept this policy: {e.Message}", e);
        }
    }

    /// <summary>The text that <c>setPolicy</c> takes.</summary>
    public override string ToString() => System.Text.Encoding.UTF8.GetString(ToBytes());

    /// <exception cref="InvalidDataException">Too large, not canonical, or a field is missing, unknown or wrong; the message says which.</exception>
    public static Policy Parse(ReadOnlySpan<byte> bytes)
    {
        var fields = new JsonFields(CanonicalJson.Parse(bytes, MaxSize), "policy");
        fields.Constant("v", 1);
        var work = fields.Object("work");
        var policy = new Policy
        {
            Adapter = AdapterConfig.Parse(fields.Value("adapter")),
            BaseModel = fields.Hash("baseModel"),
            Encoding = UpdateEncodings.TryParse(fields.Text("encoding", 64), out var encoding)
                ? encoding
                : throw fields.Wrong("encoding", "\"int32\", \"int16\" or \"int8\""),
            PostQuantum = fields.Flag("postQuantum"),
            Rule = AggregationRule.Parse(fields.Value("rule")),
            Schedule = [.. fields.Texts("schedule", 1, MaxSchedule, 2).Select(text => text switch
            {
                "A" => Factors.A,
                "B" => Factors.B,
                "AB" => Factors.Both,
                _ => throw fields.Wrong("schedule", "an array of \"A\", \"B\" or \"AB\""),
            })],
            Seed = fields.Hash("seed"),
            WeightCap = fields.Integer("weightCap", 1, MaxWeight),
            Work = new LocalWork((int)work.Integer("maxSteps", 1, MaxStepsBound), work.Integer("maxSamples", 1, CanonicalJson.MaxInteger)),
        };
        work.Done();
        fields.Done();
        return policy;
    }

    public bool Equals(Policy? other) => other is not null && ToBytes().AsSpan().SequenceEqual(other.ToBytes());

    public override int GetHashCode() => HashCode.Combine(BaseModel, Adapter, Seed);

    private JsonValue ToJson() => JsonValue.Of(
        ("adapter", Adapter.ToJson()),
        ("baseModel", BaseModel),
        ("encoding", Encoding.Text()),
        ("postQuantum", PostQuantum),
        ("rule", Rule.ToJson()),
        ("schedule", JsonValue.Of(Schedule.Select(f => (JsonValue)(f == Factors.Both ? "AB" : f.ToString())))),
        ("seed", Seed),
        ("v", 1),
        ("weightCap", WeightCap),
        ("work", JsonValue.Of(("maxSamples", Work.MaxSamples), ("maxSteps", Work.MaxSteps))));
}

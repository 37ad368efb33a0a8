using System.Collections.Immutable;
using System.Security.Cryptography;
using FedChain.Protocol.Numerics;

namespace FedChain.Protocol.Files;

/// <summary>The shape of a federation's LoRA adapter. Peers with another one could not average with it; its digest is part of a model's identity.</summary>
public sealed record AdapterConfig
{
    public const int MaxRank = 1024;

    public const int MaxAlpha = 1 << 20;

    private const string What = "adapter configuration";

    /// <param name="rank">r, from 1 to <see cref="MaxRank"/>.</param>
    /// <param name="alpha">From 1 to <see cref="MaxAlpha"/>; the adapter's product B A is scaled by alpha / r, or by alpha / sqrt(r) with <paramref name="rsLora"/>.</param>
    /// <param name="targets">Names of the adapted linear layers, such as <c>q_proj</c>; kept sorted.</param>
    /// <param name="fractionBits">f of <see cref="FixedPoint"/>.</param>
    /// <param name="rsLora">Rank-stabilised scaling.</param>
    /// <exception cref="ArgumentException">A value out of range, no target, a target twice or with other characters than letters, digits and underscores.</exception>
    public AdapterConfig(int rank, int alpha, IEnumerable<string> targets, int fractionBits = FixedPoint.DefaultFractionBits, bool rsLora = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rank, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rank, MaxRank);
        ArgumentOutOfRangeException.ThrowIfLessThan(alpha, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(alpha, MaxAlpha);
        FixedPoint.RequireFractionBits(fractionBits);
        (Rank, Alpha, FractionBits, RsLora) = (rank, alpha, fractionBits, rsLora);
        Targets = [.. targets.Order(StringComparer.Ordinal)];
        if (Targets.IsEmpty || Targets.Distinct(StringComparer.Ordinal).Count() != Targets.Length
            || Targets.Any(t => t.Length is 0 or > 64 || !t.All(c => char.IsAsciiLetterOrDigit(c) || c == '_')))
        {
            throw new ArgumentException(
                $"Targets are distinct names of letters, digits and underscores, at least one; got '{string.Join(", ", Targets)}'.", nameof(targets));
        }
    }

    public int Rank { get; }

    public int Alpha { get; }

    /// <summary>Names of the adapted layers, sorted.</summary>
    public ImmutableArray<string> Targets { get; }

    public int FractionBits { get; }

    public bool RsLora { get; }

    /// <summary>What the product B A is multiplied with.</summary>
    public double Scale => RsLora ? Alpha / Math.Sqrt(Rank) : (double)Alpha / Rank;

    /// <summary>SHA-256 of the canonical JSON.</summary>
    public Hash256 Digest => new(SHA256.HashData(CanonicalJson.Serialize(ToJson())));

    public JsonValue ToJson() => JsonValue.Of(
        ("alpha", Alpha),
        ("bias", "none"),
        ("fractionBits", FractionBits),
        ("rank", Rank),
        ("rslora", RsLora),
        ("targets", JsonValue.Of(Targets.Select(t => (JsonValue)t))),
        ("v", 1));

    /// <exception cref="InvalidDataException">A field is missing, unknown or wrong; the message says which.</exception>
    public static AdapterConfig Parse(JsonValue json)
    {
        var fields = new JsonFields(json, What);
        fields.Constant("v", 1);
        fields.Constant("bias", "none");
        var rank = (int)fields.Integer("rank", 1, MaxRank);
        var alpha = (int)fields.Integer("alpha", 1, MaxAlpha);
        var fractionBits = (int)fields.Integer("fractionBits", FixedPoint.MinFractionBits, FixedPoint.MaxFractionBits);
        var rsLora = fields.Flag("rslora");
        var targets = fields.Texts("targets", 1, 64, 64);
        fields.Done();
        try
        {
            var config = new AdapterConfig(rank, alpha, targets, fractionBits, rsLora);
            return config.Targets.SequenceEqual(targets) ? config : throw fields.Wrong("targets", "sorted");
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"The {What} is refused: {e.Message}", e);
        }
    }

    public bool Equals(AdapterConfig? other) => other is not null && Digest == other.Digest;

    public override int GetHashCode() => Digest.GetHashCode();
}

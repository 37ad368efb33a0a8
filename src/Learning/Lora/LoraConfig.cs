using System.Collections.Immutable;

namespace FedChain.Learning.Lora;

/// <summary>Which linear layers carry a low-rank adapter, and of which size.</summary>
public sealed record LoraConfig
{
    /// <summary>The kinds of linear layers that can be targets, in the order of a layer's parts.</summary>
    public static readonly ImmutableArray<string> Kinds = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];

    /// <summary>r, at least 1: the adapter adds matrices of at most this rank.</summary>
    public required int Rank { get; init; }

    /// <summary>The adapter's output is scaled by alpha / r. Positive.</summary>
    public required double Alpha { get; init; }

    /// <summary>The kinds that carry an adapter, in every layer; some of <see cref="Kinds"/>, each once.</summary>
    public ImmutableArray<string> Targets { get; init; } = Kinds;

    /// <summary>s = alpha / r.</summary>
    public float Scale => (float)(Alpha / Rank);

    /// <summary>Checks the values against their ranges.</summary>
    /// <exception cref="ArgumentException">One is outside; the message says which.</exception>
    public static void Validate(LoraConfig config)
    {
        if (config.Rank is < 1 or > 4096)
        {
            throw new ArgumentException($"The LoRA rank must be from 1 to 4096; it is {config.Rank}.", nameof(config));
        }

        if (!(config.Alpha > 0) || !double.IsFinite(config.Alpha))
        {
            throw new ArgumentException($"The LoRA alpha must be positive; it is {config.Alpha}.", nameof(config));
        }

        var targets = config.Targets;
        if (targets.IsDefaultOrEmpty || targets.Distinct().Count() != targets.Length || targets.Any(t => !Kinds.Contains(t)))
        {
            throw new ArgumentException($"LoRA targets must be some of {string.Join(", ", Kinds)}, each once; they are {(targets.IsDefault ? "missing" : string.Join(", ", targets))}.", nameof(config));
        }
    }

    public bool Equals(LoraConfig? other) =>
        other is not null && Rank == other.Rank && Alpha == other.Alpha && Targets.Order().SequenceEqual(other.Targets.Order());

    public override int GetHashCode() => HashCode.Combine(Rank, Alpha, Targets.Length);
}

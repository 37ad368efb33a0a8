using System.Globalization;

namespace FedChain.Protocol.Numerics;

/// <summary>A loss per token in millionths of a nat: an integer, so that it is the same wherever it is compared. From 0 to 2^53 - 1.</summary>
public readonly record struct Micronats : IComparable<Micronats>
{
    /// <summary>The largest that JSON can carry exactly.</summary>
    public const long MaxValue = (1L << 53) - 1;

    /// <exception cref="ArgumentOutOfRangeException">Negative, or beyond <see cref="MaxValue"/>.</exception>
    public Micronats(long value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, MaxValue);
        Value = value;
    }

    public long Value { get; }

    /// <summary>The loss in nats per token, as a training framework reports it.</summary>
    public double Nats => Value / 1e6;

    /// <summary>Rounds a loss in nats per token, halves to the even millionth.</summary>
    /// <exception cref="ArgumentOutOfRangeException">NaN, negative, or too large.</exception>
    public static Micronats FromNats(double nats)
    {
        var millionths = Math.Round(nats * 1e6, MidpointRounding.ToEven);
        return millionths is >= 0 and <= MaxValue
            ? new Micronats((long)millionths)
            : throw new ArgumentOutOfRangeException(nameof(nats), nats, "A loss is a number of nats from 0 to about 9e9.");
    }

    public int CompareTo(Micronats other) => Value.CompareTo(other.Value);

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}

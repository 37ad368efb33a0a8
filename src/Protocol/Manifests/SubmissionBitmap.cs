using System.Collections.Immutable;

namespace FedChain.Protocol.Manifests;

/// <summary>
/// Some of a round's submissions: bit i of byte i / 8, least significant first, is submission index i. How many submissions the round has is
/// known from the chain only, so a bitmap from elsewhere must be held against that number with <see cref="IsOf"/> before it is used.
/// </summary>
public readonly struct SubmissionBitmap : IEquatable<SubmissionBitmap>
{
    /// <summary>The most bytes that are read: rounds of 65,536 submissions.</summary>
    public const int MaxBytes = 8192;

    private readonly ImmutableArray<byte> _bytes;

    /// <exception cref="ArgumentException">More than <see cref="MaxBytes"/> bytes.</exception>
    public SubmissionBitmap(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > MaxBytes)
        {
            throw new ArgumentException($"A bitmap has at most {MaxBytes} bytes; got {bytes.Length}.", nameof(bytes));
        }

        _bytes = [.. bytes];
    }

    /// <summary>The bitmap of these indices in a round of <paramref name="submissions"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An index that the round doesn't have.</exception>
    public static SubmissionBitmap Of(int submissions, IEnumerable<int> indices)
    {
        var bytes = new byte[(submissions + 7) / 8];
        foreach (var i in indices)
        {
            if (i < 0 || i >= submissions)
            {
                throw new ArgumentOutOfRangeException(nameof(indices), i, $"The round has submissions 0 to {submissions - 1}.");
            }

            bytes[i / 8] |= (byte)(1 << (i % 8));
        }

        return new SubmissionBitmap(bytes);
    }

    /// <summary>All submissions of a round.</summary>
    public static SubmissionBitmap All(int submissions) => Of(submissions, Enumerable.Range(0, submissions));

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan();

    /// <summary>How many submissions it names.</summary>
    public int Count => Bytes.ToArray().Sum(b => byte.PopCount(b));

    /// <summary>Whether it names submission <paramref name="index"/>.</summary>
    public bool this[int index] => index >= 0 && index / 8 < Bytes.Length && (Bytes[index / 8] >> (index % 8) & 1) != 0;

    /// <summary>Whether it is a bitmap of a round of that many submissions: as many bytes as those need, and no bit beyond.</summary>
    public bool IsOf(int submissions) =>
        Bytes.Length == (submissions + 7) / 8 && (submissions % 8 == 0 || Bytes[^1] >> (submissions % 8) == 0);

    /// <summary>The submissions' indices, ascending.</summary>
    public ImmutableArray<int> Indices
    {
        get
        {
            var self = this;
            return [.. Enumerable.Range(0, 8 * Bytes.Length).Where(i => self[i])];
        }
    }

    public static bool operator ==(SubmissionBitmap x, SubmissionBitmap y) => x.Equals(y);

    public static bool operator !=(SubmissionBitmap x, SubmissionBitmap y) => !x.Equals(y);

    public bool Equals(SubmissionBitmap other) => Bytes.SequenceEqual(other.Bytes);

    public override bool Equals(object? obj) => obj is SubmissionBitmap other && Equals(other);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(Bytes);
        return hash.ToHashCode();
    }

    public override string ToString() => Hex.Encode(Bytes);
}

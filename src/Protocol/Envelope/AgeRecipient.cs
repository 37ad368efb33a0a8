using System.Diagnostics.CodeAnalysis;
using Org.BouncyCastle.Math.EC.Rfc7748;

namespace FedChain.Protocol.Envelope;

/// <summary>
/// A public key that files are sealed to: X25519, written as Bech32 <c>age1…</c> (62 characters, lowercase).
/// A value of this type is never of low order, so sealing to it can't fail.
/// </summary>
public sealed class AgeRecipient : IEquatable<AgeRecipient>
{
    private const string Hrp = "age";
    private const string PostQuantumPrefix = "age1pq1";

    private readonly Hash256 _point; // 32 bytes with value equality

    private AgeRecipient(Hash256 point) => _point = point;

    /// <summary>The bytes that this recipient's stanza takes in a header.</summary>
    internal int StanzaSize => X25519Stanza.Size;

    /// <exception cref="FormatException">The text is no X25519 recipient, or one of low order; the message says which.</exception>
    public static AgeRecipient Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Read(text, out var recipient, out var problem) is null
            ? recipient!
            : throw new FormatException($"Expected an age recipient (age1…); got '{Shorten(text)}', but {problem}.");
    }

    public static bool TryParse(string? text, [NotNullWhen(true)] out AgeRecipient? recipient) => Read(text, out recipient, out _) is null;

    /// <returns>Why the text can't be sealed to, or null where <paramref name="recipient"/> is set.</returns>
    internal static RecipientRefusal? Read(string? text, out AgeRecipient? recipient) => Read(text, out recipient, out _);

    private static RecipientRefusal? Read(string? text, out AgeRecipient? recipient, out string? problem)
    {
        Span<byte> point = stackalloc byte[AgeFormat.KeySize];
        recipient = null;
        if (text?.StartsWith(PostQuantumPrefix, StringComparison.Ordinal) == true)
        {
            problem = "it is a post-quantum recipient, and only X25519 ones are used here";
            return RecipientRefusal.PostQuantum;
        }

        problem = text is null ? "there is no text" : Bech32.TryDecode(text, Hrp, point);
        if (problem is not null)
        {
            return RecipientRefusal.Unparsable;
        }

        if (IsLowOrder(point))
        {
            problem = "it is a point of low order, and nothing sealed to it would be secret";
            return RecipientRefusal.LowOrder;
        }

        recipient = new AgeRecipient(new Hash256(point));
        return null;
    }

    internal static AgeRecipient FromSecret(ReadOnlySpan<byte> secret)
    {
        Span<byte> point = stackalloc byte[AgeFormat.KeySize];
        X25519.ScalarMultBase(secret, point);
        return new AgeRecipient(new Hash256(point));
    }

    internal void CopyTo(Span<byte> destination) => _point.CopyTo(destination);

    public bool Equals(AgeRecipient? other) => other is not null && _point == other._point;

    public override bool Equals(object? obj) => Equals(obj as AgeRecipient);

    public override int GetHashCode() => _point.GetHashCode();

    public override string ToString() => Bech32.Encode(Hrp, _point.ToArray());

    /// <summary>
    /// Every scalar of X25519 is a multiple of 8 (RFC 7748 section 5), so a point of low order gives zero with any scalar, and no other point does.
    /// </summary>
    private static bool IsLowOrder(ReadOnlySpan<byte> point)
    {
        Span<byte> scalar = stackalloc byte[AgeFormat.KeySize];
        Span<byte> product = stackalloc byte[AgeFormat.KeySize];
        scalar.Clear();
        return !X25519.CalculateAgreement(scalar, point, product);
    }

    internal static string Shorten(string? text) => text is null ? "" : text.Length <= 80 ? text : text[..77] + "...";
}

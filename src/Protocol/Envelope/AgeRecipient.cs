using System.Diagnostics.CodeAnalysis;
using Org.BouncyCastle.Math.EC.Rfc7748;

namespace FedChain.Protocol.Envelope;

/// <summary>
/// A public key that files are sealed to, written as Bech32 in lowercase: X25519 as <c>age1…</c> (62 characters), the post-quantum hybrid as
/// <c>age1pq1…</c> (1,959 characters). A value of this type is never of low order and its ML-KEM part is reduced, so sealing to it can't fail.
/// </summary>
public sealed class AgeRecipient : IEquatable<AgeRecipient>
{
    private const string X25519Hrp = "age";
    private const string HybridHrp = "age1pq";

    private readonly byte[] _key;

    private AgeRecipient(AgeKeyKind kind, ReadOnlySpan<byte> key) => (Kind, _key) = (kind, key.ToArray());

    public AgeKeyKind Kind { get; }

    /// <summary>The bytes that this recipient's stanza takes in a header.</summary>
    internal int StanzaSize => Kind == AgeKeyKind.X25519 ? X25519Stanza.Size : HybridStanza.Size;

    /// <summary>The public key as the Bech32 text has it: 32 bytes, or <see cref="HybridKem.PublicKeySize"/>.</summary>
    internal ReadOnlySpan<byte> Key => _key;

    /// <exception cref="FormatException">The text is no recipient of either kind, or one that must not be used; the message says which.</exception>
    public static AgeRecipient Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Read(text, out var recipient, out var problem) is null
            ? recipient!
            : throw new FormatException($"Expected an age recipient (age1…, or age1pq1… for a post-quantum one); got '{Shorten(text)}', but {problem}.");
    }

    public static bool TryParse(string? text, [NotNullWhen(true)] out AgeRecipient? recipient) => Read(text, out recipient, out _) is null;

    /// <returns>Why the text can't be sealed to, or null where <paramref name="recipient"/> is set.</returns>
    internal static RecipientRefusal? Read(string? text, out AgeRecipient? recipient) => Read(text, out recipient, out _);

    /// <param name="kind">The kind of the key.</param>
    /// <param name="key">Computed from a secret, so it needs no checks.</param>
    internal static AgeRecipient Of(AgeKeyKind kind, ReadOnlySpan<byte> key) => new(kind, key);

    internal AgeStanza Wrap(ReadOnlySpan<byte> fileKey, RandomFill random) =>
        Kind == AgeKeyKind.X25519 ? X25519Stanza.Wrap(fileKey, this, random) : HybridStanza.Wrap(fileKey, this, random);

    public bool Equals(AgeRecipient? other) => other is not null && _key.AsSpan().SequenceEqual(other._key);

    public override bool Equals(object? obj) => Equals(obj as AgeRecipient);

    public override int GetHashCode()
    {
        var hash = default(HashCode); // seeded at random, so that nobody's key can be made to collide
        hash.AddBytes(_key);
        return hash.ToHashCode();
    }

    public override string ToString() => Bech32.Encode(Kind == AgeKeyKind.X25519 ? X25519Hrp : HybridHrp, _key);

    internal static string Shorten(string? text) => text is null ? "" : text.Length <= 80 ? text : text[..77] + "...";

    private static RecipientRefusal? Read(string? text, out AgeRecipient? recipient, out string? problem)
    {
        recipient = null;
        var kind = text?.StartsWith(HybridHrp + "1", StringComparison.Ordinal) == true ? AgeKeyKind.MlKem768X25519 : AgeKeyKind.X25519;
        var isHybrid = kind == AgeKeyKind.MlKem768X25519;
        Span<byte> key = stackalloc byte[isHybrid ? HybridKem.PublicKeySize : AgeFormat.KeySize];
        problem = text is null ? "there is no text" : Bech32.TryDecode(text, isHybrid ? HybridHrp : X25519Hrp, key);
        if (problem is not null)
        {
            return RecipientRefusal.Unparsable;
        }

        if (IsLowOrder(isHybrid ? HybridKem.PointOf(key) : key))
        {
            problem = "its X25519 key is a point of low order, and nothing sealed to it would be secret";
            return RecipientRefusal.LowOrder;
        }

        if (isHybrid && !HybridKem.IsReduced(key))
        {
            problem = "its ML-KEM key has a coefficient of 3329 or more, which FIPS 203 forbids to use";
            return RecipientRefusal.NotReduced;
        }

        recipient = new AgeRecipient(kind, key);
        return null;
    }

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
}

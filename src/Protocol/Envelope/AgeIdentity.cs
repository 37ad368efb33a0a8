using System.Security.Cryptography;
using Org.BouncyCastle.Math.EC.Rfc7748;

namespace FedChain.Protocol.Envelope;

/// <summary>
/// A secret key that opens files, 32 bytes: X25519, written as Bech32 <c>AGE-SECRET-KEY-1…</c> (74 characters, uppercase), or the seed of a
/// post-quantum hybrid key, <c>AGE-SECRET-KEY-PQ-1…</c> (77 characters).
/// Disposing overwrites it. Only <see cref="ExportSecretKey"/> ever writes it out; <see cref="ToString"/> shows the recipient.
/// </summary>
public sealed class AgeIdentity : IDisposable
{
    private const string X25519Hrp = "AGE-SECRET-KEY-";
    private const string HybridHrp = "AGE-SECRET-KEY-PQ-";

    // Pinned: the collector must not leave copies behind where it compacts.
    private readonly byte[] _secret = GC.AllocateUninitializedArray<byte>(AgeFormat.KeySize, pinned: true);
    private readonly HybridKem.PrivateKey? _hybrid;
    private bool _disposed;

    private AgeIdentity(AgeKeyKind kind, ReadOnlySpan<byte> secret)
    {
        secret.CopyTo(_secret);
        if (kind == AgeKeyKind.MlKem768X25519)
        {
            _hybrid = new HybridKem.PrivateKey(secret);
            Recipient = AgeRecipient.Of(kind, _hybrid.PublicKey);
            return;
        }

        Span<byte> point = stackalloc byte[AgeFormat.KeySize];
        X25519.ScalarMultBase(secret, point);
        Recipient = AgeRecipient.Of(kind, point);
    }

    public AgeKeyKind Kind => Recipient.Kind;

    /// <summary>The public key that belongs to this identity.</summary>
    public AgeRecipient Recipient { get; }

    /// <exception cref="ObjectDisposedException">The secret has been overwritten.</exception>
    internal ReadOnlySpan<byte> Secret
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _secret;
        }
    }

    /// <summary>Makes a new identity from the operating system's randomness.</summary>
    public static AgeIdentity Generate(AgeKeyKind kind = AgeKeyKind.X25519) => Generate(kind, RandomNumberGenerator.Fill);

    internal static AgeIdentity Generate(AgeKeyKind kind, RandomFill random)
    {
        Span<byte> secret = stackalloc byte[AgeFormat.KeySize];
        random(secret);
        var identity = new AgeIdentity(kind, secret);
        CryptographicOperations.ZeroMemory(secret);
        return identity;
    }

    /// <summary>The X25519 identity of a given secret, such as one derived from a key in a keystore.</summary>
    /// <param name="secret">32 bytes, copied.</param>
    /// <exception cref="ArgumentException">Another length.</exception>
    public static AgeIdentity FromSecret(ReadOnlySpan<byte> secret) => secret.Length == AgeFormat.KeySize
        ? new AgeIdentity(AgeKeyKind.X25519, secret)
        : throw new ArgumentException($"An X25519 secret is {AgeFormat.KeySize} bytes; got {secret.Length}.", nameof(secret));

    /// <summary>The post-quantum hybrid identity of a given seed.</summary>
    /// <param name="seed">32 bytes, copied.</param>
    /// <exception cref="ArgumentException">Another length.</exception>
    public static AgeIdentity FromHybridSeed(ReadOnlySpan<byte> seed) => seed.Length == HybridKem.SeedSize
        ? new AgeIdentity(AgeKeyKind.MlKem768X25519, seed)
        : throw new ArgumentException($"The seed of a hybrid identity is {HybridKem.SeedSize} bytes; got {seed.Length}.", nameof(seed));

    /// <summary>Reads <c>AGE-SECRET-KEY-1…</c> or <c>AGE-SECRET-KEY-PQ-1…</c>. The text is the caller's to overwrite.</summary>
    /// <exception cref="FormatException">The text is anything else. The message never repeats it.</exception>
    public static AgeIdentity Parse(ReadOnlySpan<char> text)
    {
        var isHybrid = text.StartsWith(HybridHrp, StringComparison.Ordinal);
        Span<byte> secret = stackalloc byte[AgeFormat.KeySize];
        try
        {
            var problem = Bech32.TryDecode(text, isHybrid ? HybridHrp : X25519Hrp, secret);
            return problem is null
                ? new AgeIdentity(isHybrid ? AgeKeyKind.MlKem768X25519 : AgeKeyKind.X25519, secret)
                : throw new FormatException($"Expected an age identity (AGE-SECRET-KEY-1… or AGE-SECRET-KEY-PQ-1…), but {problem}.");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
    }

    /// <summary>Reads a key file as <c>age-keygen</c> writes it: an identity per line; empty lines and lines that start with # are skipped.</summary>
    /// <exception cref="FormatException">A line is anything else (the message gives its number, not its text), or there is no identity.</exception>
    public static IReadOnlyList<AgeIdentity> ParseKeyFile(ReadOnlySpan<char> text)
    {
        var identities = new List<AgeIdentity>();
        var number = 0;
        foreach (var line in text.EnumerateLines())
        {
            number++;
            if (line.IsWhiteSpace() || line[0] == '#')
            {
                continue;
            }

            try
            {
                identities.Add(Parse(line.Trim()));
            }
            catch (FormatException e)
            {
                identities.ForEach(i => i.Dispose());
                throw new FormatException($"Line {number} of the age key file: {e.Message}", e);
            }
        }

        return identities.Count > 0 ? identities : throw new FormatException("Expected an age key file with a line AGE-SECRET-KEY-…; found none.");
    }

    /// <summary>
    /// The secret as <c>AGE-SECRET-KEY-1…</c> or <c>AGE-SECRET-KEY-PQ-1…</c>, for a key file that <c>age -d -i</c> can read. Treat the result as the key itself.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The secret has been overwritten.</exception>
    public string ExportSecretKey() => Bech32.Encode(Kind == AgeKeyKind.X25519 ? X25519Hrp : HybridHrp, Secret);

    /// <returns>False where the stanza is of another kind or for somebody else.</returns>
    /// <exception cref="AgeException">Its share is of low order.</exception>
    /// <exception cref="ObjectDisposedException">The secret has been overwritten.</exception>
    internal bool TryUnwrap(AgeStanza stanza, Span<byte> fileKey)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return (stanza.Type, Kind) switch
        {
            (X25519Stanza.Type, AgeKeyKind.X25519) => X25519Stanza.TryUnwrap(stanza, this, fileKey),
            (HybridStanza.Type, AgeKeyKind.MlKem768X25519) => HybridStanza.TryUnwrap(stanza, _hybrid!, fileKey),
            _ => false,
        };
    }

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_secret);
        _hybrid?.Dispose();
        _disposed = true;
    }

    /// <summary>The recipient, marked as such; never the secret.</summary>
    public override string ToString() => $"identity of {Recipient}";
}

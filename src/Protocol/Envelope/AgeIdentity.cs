using System.Security.Cryptography;

namespace FedChain.Protocol.Envelope;

/// <summary>
/// A secret key that opens files: X25519, written as Bech32 <c>AGE-SECRET-KEY-1…</c> (74 characters, uppercase).
/// Disposing overwrites it. Only <see cref="ExportSecretKey"/> ever writes it out; <see cref="ToString"/> shows the recipient.
/// </summary>
public sealed class AgeIdentity : IDisposable
{
    private const string Hrp = "AGE-SECRET-KEY-";

    // Pinned: the collector must not leave copies behind where it compacts.
    private readonly byte[] _secret = GC.AllocateUninitializedArray<byte>(AgeFormat.KeySize, pinned: true);
    private bool _disposed;

    private AgeIdentity(ReadOnlySpan<byte> secret)
    {
        secret.CopyTo(_secret);
        Recipient = AgeRecipient.FromSecret(secret);
    }

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
    public static AgeIdentity Generate() => Generate(RandomNumberGenerator.Fill);

    internal static AgeIdentity Generate(RandomFill random)
    {
        Span<byte> secret = stackalloc byte[AgeFormat.KeySize];
        random(secret);
        var identity = new AgeIdentity(secret);
        CryptographicOperations.ZeroMemory(secret);
        return identity;
    }

    /// <summary>The identity of a given secret, such as one derived from a key in a keystore.</summary>
    /// <param name="secret">32 bytes, copied.</param>
    /// <exception cref="ArgumentException">Another length.</exception>
    public static AgeIdentity FromSecret(ReadOnlySpan<byte> secret) => secret.Length == AgeFormat.KeySize
        ? new AgeIdentity(secret)
        : throw new ArgumentException($"An X25519 secret is {AgeFormat.KeySize} bytes; got {secret.Length}.", nameof(secret));

    /// <summary>Reads <c>AGE-SECRET-KEY-1…</c>. The text is the caller's to overwrite.</summary>
    /// <exception cref="FormatException">The text is anything else. The message never repeats it.</exception>
    public static AgeIdentity Parse(ReadOnlySpan<char> text)
    {
        Span<byte> secret = stackalloc byte[AgeFormat.KeySize];
        try
        {
            var problem = Bech32.TryDecode(text, Hrp, secret);
            return problem is null
                ? new AgeIdentity(secret)
                : throw new FormatException($"Expected an age identity (AGE-SECRET-KEY-1…), but {problem}.");
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

        return identities.Count > 0 ? identities : throw new FormatException("Expected an age key file with a line AGE-SECRET-KEY-1…; found none.");
    }

    /// <summary>The secret as <c>AGE-SECRET-KEY-1…</c>, for a key file that <c>age -d -i</c> can read. Treat the result as the key itself.</summary>
    /// <exception cref="ObjectDisposedException">The secret has been overwritten.</exception>
    public string ExportSecretKey() => Bech32.Encode(Hrp, Secret);

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_secret);
        _disposed = true;
    }

    /// <summary>The recipient, marked as such; never the secret.</summary>
    public override string ToString() => $"identity of {Recipient}";
}

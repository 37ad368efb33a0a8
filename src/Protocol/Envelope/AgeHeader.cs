using System.Security.Cryptography;
using System.Text;

namespace FedChain.Protocol.Envelope;

/// <summary>
/// The textual header (c2sp.org/age, "Header"): a version line, stanzas, and
/// MAC = HMAC-SHA256(HKDF-SHA256(file key, no salt, "header"), header up to and including "---").
/// Only the one canonical text of a header is read, so the MAC can be computed over the bytes as they came.
/// </summary>
internal sealed class AgeHeader
{
    /// <summary>"--- ", 43 characters of base64, LF.</summary>
    public const int MacLineSize = 4 + 43 + 1;

    private const int Columns = 64;
    private const int BytesPerLine = 48;
    private const int MacSize = 32;

    private readonly byte[] _authenticated;
    private readonly byte[] _mac;

    private AgeHeader(List<AgeStanza> stanzas, byte[] authenticated, byte[] mac) => (Stanzas, _authenticated, _mac) = (stanzas, authenticated, mac);

    public static ReadOnlySpan<byte> VersionLine => "age-encryption.org/v1\n"u8;

    public IReadOnlyList<AgeStanza> Stanzas { get; }

    public static byte[] Encode(IEnumerable<AgeStanza> stanzas, ReadOnlySpan<byte> fileKey)
    {
        var text = new StringBuilder(Encoding.ASCII.GetString(VersionLine));
        foreach (var stanza in stanzas)
        {
            text.Append("-> ").AppendJoin(' ', stanza.Arguments.Prepend(stanza.Type)).Append('\n');
            var body = stanza.Body.AsSpan();
            for (; body.Length >= BytesPerLine; body = body[BytesPerLine..])
            {
                text.Append(CanonicalBase64.Encode(body[..BytesPerLine])).Append('\n');
            }

            text.Append(CanonicalBase64.Encode(body)).Append('\n'); // always shorter than a full line, if need be empty
        }

        var authenticated = Encoding.ASCII.GetBytes(text.Append("---").ToString());
        Span<byte> mac = stackalloc byte[MacSize];
        ComputeMac(fileKey, authenticated, mac);
        return [.. authenticated, .. Encoding.ASCII.GetBytes($" {CanonicalBase64.Encode(mac)}\n")];
    }

    /// <summary>Reads the header that <paramref name="bytes"/> begins with.</summary>
    /// <param name="bytes">The file from its first byte on.</param>
    /// <param name="size">The header's size; the payload follows.</param>
    /// <returns>Null where the header does not end within <paramref name="bytes"/>, and nothing is wrong so far.</returns>
    /// <exception cref="AgeException">No continuation could make this a header.</exception>
    public static AgeHeader? TryDecode(ReadOnlySpan<byte> bytes, out int size)
    {
        size = 0;
        var lines = new Lines(bytes);
        if (!lines.TryNext(out var line))
        {
            return VersionLine.StartsWith(bytes) ? null : throw NotAge(bytes);
        }

        if (!line.SequenceEqual(VersionLine[..^1]))
        {
            throw NotAge(line);
        }

        var stanzas = new List<AgeStanza>();
        for (var start = lines.Position; lines.TryNext(out line); start = lines.Position)
        {
            if (line.StartsWith("---"u8))
            {
                var mac = new byte[MacSize];
                if (line.Length < 4 || line[3] != ' ' || !CanonicalBase64.TryDecodeExactly(line[4..], mac))
                {
                    throw Malformed("its last line is not '--- ' and 32 bytes in canonical base64");
                }

                size = lines.Position;
                return stanzas.Count > 0
                    ? new AgeHeader(stanzas, bytes[..(start + 3)].ToArray(), mac)
                    : throw Malformed("it has no recipient stanza");
            }

            if (stanzas.Count == AgeFormat.MaxStanzas)
            {
                throw new AgeException(AgeFailure.HeaderTooLarge, $"The age header has more than {AgeFormat.MaxStanzas} recipient stanzas.");
            }

            var stanza = TryDecodeStanza(line, ref lines);
            if (stanza is null)
            {
                return null;
            }

            stanzas.Add(stanza);
        }

        return null;
    }

    /// <summary>Finds the stanza that one of the identities opens, and checks the header's MAC with the file key in it.</summary>
    /// <exception cref="AgeException">A stanza is malformed, none is for these identities, or the MAC does not match.</exception>
    public void Unwrap(IReadOnlyCollection<AgeIdentity> identities, Span<byte> fileKey)
    {
        if (PassphraseStanza() is not null)
        {
            throw new AgeException(AgeFailure.PassphraseSealed, "This age file is sealed with a passphrase (scrypt), not to a recipient; it is opened with that passphrase.");
        }

        foreach (var stanza in Stanzas)
        {
            Validate(stanza);
        }

        foreach (var stanza in Stanzas)
        {
            foreach (var identity in identities)
            {
                if (identity.TryUnwrap(stanza, fileKey))
                {
                    VerifyMac(fileKey);
                    return;
                }
            }
        }

        throw new AgeException(
            AgeFailure.NoMatchingIdentity,
            $"None of the {identities.Count} identities given opens this age file, which has {Stanzas.Count} recipients.");
    }

    /// <summary>Opens the one stanza of a file that is sealed with a passphrase, and checks the header's MAC.</summary>
    /// <exception cref="AgeException">There is no such stanza or another beside it, it is malformed, the passphrase is another, or the MAC does not match.</exception>
    public void Unwrap(AgePassphrase passphrase, Span<byte> fileKey)
    {
        var stanza = PassphraseStanza()
            ?? throw new AgeException(AgeFailure.NoMatchingIdentity, "This age file is sealed to recipients, not with a passphrase; it is opened with an identity (AGE-SECRET-KEY-…).");
        if (!ScryptStanza.TryUnwrap(stanza, passphrase, fileKey))
        {
            throw new AgeException(AgeFailure.NoMatchingIdentity, "The passphrase does not open this age file.");
        }

        VerifyMac(fileKey);
    }

    private AgeStanza? PassphraseStanza()
    {
        var stanza = Stanzas.FirstOrDefault(s => s.Type == ScryptStanza.Type);
        return stanza is null || Stanzas.Count == 1 ? stanza : throw Malformed("a passphrase stanza (scrypt) must be the only one, and stands beside others");
    }

    private static void Validate(AgeStanza stanza)
    {
        switch (stanza.Type)
        {
            case X25519Stanza.Type:
                X25519Stanza.Validate(stanza);
                break;
            case HybridStanza.Type:
                HybridStanza.Validate(stanza);
                break;
            default:
                break; // of a kind that is not known here, so left to those who know it
        }
    }

    private void VerifyMac(ReadOnlySpan<byte> fileKey)
    {
        Span<byte> mac = stackalloc byte[MacSize];
        ComputeMac(fileKey, _authenticated, mac);
        if (!CryptographicOperations.FixedTimeEquals(mac, _mac))
        {
            throw new AgeException(AgeFailure.HeaderMacMismatch, "The age header's MAC does not match: the header was changed after sealing.");
        }
    }

    private static AgeStanza? TryDecodeStanza(ReadOnlySpan<byte> line, ref Lines lines)
    {
        if (!line.StartsWith("-> "u8))
        {
            throw Malformed("a line that should start a recipient stanza ('-> ') or end the header ('--- ') does neither");
        }

        var arguments = new List<string>();
        foreach (var range in line[3..].Split((byte)' '))
        {
            var argument = line[3..][range];
            if (argument.IsEmpty || argument.ContainsAnyExceptInRange((byte)33, (byte)126))
            {
                throw Malformed("an argument of a recipient stanza is empty or has other characters than visible ASCII");
            }

            arguments.Add(Encoding.ASCII.GetString(argument));
        }

        var body = new List<byte>();
        Span<byte> decoded = stackalloc byte[BytesPerLine];
        while (lines.TryNext(out line))
        {
            if (line.Length > Columns || !CanonicalBase64.TryDecode(line, decoded, out var written))
            {
                throw Malformed($"a recipient stanza's body is not canonical base64 in lines of {Columns} characters");
            }

            body.AddRange(decoded[..written]);
            if (line.Length < Columns)
            {
                return new AgeStanza(arguments[0], arguments[1..], [.. body]);
            }
        }

        return null;
    }

    private static void ComputeMac(ReadOnlySpan<byte> fileKey, ReadOnlySpan<byte> authenticated, Span<byte> mac)
    {
        Span<byte> key = stackalloc byte[AgeFormat.KeySize];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, fileKey, key, salt: [], info: "header"u8);
        HMACSHA256.HashData(key, authenticated, mac);
        CryptographicOperations.ZeroMemory(key);
    }

    private static AgeException NotAge(ReadOnlySpan<byte> start)
    {
        var prefix = VersionLine[..^3];
        return start.StartsWith(prefix) && start.Length > prefix.Length && !start.ContainsAnyExceptInRange((byte)33, (byte)126)
            ? new AgeException(AgeFailure.UnsupportedVersion, $"Expected an age v1 file; this one's first line is '{AgeRecipient.Shorten(Encoding.ASCII.GetString(start))}'.")
            : new AgeException(AgeFailure.MalformedHeader, "Expected an age file, which starts with the line 'age-encryption.org/v1'; this one does not.");
    }

    private static AgeException Malformed(string problem) => new(AgeFailure.MalformedHeader, $"The age header is malformed: {problem}.");

    /// <summary>Lines as the format has them: ended by LF alone.</summary>
    private ref struct Lines(ReadOnlySpan<byte> bytes)
    {
        private readonly ReadOnlySpan<byte> _bytes = bytes;

        public int Position { get; private set; }

        public bool TryNext(out ReadOnlySpan<byte> line)
        {
            var rest = _bytes[Position..];
            var length = rest.IndexOf((byte)'\n');
            line = length < 0 ? [] : rest[..length];
            Position += length < 0 ? 0 : length + 1;
            return length >= 0;
        }
    }
}

using System.Security.Cryptography;

namespace FedChain.Protocol.Envelope;

/// <summary>
/// Bech32 after BIP 173 (checksum constant 1, not Bech32m), without its limit of 90 characters, as age uses it:
/// text = hrp "1" data checksum, where data is the payload in groups of 5 bits and
/// polymod(expand(hrp) | data | checksum) = 1 over GF(32).
/// </summary>
internal static class Bech32
{
    private const string Charset = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    private const int ChecksumLength = 6;

    /// <param name="hrp">The human-readable part; where it is uppercase, so is the result.</param>
    /// <param name="data">The payload.</param>
    public static string Encode(string hrp, ReadOnlySpan<byte> data)
    {
        var upper = hrp.Any(char.IsAsciiLetterUpper);
        var groups = new byte[((data.Length * 8) + 4) / 5];
        var text = new char[hrp.Length + 1 + groups.Length + ChecksumLength];
        try
        {
            ToGroups(data, groups);
            hrp.CopyTo(text);
            text[hrp.Length] = '1';
            var at = hrp.Length + 1;
            foreach (var group in groups)
            {
                text[at++] = Symbol(group, upper);
            }

            var checksum = Polymod(Polymod(Expand(hrp), groups), new byte[ChecksumLength]) ^ 1;
            for (var i = 0; i < ChecksumLength; i++)
            {
                text[at++] = Symbol((int)(checksum >> (5 * (ChecksumLength - 1 - i))) & 31, upper);
            }

            return new string(text);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(groups);
            Array.Clear(text);
        }
    }

    /// <summary>Reads a payload of exactly <paramref name="destination"/>'s length under exactly this human-readable part, case included.</summary>
    /// <returns>What is wrong, or null where all is well. Never repeats the text, which may be a secret.</returns>
    public static string? TryDecode(ReadOnlySpan<char> text, string hrp, Span<byte> destination)
    {
        destination.Clear();
        if (!text.StartsWith(hrp, StringComparison.Ordinal) || text.Length == hrp.Length || text[hrp.Length] != '1')
        {
            return $"it does not start with '{hrp}1'";
        }

        var symbols = text[(hrp.Length + 1)..];
        var groupCount = ((destination.Length * 8) + 4) / 5;
        if (symbols.Length != groupCount + ChecksumLength)
        {
            return $"it should have {hrp.Length + 1 + groupCount + ChecksumLength} characters and has {text.Length}";
        }

        var upper = hrp.Any(char.IsAsciiLetterUpper);
        var groups = new byte[symbols.Length];
        try
        {
            for (var i = 0; i < symbols.Length; i++)
            {
                var c = symbols[i];
                if (upper ? char.IsAsciiLetterLower(c) : char.IsAsciiLetterUpper(c))
                {
                    return "it mixes upper and lower case";
                }

                var value = Charset.IndexOf(char.ToLowerInvariant(c), StringComparison.Ordinal);
                if (value < 0)
                {
                    return $"character {hrp.Length + 2 + i} is not one that Bech32 uses";
                }

                groups[i] = (byte)value;
            }

            if (Polymod(Expand(hrp), groups) != 1)
            {
                return "its checksum does not match (a typing error?)";
            }

            return FromGroups(groups.AsSpan(0, groupCount), destination) ? null : "its padding bits are not zero";
        }
        finally
        {
            CryptographicOperations.ZeroMemory(groups);
        }
    }

    private static char Symbol(int value, bool upper) => upper ? char.ToUpperInvariant(Charset[value]) : Charset[value];

    private static void ToGroups(ReadOnlySpan<byte> bytes, Span<byte> groups)
    {
        uint bits = 0;
        var count = 0;
        var at = 0;
        foreach (var b in bytes)
        {
            bits = (bits << 8) | b;
            for (count += 8; count >= 5; count -= 5)
            {
                groups[at++] = (byte)((bits >> (count - 5)) & 31);
            }
        }

        if (count > 0)
        {
            groups[at] = (byte)((bits << (5 - count)) & 31);
        }
    }

    private static bool FromGroups(ReadOnlySpan<byte> groups, Span<byte> bytes)
    {
        uint bits = 0;
        var count = 0;
        var at = 0;
        foreach (var group in groups)
        {
            bits = (bits << 5) | group;
            count += 5;
            if (count >= 8)
            {
                count -= 8;
                bytes[at++] = (byte)(bits >> count);
            }
        }

        return (bits & ((1u << count) - 1)) == 0;
    }

    private static uint Expand(string hrp)
    {
        var state = 1u;
        foreach (var c in hrp)
        {
            state = Step(state, char.ToLowerInvariant(c) >> 5);
        }

        state = Step(state, 0);
        foreach (var c in hrp)
        {
            state = Step(state, char.ToLowerInvariant(c) & 31);
        }

        return state;
    }

    private static uint Polymod(uint state, ReadOnlySpan<byte> groups)
    {
        foreach (var group in groups)
        {
            state = Step(state, group);
        }

        return state;
    }

    private static uint Step(uint state, int value)
    {
        ReadOnlySpan<uint> generator = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
        var top = state >> 25;
        state = ((state & 0x1ffffff) << 5) ^ (uint)value;
        for (var i = 0; i < generator.Length; i++)
        {
            state ^= ((top >> i) & 1) == 0 ? 0 : generator[i];
        }

        return state;
    }
}

using System.Numerics;

namespace FedChain.Protocol.Ethereum;

/// <summary>Spellings of an address for people: the case checksum (EIP-55) and ICAP (an IBAN with country code XE).</summary>
public static class AddressText
{
    private const string Base36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    /// <summary>EIP-55: a letter is upper case where the matching hex digit of the Keccak-256 of the lower-case text is 8 or more.</summary>
    public static string ToChecksum(this Address address)
    {
        var text = address.ToString().ToCharArray();
        var hash = Keccak256.Hash(new string(text, 2, text.Length - 2)).ToArray();
        for (var i = 0; i < 2 * Address.Size; i++)
        {
            var nibble = i % 2 == 0 ? hash[i / 2] >> 4 : hash[i / 2] & 15;
            if (nibble >= 8)
            {
                text[i + 2] = char.ToUpperInvariant(text[i + 2]);
            }
        }

        return new string(text);
    }

    /// <summary>Reads an address that a person typed: all lower case, all upper case, or with a correct checksum.</summary>
    /// <exception cref="FormatException">Not an address, or its checksum is wrong: most likely a typing error.</exception>
    public static Address ParseChecked(string text)
    {
        var address = Address.Parse(text);
        var digits = text.AsSpan(2);
        var mixed = digits.ContainsAnyInRange('a', 'f') && digits.ContainsAnyInRange('A', 'F');
        return !mixed || address.ToChecksum() == text
            ? address
            : throw new FormatException($"The checksum of address '{text}' is wrong: it was mistyped. Its digits would be written {address.ToChecksum()}.");
    }

    /// <summary>XE, two check digits (ISO 7064, 97 less the remainder of 97), and the address in base 36.</summary>
    public static string ToIcap(this Address address)
    {
        var rest = new BigInteger(address.ToArray(), isUnsigned: true, isBigEndian: true);
        var digits = new Stack<char>();
        for (; rest > 0; rest /= 36)
        {
            digits.Push(Base36[(int)(rest % 36)]);
        }

        var body = new string([.. digits]).PadLeft(30, '0');
        var remainder = BigInteger.Zero;
        foreach (var c in body + "XE00")
        {
            var value = Base36.IndexOf(c);
            remainder = ((remainder * (value < 10 ? 10 : 100)) + value) % 97;
        }

        return $"XE{98 - (int)remainder:00}{body}";
    }
}

using System.Globalization;
using System.Numerics;

namespace FedChain.Protocol.Ethereum;

/// <summary>Amounts for people: decimal text in a unit of 10^decimals wei (ether 18, gwei 9). Exact; nothing is rounded.</summary>
public static class EtherAmount
{
    public const int Ether = 18;

    public const int Gwei = 9;

    /// <summary>Digits with at most one point and an optional minus sign, e.g. "1.5", ".1", "-2".</summary>
    /// <exception cref="FormatException">Anything else, or digits below one wei.</exception>
    public static BigInteger Parse(string text, int decimals)
    {
        ArgumentNullException.ThrowIfNull(text);
        var digits = text.StartsWith('-') ? text[1..] : text;
        var point = digits.IndexOf('.', StringComparison.Ordinal);
        var whole = point < 0 ? digits : digits[..point];
        var fraction = point < 0 ? "" : digits[(point + 1)..].TrimEnd('0');
        if (text.Length > 100 || digits.Length == 0 || digits == "." || !digits.All(c => c == '.' || char.IsAsciiDigit(c)) || fraction.Contains('.', StringComparison.Ordinal))
        {
            throw new FormatException($"Expected an amount such as 1.5; got '{(text.Length <= 40 ? text : text[..37] + "...")}'.");
        }

        if (fraction.Length > decimals)
        {
            throw new FormatException($"The amount '{text}' has more than {decimals} decimals: the rest is below one wei.");
        }

        var wei = BigInteger.Parse("0" + whole + fraction.PadRight(decimals, '0'), NumberStyles.None, CultureInfo.InvariantCulture);
        return text.StartsWith('-') ? -wei : wei;
    }

    /// <summary>The shortest text with at least one decimal, e.g. "1.0", "-0.1"; of whole wei (no decimals) the bare integer.</summary>
    public static string Format(BigInteger wei, int decimals)
    {
        var digits = BigInteger.Abs(wei).ToString(CultureInfo.InvariantCulture).PadLeft(decimals + 1, '0');
        var sign = wei.Sign < 0 ? "-" : "";
        if (decimals == 0)
        {
            return sign + digits;
        }

        var fraction = digits[^decimals..].TrimEnd('0');
        return $"{sign}{digits[..^decimals]}.{(fraction.Length == 0 ? "0" : fraction)}";
    }
}

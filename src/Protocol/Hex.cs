namespace FedChain.Protocol;

/// <summary>Hexadecimal with the 0x prefix that Ethereum's JSON uses; written in lowercase, read in either case.</summary>
public static class Hex
{
    public static string Encode(ReadOnlySpan<byte> bytes) => "0x" + Convert.ToHexStringLower(bytes);

    /// <exception cref="FormatException">No 0x prefix, an odd number of digits, or another character than a hex digit.</exception>
    public static byte[] Decode(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (!text.StartsWith("0x", StringComparison.Ordinal))
        {
            throw new FormatException($"Expected hex that starts with 0x; got '{Shorten(text)}'.");
        }

        try
        {
            return Convert.FromHexString(text.AsSpan(2));
        }
        catch (FormatException e)
        {
            throw new FormatException($"Expected 0x and an even number of hex digits; got '{Shorten(text)}'.", e);
        }
    }

    internal static byte[] DecodeFixed(string text, int size, string what)
    {
        ArgumentNullException.ThrowIfNull(text);
        var bytes = new byte[size];
        return TryDecodeFixed(text, bytes)
            ? bytes
            : throw new FormatException($"A {what} is written as 0x and {2 * size} hex digits; got '{Shorten(text)}'.");
    }

    internal static bool TryDecodeFixed(string? text, Span<byte> destination) =>
        text is not null && text.Length == 2 + (2 * destination.Length) && text.StartsWith("0x", StringComparison.Ordinal)
        && Convert.FromHexString(text.AsSpan(2), destination, out _, out _) == System.Buffers.OperationStatus.Done;

    private static string Shorten(string text) => text.Length <= 80 ? text : text[..77] + "...";
}

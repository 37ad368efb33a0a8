using System.Buffers;
using System.Buffers.Text;
using SimpleBase;

namespace FedChain.Protocol.Content;

/// <summary>
/// Text without its multibase prefix to bytes and back. The decoders underneath overlook case, padding or left-over bits; here a text counts
/// only if encoding its bytes gives the same text again, so that one value has one spelling in each base.
/// </summary>
internal static class Multibase
{
    private static readonly SearchValues<char> Characters =
        SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+/-_");

    public static string Encode(CidBase @base, ReadOnlySpan<byte> bytes) => @base switch
    {
        CidBase.Base16 => Convert.ToHexStringLower(bytes),
        CidBase.Base16Upper => Convert.ToHexString(bytes),
        CidBase.Base32 => Base32.Rfc4648.Encode(bytes).ToLowerInvariant(),
        CidBase.Base32Upper => Base32.Rfc4648.Encode(bytes),
        CidBase.Base36 => Base36.LowerCase.Encode(bytes),
        CidBase.Base36Upper => Base36.UpperCase.Encode(bytes),
        CidBase.Base58Btc => Base58.Bitcoin.Encode(bytes),
        CidBase.Base64 => Convert.ToBase64String(bytes).TrimEnd('='),
        CidBase.Base64Url => Base64Url.EncodeToString(bytes),
        _ => throw new ArgumentOutOfRangeException(nameof(@base), @base, "An encoding that CIDs aren't written in."),
    };

    /// <summary>False for an unknown prefix and for every text that <see cref="Encode"/> would not write.</summary>
    public static bool TryDecode(char prefix, ReadOnlySpan<char> text, out byte[] bytes)
    {
        bytes = [];
        if (text.ContainsAnyExcept(Characters)) // SimpleBase looks characters up in tables that end after z
        {
            return false;
        }

        var @base = (CidBase)prefix;
        Span<byte> buffer = new byte[text.Length + 4];
        int length;
        var decoded = @base switch
        {
            CidBase.Base16 or CidBase.Base16Upper => Convert.FromHexString(text, buffer, out _, out length) == OperationStatus.Done,
            CidBase.Base32 or CidBase.Base32Upper => Base32.Rfc4648.TryDecode(text, buffer, out length),
            CidBase.Base36 => Base36.LowerCase.TryDecode(text, buffer, out length),
            CidBase.Base36Upper => Base36.UpperCase.TryDecode(text, buffer, out length),
            CidBase.Base58Btc => Base58.Bitcoin.TryDecode(text, buffer, out length),
            CidBase.Base64 => Convert.TryFromBase64String(string.Concat(text, "====".AsSpan(0, (4 - (text.Length % 4)) % 4)), buffer, out length),
            CidBase.Base64Url => TryDecodeBase64Url(text, buffer, out length),
            _ => Refuse(out length),
        };
        if (!decoded)
        {
            return false;
        }

        bytes = buffer[..length].ToArray();
        return text.SequenceEqual(Encode(@base, bytes));
    }

    private static bool TryDecodeBase64Url(ReadOnlySpan<char> text, Span<byte> buffer, out int length)
    {
        length = 0;
        return Base64Url.IsValid(text) && Base64Url.TryDecodeFromChars(text, buffer, out length);
    }

    private static bool Refuse(out int length)
    {
        length = 0;
        return false;
    }
}

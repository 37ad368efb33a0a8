using System.Buffers;
using System.Buffers.Text;

namespace FedChain.Protocol.Envelope;

/// <summary>
/// RFC 4648 section 4 without padding, canonical only: exactly one text per value, so that a header can't be changed without changing
/// what it says. .NET's decoders skip white space and ignore stray trailing bits, hence the checks before and after them.
/// </summary>
internal static class CanonicalBase64
{
    private static readonly SearchValues<byte> Alphabet =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"u8);

    public static int EncodedSize(int size) => ((size * 4) + 2) / 3;

    /// <summary>The size of what a text of this length stands for; meaningless where the length leaves 1 modulo 4.</summary>
    public static int DecodedSize(int length) => (int)((long)length * 3 / 4);

    public static string Encode(ReadOnlySpan<byte> bytes) => Convert.ToBase64String(bytes).TrimEnd('=');

    /// <summary>Decodes into <paramref name="destination"/>, which has room for at least <see cref="DecodedSize"/> bytes.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> text, Span<byte> destination, out int written)
    {
        written = 0;
        if (text.Length % 4 == 1 || text.ContainsAnyExcept(Alphabet))
        {
            return false;
        }

        var whole = text.Length & ~3;
        if (Base64.DecodeFromUtf8(text[..whole], destination, out _, out written) != OperationStatus.Done)
        {
            return false;
        }

        if (whole == text.Length)
        {
            return true;
        }

        Span<byte> quad = [(byte)'A', (byte)'A', (byte)'A', (byte)'A'];
        text[whole..].CopyTo(quad);
        Span<byte> tail = stackalloc byte[3];
        var kept = text.Length - whole - 1;
        if (Base64.DecodeFromUtf8(quad, tail, out _, out _) != OperationStatus.Done || tail[kept..].ContainsAnyExcept((byte)0))
        {
            return false; // bits after the last byte must be zero
        }

        tail[..kept].CopyTo(destination[written..]);
        written += kept;
        return true;
    }

    /// <summary>Decodes text that must stand for exactly as many bytes as <paramref name="destination"/> has.</summary>
    public static bool TryDecodeExactly(ReadOnlySpan<byte> text, Span<byte> destination) =>
        text.Length == EncodedSize(destination.Length) && TryDecode(text, destination, out var written) && written == destination.Length;
}

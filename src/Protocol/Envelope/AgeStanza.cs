using System.Text;

namespace FedChain.Protocol.Envelope;

/// <summary>One recipient's entry in a header: the file key, wrapped. Types that are not known are kept out of the way, as the format demands.</summary>
/// <param name="Type">The first argument; case matters.</param>
/// <param name="Arguments">The arguments after the type, each of one or more visible ASCII characters.</param>
/// <param name="Body">What the base64 lines stand for; may be empty.</param>
internal sealed record AgeStanza(string Type, IReadOnlyList<string> Arguments, byte[] Body)
{
    /// <summary>Decodes the first argument, which must stand for exactly as many bytes as <paramref name="value"/> has.</summary>
    public bool TryReadFirstArgument(Span<byte> value)
    {
        var size = CanonicalBase64.EncodedSize(value.Length);
        return Arguments.Count > 0 && Arguments[0].Length == size && CanonicalBase64.TryDecodeExactly(Encoding.ASCII.GetBytes(Arguments[0]), value);
    }
}

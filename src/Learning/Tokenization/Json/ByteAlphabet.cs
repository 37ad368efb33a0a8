// GPT-2's bytes as visible characters: printable Latin-1 stands for itself, the 68 others for U+0100 and on, in order.
// Source: Radford et al. 2019, encoder.py, bytes_to_unicode.
using System.Collections.Frozen;
using System.Text;

namespace FedChain.Learning.Tokenization.Json;

internal static class ByteAlphabet
{
    private static readonly char[] Characters = Build();
    private static readonly FrozenDictionary<char, byte> Bytes = Characters.Select((c, b) => (c, b)).ToFrozenDictionary(p => p.c, p => (byte)p.b);

    public static string Write(string text) =>
        string.Create(Encoding.UTF8.GetByteCount(text), text, (characters, source) =>
        {
            var at = 0;
            foreach (var b in Encoding.UTF8.GetBytes(source))
            {
                characters[at++] = Characters[b];
            }
        });

    /// <summary>The bytes that a token stands for; its own UTF-8 where it isn't written in this alphabet, as added tokens may be.</summary>
    public static byte[] Read(string token)
    {
        var bytes = new byte[token.Length];
        for (var i = 0; i < bytes.Length; i++)
        {
            if (!Bytes.TryGetValue(token[i], out bytes[i]))
            {
                return Encoding.UTF8.GetBytes(token);
            }
        }

        return bytes;
    }

    private static char[] Build()
    {
        var next = 0x100;
        return [.. Enumerable.Range(0, 256).Select(b => b is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or >= 0xAE ? (char)b : (char)next++)];
    }
}

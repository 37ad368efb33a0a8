using System.Globalization;
using System.Text;
using System.Text.Json;

namespace FedChain.Learning.Tokenization.Json;

/// <summary>The bytes of a text from its tokens.</summary>
/// <param name="tokens">As the vocabulary writes them.</param>
/// <param name="atStart">Whether the text begins with the first.</param>
internal delegate byte[] TokenDecoder(List<string> tokens, bool atStart);

/// <summary><c>decoder</c>.</summary>
internal static class TokenDecoders
{
    private const string Part = "decoder";

    private delegate IEnumerable<string> Step(IEnumerable<string> tokens, bool atStart);

    /// <exception cref="InvalidDataException">A kind that isn't reproduced here; the message names it.</exception>
    public static TokenDecoder Read(JsonElement? part)
    {
        if (part is not { } decoder)
        {
            throw new InvalidDataException("The tokenizer has no decoder; expected ByteLevel, Metaspace or a Sequence.");
        }

        if (Parts.Type(decoder, Part) == "ByteLevel")
        {
            return (tokens, _) => [.. tokens.SelectMany(ByteAlphabet.Read)];
        }

        var steps = Parts.Type(decoder, Part) == "Sequence"
            ? Parts.Needed(decoder, Part, "decoders").EnumerateArray().Select(StepOf).ToArray()
            : [StepOf(decoder)];
        return (tokens, atStart) => Encoding.UTF8.GetBytes(string.Concat(steps.Aggregate((IEnumerable<string>)tokens, (t, step) => step(t, atStart))));
    }

    private static Step StepOf(JsonElement decoder)
    {
        switch (Parts.Type(decoder, Part))
        {
            case "Fuse":
                return (tokens, _) => [string.Concat(tokens)];
            case "ByteFallback":
                return (tokens, _) => Bytes(tokens);
            case "Replace" when Parts.Optional(Parts.Needed(decoder, Part, "pattern"), "String") is { ValueKind: JsonValueKind.String } literal && literal.GetString()!.Length > 0:
                var (old, replacement) = (literal.GetString()!, Parts.Text(decoder, Part, "content"));
                return (tokens, _) => tokens.Select(t => t.Replace(old, replacement, StringComparison.Ordinal));
            case "Strip":
                var content = Parts.Text(decoder, Part, "content");
                var (left, right) = (Parts.Needed(decoder, Part, "start").GetInt32(), Parts.Needed(decoder, Part, "stop").GetInt32());
                return (tokens, atStart) => tokens.Select(t => Stripped(t, content, atStart ? left : 0, right));
            case "Metaspace":
                var space = Parts.Text(decoder, Part, "replacement");
                var prefix = Parts.Optional(decoder, "prepend_scheme") is { } scheme ? scheme.GetString() != "never" : Parts.Flag(decoder, Part, "add_prefix_space", missing: true);
                return (tokens, atStart) => tokens.Select((t, i) => t.Replace(space, i == 0 && atStart && prefix ? "" : " ", StringComparison.Ordinal));
            default:
                throw Parts.Unsupported(decoder, Part, Parts.Type(decoder, Part) == "Replace" ? "pattern" : "type");
        }
    }

    /// <summary>Runs of tokens such as &lt;0x0A&gt; become the characters that their bytes are; a run that is no UTF-8, one U+FFFD per byte.</summary>
    private static IEnumerable<string> Bytes(IEnumerable<string> tokens)
    {
        var strict = new UTF8Encoding(false, throwOnInvalidBytes: true);
        var run = new List<byte>();
        foreach (var token in tokens.Append(null))
        {
            if (token is { Length: 6 } && token.StartsWith("<0x", StringComparison.Ordinal) && token[5] == '>'
                && byte.TryParse(token.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
            {
                run.Add(value);
                continue;
            }

            if (run.Count > 0)
            {
                string text;
                try
                {
                    text = strict.GetString([.. run]);
                }
                catch (DecoderFallbackException)
                {
                    text = new string('\uFFFD', run.Count);
                }

                run.Clear();
                yield return text;
            }

            if (token is not null)
            {
                yield return token;
            }
        }
    }

    private static string Stripped(string token, string content, int left, int right)
    {
        for (; left > 0 && token.StartsWith(content, StringComparison.Ordinal); left--)
        {
            token = token[content.Length..];
        }

        for (; right > 0 && token.EndsWith(content, StringComparison.Ordinal); right--)
        {
            token = token[..^content.Length];
        }

        return token;
    }
}

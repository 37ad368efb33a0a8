using System.Text.Json;

namespace FedChain.Learning.Tokenization.Json;

/// <summary>What is done to a text before it is cut: <c>normalizer</c>.</summary>
internal static class Normalizers
{
    private const string Part = "normalizer";

    /// <exception cref="InvalidDataException">A kind that isn't reproduced here; the message names it.</exception>
    public static Func<string, string> Read(JsonElement? part)
    {
        if (part is not { } normalizer)
        {
            return text => text;
        }

        switch (Parts.Type(normalizer, Part))
        {
            case "NFC":
                return CanonicalForm.Compose;
            case "NFD":
                return CanonicalForm.Decompose;
            case "Prepend":
                var prefix = Parts.Text(normalizer, Part, "prepend");
                return text => text.Length == 0 ? text : prefix + text;
            case "Replace" when Parts.Optional(Parts.Needed(normalizer, Part, "pattern"), "String") is { ValueKind: JsonValueKind.String } literal && literal.GetString()!.Length > 0:
                var (old, replacement) = (literal.GetString()!, Parts.Text(normalizer, Part, "content"));
                return text => text.Replace(old, replacement, StringComparison.Ordinal);
            case "Sequence":
                var steps = Parts.Needed(normalizer, Part, "normalizers").EnumerateArray().Select(n => Read(n)).ToArray();
                return text => steps.Aggregate(text, (t, step) => step(t));
            default:
                throw Parts.Unsupported(normalizer, Part, Parts.Type(normalizer, Part) == "Replace" ? "pattern" : "type");
        }
    }
}

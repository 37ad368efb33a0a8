using System.Text.Json;

namespace FedChain.Learning.Tokenization.Json;

/// <summary>What is put before and after a single text: <c>post_processor</c>.</summary>
internal static class Templates
{
    private const string Part = "post_processor";

    /// <exception cref="InvalidDataException">A kind that isn't reproduced here; the message names it.</exception>
    public static (int[] Before, int[] After) Read(JsonElement? part)
    {
        if (part is not { } processor)
        {
            return ([], []);
        }

        switch (Parts.Type(processor, Part))
        {
            case "ByteLevel": // moves offsets, which nobody asks for here
                return ([], []);
            case "Sequence":
                return Parts.Needed(processor, Part, "processors").EnumerateArray().Select(p => Read(p))
                    .Aggregate((Before: Array.Empty<int>(), After: Array.Empty<int>()), (all, one) => ([.. one.Before, .. all.Before], [.. all.After, .. one.After]));
            case "TemplateProcessing":
                return Template(processor);
            default:
                throw Parts.Unsupported(processor, Part, "type");
        }
    }

    private static (int[] Before, int[] After) Template(JsonElement processor)
    {
        var tokens = Parts.Needed(processor, Part, "special_tokens");
        List<int> before = [], after = [];
        var side = before;
        foreach (var item in Parts.Needed(processor, Part, "single").EnumerateArray())
        {
            if (Parts.Optional(item, "SpecialToken") is { } special)
            {
                side.AddRange(Parts.Needed(Parts.Needed(tokens, Part, Parts.Text(special, Part, "id")), Part, "ids").EnumerateArray().Select(id => id.GetInt32()));
            }
            else if (Parts.Optional(item, "Sequence") is { } sequence && Parts.Text(sequence, Part, "id") == "A" && side == before)
            {
                side = after;
            }
            else
            {
                throw Parts.Unsupported(processor, Part, "single");
            }
        }

        return side == after ? ([.. before], [.. after]) : throw Parts.Unsupported(processor, Part, "single");
    }
}

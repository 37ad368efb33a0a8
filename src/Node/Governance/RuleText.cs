using System.Globalization;
using System.Text;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;

namespace FedChain.Node.Governance;

/// <summary>
/// A rule as people write it: its name and its fields as in the policy, such as <c>trimmed-mean,trim=1</c> or <c>mean,weights=uniform</c>; or the policy's own JSON.
/// </summary>
internal static class RuleText
{
    /// <exception cref="UserErrorException">Neither; the message says what is wrong, and how it is done.</exception>
    public static AggregationRule Parse(string text)
    {
        try
        {
            return AggregationRule.Parse(text.TrimStart().StartsWith('{')
                ? CanonicalJson.Parse(CanonicalJson.Serialize(CanonicalJson.ParseAnyForm(Encoding.UTF8.GetBytes(text), Policy.MaxSize)), Policy.MaxSize)
                : Fields(text));
        }
        catch (InvalidDataException e)
        {
            throw new UserErrorException($"--rule takes a rule's name and its fields, such as trimmed-mean,trim=1, or its JSON; got '{text}'. {e.Message}", e);
        }
    }

    private static JsonValue Fields(string text)
    {
        var parts = text.Split(',', StringSplitOptions.TrimEntries);
        var fields = new Dictionary<string, JsonValue>(StringComparer.Ordinal) { ["name"] = parts[0] };
        foreach (var part in parts.Skip(1))
        {
            var (key, value) = part.Split('=') is [var left, var right] ? (left.Trim(), right.Trim()) : throw new InvalidDataException($"'{part}' is no field=value.");
            if (!fields.TryAdd(key, long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : value))
            {
                throw new InvalidDataException($"It names '{key}' twice.");
            }
        }

        return JsonValue.Of([.. fields.Select(f => (f.Key, f.Value))]);
    }
}

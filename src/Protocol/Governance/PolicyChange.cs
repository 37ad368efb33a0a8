using System.Globalization;
using System.Text;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;

namespace FedChain.Protocol.Governance;

/// <summary>One field in which a policy differs from another, as text: a parameter of the contract, a field of the JSON (<c>work.maxSteps</c>), or the genesis.</summary>
/// <param name="From">Null where the field is new.</param>
/// <param name="To">Null where the field is gone.</param>
public sealed record PolicyChange(string Field, string? From, string? To)
{
    /// <summary>What changes, in a fixed order: parameters, JSON fields by name, genesis. Every field counts as new if nothing is known of the former policy.</summary>
    public static IReadOnlyList<PolicyChange> Between(PolicySet? former, string json, PolicyParams parameters, Hash256 genesis)
    {
        var before = former is null ? [] : Fields(former.Json, former.Params, former.Genesis);
        var after = Fields(json, parameters, genesis);
        return
        [
            .. before.Keys.Union(after.Keys).OrderBy(key => key.Rank).ThenBy(key => key.Name, StringComparer.Ordinal)
                .Select(key => new PolicyChange(key.Name, before.GetValueOrDefault(key), after.GetValueOrDefault(key)))
                .Where(change => change.From != change.To),
        ];
    }

    private static Dictionary<(int Rank, string Name), string> Fields(string json, PolicyParams p, Hash256 genesis)
    {
        (string Name, uint Value)[] parameters =
        [
            ("training", p.Training), ("publishing", p.Publishing), ("attesting", p.Attesting), ("interval", p.Interval),
            ("minimum", p.Minimum), ("maxTurns", p.MaxTurns), ("rounds", p.Rounds),
        ];
        var fields = parameters.Index().ToDictionary(p => (p.Index, p.Item.Name), p => p.Item.Value.ToString(CultureInfo.InvariantCulture));
        var rank = parameters.Length;
        try
        {
            Flatten(CanonicalJson.Parse(Encoding.UTF8.GetBytes(json), Policy.MaxSize), "", rank, fields);
        }
        catch (InvalidDataException)
        {
            fields[(rank, "json")] = $"(no canonical JSON, keccak256 {Keccak256.Hash(json)})";
        }

        fields[(rank + 1, "genesis")] = genesis.ToString();
        return fields;
    }

    private static void Flatten(JsonValue value, string name, int rank, Dictionary<(int Rank, string Name), string> fields)
    {
        if (value is JsonValue.Fields(var inner))
        {
            foreach (var (key, field) in inner)
            {
                Flatten(field, name.Length == 0 ? key : $"{name}.{key}", rank, fields);
            }
        }
        else
        {
            fields[(rank, VisibleText.Line(name))] = VisibleText.Line(Encoding.UTF8.GetString(CanonicalJson.Serialize(value)));
        }
    }
}

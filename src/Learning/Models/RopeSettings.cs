using System.Text.Json;
using static FedChain.Learning.Models.ConfigValues;

namespace FedChain.Learning.Models;

/// <summary><c>rope_theta</c> and <c>rope_scaling</c> of a config.json; transformers 5 puts both into <c>rope_parameters</c>.</summary>
internal static class RopeSettings
{
    private static readonly string[] Known =
        ["rope_type", "type", "rope_theta", "factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings", "partial_rotary_factor"];

    public static double Theta(JsonElement root) =>
        (Parameters(root, "rope_parameters") is { } parameters ? Number(parameters, "rope_theta") : null) ?? Number(root, "rope_theta") ?? 10_000;

    public static RopeScaling? Scaling(JsonElement root, DecoderFamily family)
    {
        var (name, settings) = Parameters(root, "rope_parameters") is { } parameters ? ("rope_parameters", parameters) : ("rope_scaling", Parameters(root, "rope_scaling") ?? default);
        if (settings.ValueKind == JsonValueKind.Undefined)
        {
            return null;
        }

        var type = settings.TryGetProperty("rope_type", out var named) || settings.TryGetProperty("type", out named) ? named : default;
        if (type.ValueKind != JsonValueKind.String
            || settings.EnumerateObject().Any(s => !Known.Contains(s.Name) && !IsOff(s.Value))
            || (settings.TryGetProperty("partial_rotary_factor", out var part) && !IsOff(part) && !IsNumber(part, 1)))
        {
            throw Unsupported();
        }

        return type.GetString() switch
        {
            "default" => null,
            "dynamic" => null, // stretches only texts longer than max_position_embeddings, which are refused
            "linear" => new RopeScaling.Linear(Needed("factor")),
            "llama3" => new RopeScaling.Llama3(
                Needed("factor"), Needed("low_freq_factor"), Needed("high_freq_factor"), (int)Math.Min(int.MaxValue, Needed("original_max_position_embeddings"))),
            _ => throw Unsupported(),
        };

        double Needed(string setting) => Number(settings, setting)
            ?? throw new InvalidDataException($"{name} = {Shown(settings)} lacks {setting}; expected a number.");

        InvalidDataException Unsupported() =>
            new($"{name} = {Shown(settings)} is not supported for model_type '{family.ModelType}'; supported types: default, linear, dynamic, llama3.");
    }

    private static JsonElement? Parameters(JsonElement root, string name) =>
        !root.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == JsonValueKind.Object ? value
        : throw new InvalidDataException($"{name} = {Shown(value)}; expected an object or null.");
}

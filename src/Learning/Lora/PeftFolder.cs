using System.Text.Json;
using FedChain.Learning.Models;
using FedChain.Protocol.Files;
using static TorchSharp.torch;

namespace FedChain.Learning.Lora;

/// <summary>An adapter as PEFT saves it: <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>.</summary>
/// <param name="Config">Rank, alpha and targets.</param>
/// <param name="Layout">Names and shapes of the factors, as the file has them.</param>
/// <param name="Values">The factors' values in the layout's order.</param>
public sealed record PeftFolder(AdapterConfig Config, AdapterLayout Layout, float[] Values)
{
    public const string ConfigFile = "adapter_config.json";
    public const string WeightsFile = "adapter_model.safetensors";

    /// <summary>Settings under which the adapter would be something else than s B A on whole layers, and the values that are fine.</summary>
    private static readonly (string Name, Func<JsonElement, bool> Neutral)[] Refused =
    [
        ("peft_type", v => v.ValueKind == JsonValueKind.String && v.ValueEquals("LORA")),
        ("bias", v => v.ValueKind == JsonValueKind.String && v.ValueEquals("none")),
        ("use_dora", IsOff),
        ("fan_in_fan_out", IsOff),
        ("modules_to_save", IsOff),
        ("layers_to_transform", IsOff),
        ("layer_replication", IsOff),
        ("alpha_pattern", IsOff),
        ("rank_pattern", IsOff),
    ];

    /// <exception cref="InvalidDataException">A file is missing or malformed, or the adapter is of a kind that isn't supported; the message says which.</exception>
    public static PeftFolder Read(string directory)
    {
        var (configFile, weightsFile) = (Path.Combine(directory, ConfigFile), Path.Combine(directory, WeightsFile));
        if (!File.Exists(configFile) || !File.Exists(weightsFile))
        {
            throw new InvalidDataException($"{directory} is no PEFT adapter: expected {ConfigFile} and {WeightsFile}.");
        }

        var config = ReadConfig(configFile);
        using var stream = File.OpenRead(weightsFile);
        var layout = AdapterLayout.FromHeader(SafetensorsHeader.Read(stream, stream.Length));
        using var scope = NewDisposeScope();
        var tensors = WeightFiles.ReadFloats(weightsFile);
        var values = new float[layout.Count];
        foreach (var tensor in layout.Tensors)
        {
            TensorData.Copy(tensors[tensor.Name], values.AsSpan(tensor.Offset, tensor.Count));
        }

        return layout.Rank == config.Rank
            ? new PeftFolder(config, layout, values)
            : throw new InvalidDataException($"{configFile} says rank {config.Rank}; {WeightsFile} has rank {layout.Rank}.");
    }

    private static AdapterConfig ReadConfig(string file)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(file), new JsonDocumentOptions { MaxDepth = 16, AllowDuplicateProperties = false });
            var root = document.RootElement;
            foreach (var (name, neutral) in Refused)
            {
                if (root.TryGetProperty(name, out var value) && !neutral(value))
                {
                    throw new InvalidDataException($"{file}: {name} = {value.GetRawText()} is not supported; only plain LoRA adapters are.");
                }
            }

            var targets = root.GetProperty("target_modules").EnumerateArray().Select(t => t.GetString()!);
            var rankStabilised = root.TryGetProperty("use_rslora", out var stabilised) && stabilised.GetBoolean();
            return new AdapterConfig(root.GetProperty("r").GetInt32(), root.GetProperty("lora_alpha").GetInt32(), targets, rsLora: rankStabilised);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or ArgumentException)
        {
            throw new InvalidDataException($"{file} is not a LoRA configuration: expected r, lora_alpha (integers) and target_modules (a list of names). {e.Message}", e);
        }
    }

    private static bool IsOff(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.False => true,
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.Object => !value.EnumerateObject().Any(),
        _ => false,
    };
}

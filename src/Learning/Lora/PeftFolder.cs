using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using FedChain.Learning.Models;
using FedChain.Learning.Native;
using FedChain.Protocol.Files;
using TorchSharp;
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
        ("exclude_modules", IsOff),
        ("lora_bias", IsOff),
        ("target_parameters", IsOff),
        ("trainable_token_indices", IsOff),
        ("alora_invocation_tokens", IsOff),
        ("use_qalora", IsOff),
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
        var header = WeightFiles.ReadHeader(weightsFile);
        var layout = AdapterLayout.FromHeader(header);
        using var reader = new WeightReader(weightsFile, header);
        var values = new float[layout.Count];
        foreach (var tensor in layout.Tensors)
        {
            WeightFiles.RequireFloats(header[tensor.Name]);
            reader.Read(header[tensor.Name], values.AsSpan(tensor.Offset, tensor.Count));
        }

        return layout.Rank == config.Rank
            ? new PeftFolder(config, layout, values)
            : throw new InvalidDataException($"{configFile} says rank {config.Rank}; {WeightsFile} has rank {layout.Rank}.");
    }

    /// <summary>Checks that the tensors are those that the configuration asks for on a base model; its weights aren't read.</summary>
    /// <param name="baseModel">The base model's folder.</param>
    /// <exception cref="InvalidDataException">They aren't; the message names one. Or the model's configuration is malformed or unsupported.</exception>
    public void RequireFit(string baseModel)
    {
        NativeTorch.Load();
        using var outline = new Decoder(DecoderConfig.Read(baseModel), new Device(DeviceType.META)); // shapes without memory
        var kinds = outline.Linears.Select(l => l.Kind).Distinct(StringComparer.Ordinal).ToList();
        if (Config.Targets.Except(kinds, StringComparer.Ordinal).FirstOrDefault() is { } unknown)
        {
            throw new InvalidDataException($"The adapter doesn't fit the base model: it targets '{unknown}', and the model's linear layers are {string.Join(", ", kinds)}. Is it for another one?");
        }

        var expected = LoraAdapter.LayoutFor(outline, Config);
        if (!expected.Equals(Layout))
        {
            var odd = Layout.Tensors.Except(expected.Tensors).Concat(expected.Tensors.Except(Layout.Tensors)).First();
            throw new InvalidDataException(
                $"The adapter doesn't fit the base model, for instance in '{odd.Name}' ({odd.Rows} x {odd.Columns}): its tensors are not those that its configuration asks for on this model. Is it for another one?");
        }
    }

    /// <summary>
    /// Writes the folder as PEFT's <c>save_pretrained</c> does, float32. It appears whole or not at all: the files are written beside it and moved.
    /// </summary>
    /// <param name="directory">A new folder, or an empty one.</param>
    /// <param name="baseModelNameOrPath">What PEFT is to find the base model by: a name on the Hub or a folder. Null leaves it open.</param>
    /// <exception cref="IOException">The folder holds something already, or it can't be written.</exception>
    /// <exception cref="InvalidOperationException">The values are not as many as the layout says, or the configuration is of another rank.</exception>
    public void Write(string directory, string? baseModelNameOrPath)
    {
        if (Values.Length != Layout.Count || Config.Rank != Layout.Rank)
        {
            throw new InvalidOperationException(
                $"The adapter has {Values.Length} values of rank {Config.Rank}; its layout asks for {Layout.Count} of rank {Layout.Rank}.");
        }

        NewFolder.Write(directory, "the adapter", folder =>
        {
            File.WriteAllBytes(Path.Combine(folder, ConfigFile), ConfigJson(baseModelNameOrPath));
            WriteWeights(Path.Combine(folder, WeightsFile));
        });
    }

    private void WriteWeights(string file)
    {
        const int Piece = 1 << 15;
        var header = SafetensorsHeader.Create(
            Layout.Tensors.Select(t => (t.Name, TensorType.Float32, ImmutableArray.Create<long>(t.Rows, t.Columns))), [new("format", "pt")]);
        using var stream = File.Create(file);
        stream.Write(header.ToBytes());
        var bytes = new byte[4 * Math.Min(Piece, Values.Length)];
        for (var at = 0; at < Values.Length; at += Piece)
        {
            var count = Math.Min(Piece, Values.Length - at);
            for (var i = 0; i < count; i++)
            {
                BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(4 * i), Values[at + i]);
            }

            stream.Write(bytes.AsSpan(0, 4 * count));
        }
    }

    /// <summary>Every setting that PEFT 0.13 writes, in its order and form; later versions read it and take their defaults for what is new.</summary>
    private byte[] ConfigJson(string? baseModelNameOrPath)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            Empty("alpha_pattern");
            json.WriteNull("auto_mapping");
            json.WriteString("base_model_name_or_path", baseModelNameOrPath);
            json.WriteString("bias", "none");
            json.WriteBoolean("fan_in_fan_out", false);
            json.WriteBoolean("inference_mode", true);
            json.WriteBoolean("init_lora_weights", true);
            json.WriteNull("layer_replication");
            json.WriteNull("layers_pattern");
            json.WriteNull("layers_to_transform");
            Empty("loftq_config");
            json.WriteNumber("lora_alpha", Config.Alpha);
            json.WritePropertyName("lora_dropout");
            json.WriteRawValue("0.0");
            json.WriteNull("megatron_config");
            json.WriteString("megatron_core", "megatron.core");
            json.WriteNull("modules_to_save");
            json.WriteString("peft_type", "LORA");
            json.WriteNumber("r", Config.Rank);
            Empty("rank_pattern");
            json.WriteNull("revision");
            json.WriteStartArray("target_modules");
            foreach (var target in Config.Targets)
            {
                json.WriteStringValue(target);
            }

            json.WriteEndArray();
            json.WriteString("task_type", "CAUSAL_LM");
            json.WriteBoolean("use_dora", false);
            json.WriteBoolean("use_rslora", Config.RsLora);
            json.WriteEndObject();

            void Empty(string name)
            {
                json.WriteStartObject(name);
                json.WriteEndObject();
            }
        }

        return bytes.ToArray();
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

            // PEFT takes any ending of a layer's path: q_proj, self_attn.q_proj, model.layers.0.self_attn.q_proj. Whether that makes all layers of a kind, the tensors show.
            var targets = root.GetProperty("target_modules").EnumerateArray().Select(t => t.GetString()!).Select(t => t[(t.LastIndexOf('.') + 1)..]).Distinct(StringComparer.Ordinal);
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

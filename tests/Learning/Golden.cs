using System.Runtime.InteropServices;
using System.Text.Json;
using FedChain.Learning.Models;
using FedChain.Learning.Training;
using FedChain.Protocol.Files;
using TorchSharp;

namespace FedChain.Tests.Learning;

/// <summary>A folder of the LLM vectors: golden.json and golden.safetensors beside a model or an adapter.</summary>
internal sealed class Golden(string folder)
{
    private readonly byte[] _bytes = File.ReadAllBytes(Path.Combine(folder, "golden.safetensors"));
    private SafetensorsHeader? _header;

    /// <summary>Where the vectors are computed: FEDCHAIN_DEVICE=cuda asks for the GPU, as bench/gpu.sh does.</summary>
    public static torch.Device Device { get; } =
        FedChain.Learning.Compute.Resolve(Environment.GetEnvironmentVariable("FEDCHAIN_DEVICE") == "cuda" ? FedChain.Learning.ComputeDevice.Cuda : FedChain.Learning.ComputeDevice.Cpu);

    public JsonElement Json { get; } = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "golden.json"))).RootElement.Clone();

    public SafetensorsHeader Header => _header ??= SafetensorsHeader.Parse(_bytes);

    /// <summary>Model folders with a golden of that name, as theory rows; folders that can't be read stay in and fail there.</summary>
    public static TheoryData<string> Models(string golden) => [.. Shared.VectorFolders("llm")
        .SelectMany(Directory.EnumerateDirectories).Where(d => Path.GetFileName(d) != "lora" && Has(d, golden)).Order(StringComparer.Ordinal)];

    public static TheoryData<string> Adapters(string golden) => [.. Shared.VectorFolders("llm/lora")
        .SelectMany(Directory.EnumerateDirectories).Where(d => Has(d, golden)).Order(StringComparer.Ordinal)];

    /// <summary>Loads the decoder in that folder. A kind that isn't supported fails the test: what lies among the vectors is to be read.</summary>
    public static Decoder Load(string modelFolder) => ModelFolder.Load(modelFolder, Device);

    public float[] Floats(string name) => Values<float>(name, TensorType.Float32);

    public long[] Longs(string name) => Values<long>(name, TensorType.Int64);

    public torch.Tensor Tokens(string name) => torch.tensor(Longs(name), [.. Header[name].Shape], device: Device);

    /// <summary>The batch that input_ids, attention_mask and labels describe; a label of -100 doesn't count.</summary>
    public TokenBatch Batch(string prefix = "")
    {
        var columns = (int)Header[$"{prefix}input_ids"].Shape[1];
        int[][] Rows(string name) => [.. Longs(prefix + name).Select(v => (int)v).Chunk(columns)];
        var (mask, labels) = (Rows("attention_mask"), Rows("labels"));
        var tokens = Rows("input_ids").Select((row, i) => row[..mask[i].Sum()]).ToArray();
        return TokenBatch.Create(tokens, (row, position) => labels[row][position] != -100, Device);
    }

    public static void Near(float[] expected, torch.Tensor actual, double tolerance, string what)
    {
        var values = Values(actual);
        Assert.Equal(expected.Length, values.Length);
        var worst = expected.Zip(values, (e, a) => Math.Abs((double)e - a)).Select(d => double.IsNaN(d) ? double.PositiveInfinity : d).DefaultIfEmpty().Max();
        Assert.True(worst <= tolerance, $"{what}: off by {worst:g3}; allowed {tolerance:g3}.");
    }

    /// <summary>Like <see cref="Near"/>, for the rows (of the last dimension) where the attention mask is 1: what stands on padding means nothing.</summary>
    public void NearOnTokens(string name, torch.Tensor actual, double tolerance, string prefix = "")
    {
        var mask = Longs($"{prefix}attention_mask");
        var width = (int)Header[name].Shape[^1];
        float[] Kept(float[] all) => [.. all.Chunk(width).Where((_, i) => mask[i] == 1).SelectMany(row => row)];
        Near(Kept(Floats(name)), torch.tensor(Kept(Values(actual))), tolerance, name);
    }

    public static float[] Values(torch.Tensor tensor)
    {
        using var flat = tensor.detach().to(torch.float32).cpu().contiguous();
        return MemoryMarshal.Cast<byte, float>(flat.bytes).ToArray();
    }

    private static bool Has(string folder, string golden)
    {
        if (!File.Exists(Path.Combine(folder, "config.json")) && !File.Exists(Path.Combine(folder, "adapter_config.json")))
        {
            return false;
        }

        try
        {
            var read = new Golden(folder);
            return read.Json.TryGetProperty(golden, out _) || read.Header.Tensors.Any(t => t.Name == golden || t.Name.StartsWith($"{golden}.", StringComparison.Ordinal));
        }
        catch (Exception e) when (e is IOException or InvalidDataException or JsonException)
        {
            return true;
        }
    }

    private T[] Values<T>(string name, TensorType type)
        where T : unmanaged
    {
        var entry = Header[name];
        Assert.Equal(type, entry.Type);
        return MemoryMarshal.Cast<byte, T>(_bytes.AsSpan((int)(Header.DataOffset + entry.Offset), (int)entry.Length)).ToArray();
    }
}

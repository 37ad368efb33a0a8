using System.Diagnostics;
using FedChain.Learning;
using FedChain.Learning.Data;
using FedChain.Learning.Data.Generated;
using FedChain.Learning.Models;
using FedChain.Learning.Tokenization;
using TorchSharp;

namespace FedChain.Bench;

/// <summary>
/// LoRA training, generation and loading on random weights, beside an own PyTorch program on the same weights and tokens, beside this machine's matrix
/// product, memory and page cache. Ours and the peer's runs take turns; the losses of both are printed, since a fast wrong answer is no answer.
/// FEDCHAIN_BENCH_SHAPES (10M,125M; also 1B), _DEVICE (cpu, cuda) and _THREADS choose; FEDCHAIN_PYTHON names the peer's interpreter.
/// </summary>
internal static class LearningBenchmark
{
    private const int Length = 256;
    private const int Rounds = 3;

    private static readonly Dictionary<string, (DecoderConfig Config, int Rows, int Steps)> Shapes = new()
    {
        ["10M"] = (Llama(vocabulary: 8192, hidden: 320, inner: 864, layers: 6, heads: 5, keyHeads: 5), 4, 2),
        ["125M"] = (Llama(vocabulary: 32_000, hidden: 768, inner: 2560, layers: 12, heads: 12, keyHeads: 4), 2, 1),
        ["1B"] = (Llama(vocabulary: 128_256, hidden: 2048, inner: 8192, layers: 16, heads: 32, keyHeads: 8), 8, 10),
    };

    public static void Run()
    {
        var device = Setting("DEVICE", "cpu") == "cuda" ? ComputeDevice.Cuda : ComputeDevice.Cpu;
        var threads = int.Parse(Setting("THREADS", $"{Environment.ProcessorCount}"), System.Globalization.CultureInfo.InvariantCulture);
        Compute.Threads = threads;
        Console.WriteLine($"{device}, {threads} threads, load average {MemoryUse.Load}; median of {Rounds} (fastest, slowest)");
        var peaks = new Dictionary<WeightType, double> { [WeightType.Float32] = MatrixPeak(torch.float32, device), [WeightType.BFloat16] = MatrixPeak(torch.bfloat16, device) };
        Console.WriteLine($"Matrix product of {ProductSize(device)} x 2048 x 2048: float32 {peaks[WeightType.Float32] / 1e9:0} GFLOP/s, bfloat16 {peaks[WeightType.BFloat16] / 1e9:0} GFLOP/s");
        Quality();
        foreach (var name in Setting("SHAPES", "10M,125M").Split(','))
        {
            var folder = Directory.CreateTempSubdirectory("fedchain-bench-").FullName;
            try
            {
                new LearningContest(name, Shapes[name].Config, Shapes[name].Rows, Length, Shapes[name].Steps, Rounds, folder, device, peaks).Run();
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        }

        Console.WriteLine($"Load average at the end: {MemoryUse.Load}");
    }

    /// <summary>What fewer bits cost the committed base model, in bits per byte of text that it was made for.</summary>
    private static void Quality()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            var folder = Path.Combine(at.FullName, "models", "base");
            if (!File.Exists(Path.Combine(folder, DecoderConfig.FileName)))
            {
                continue;
            }

            var builder = new ExampleBuilder(TokenizerFolder.Load(folder), DecoderConfig.Read(folder).ContextLength);
            var (examples, _) = builder.BuildAll(GeneralCorpus.Generate(seed: 99, records: 400));
            var bits = Enum.GetValues<WeightType>().Select(type =>
            {
                using var model = CausalLanguageModel.Load(folder, ComputeDevice.Cpu, type);
                return $"{type} {model.Evaluate(examples).BitsPerByte:0.000000}";
            });
            Console.WriteLine($"models/base on 400 records of its kind, bits per byte: {string.Join(", ", bits)}");
            return;
        }
    }

    private static string Setting(string name, string otherwise) => Environment.GetEnvironmentVariable($"FEDCHAIN_BENCH_{name}") is { Length: > 0 } value ? value : otherwise;

    private static DecoderConfig Llama(int vocabulary, int hidden, int inner, int layers, int heads, int keyHeads) => new()
    {
        VocabSize = vocabulary,
        HiddenSize = hidden,
        IntermediateSize = inner,
        Layers = layers,
        Heads = heads,
        KeyValueHeads = keyHeads,
        HeadSize = hidden / heads,
        ContextLength = 2048,
        TiedEmbeddings = true,
    };

    /// <summary>Rows of the product that is the measure: enough to keep a GPU busy for milliseconds.</summary>
    private static int ProductSize(ComputeDevice device) => device == ComputeDevice.Cuda ? 1 << 18 : 1024;

    private static double MatrixPeak(torch.ScalarType type, ComputeDevice device)
    {
        using var scope = torch.NewDisposeScope();
        using var _ = torch.no_grad();
        var on = device == ComputeDevice.Cuda ? torch.CUDA : torch.CPU;
        var (a, b) = (torch.randn(ProductSize(device), 2048, device: on).to(type), torch.randn(2048, 2048, device: on).to(type));
        var best = 0.0;
        for (var round = 0; round < 8; round++)
        {
            using var inner = torch.NewDisposeScope();
            var started = Stopwatch.GetTimestamp();
            torch.nn.functional.linear(a, b)[0, 0].to(torch.float32).item<float>();
            best = Math.Max(best, 2.0 * ProductSize(device) * 2048 * 2048 / Stopwatch.GetElapsedTime(started).TotalSeconds);
        }

        return best;
    }
}

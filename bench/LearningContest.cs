using System.Diagnostics;
using FedChain.Learning;
using FedChain.Learning.Examples;
using FedChain.Learning.Lora;
using FedChain.Learning.Models;
using FedChain.Learning.Training;
using FedChain.Protocol;
using FedChain.Protocol.Files;
using TorchSharp;

namespace FedChain.Bench;

/// <summary>One shape of <see cref="LearningBenchmark"/>.</summary>
internal sealed class LearningContest(
    string name, DecoderConfig config, int rows, int length, int steps, int rounds, string folder, ComputeDevice device, IReadOnlyDictionary<WeightType, double> peaks)
{
    private const int NewTokens = 32;

    private static readonly AdapterConfig Adapter = new(16, 32, ["q_proj", "v_proj"]);

    private readonly string _model = Path.Combine(folder, "model");
    private readonly List<TokenizedExample> _examples =
        [.. Enumerable.Range(0, rows).Select(r => new TokenizedExample([.. Enumerable.Range(0, length).Select(i => (int)((((long)i * i) + (7 * r)) % config.VocabSize))], 1, 0))];

    public void Run()
    {
        long parameters;
        using (var model = CausalLanguageModel.Create(config, seed: 5, ComputeDevice.Cpu))
        {
            parameters = model.ParameterCount;
            model.Save(_model);
            model.AttachAdapter(Adapter, default(Hash256));
            new PeftFolder(Adapter, model.AdapterLayout!, model.AdapterValues()).Write(Path.Combine(folder, "adapter"), _model);
        }

        Console.WriteLine($"{name}: {parameters / 1e6:0.0}M parameters, {rows} x {length} tokens a step, rank {Adapter.Rank} on q_proj and v_proj, AdamW, clipping");
        if (device == ComputeDevice.Cpu)
        {
            Loading(parameters);
        }

        Training(parameters);
        if (device == ComputeDevice.Cpu)
        {
            Memory();
            Steadiness();
        }
    }

    private void Loading(long parameters)
    {
        var file = Path.Combine(_model, "model.safetensors");
        var bytes = new FileInfo(file).Length;
        var buffer = new byte[1 << 20];
        var read = Seconds(() =>
        {
            using var stream = File.OpenRead(file);
            while (stream.Read(buffer) > 0)
            {
            }
        });
        foreach (var (type, size) in new[] { (WeightType.Float32, 4.0), (WeightType.BFloat16, 2.0), (WeightType.Int8, 1.0) })
        {
            var (seconds, peak) = LoadingBenchmark.RunApart(_model, type);
            var held = type == WeightType.Int8 ? parameters + ((double)config.VocabSize * config.HiddenSize) : parameters * size; // the embedding stays bfloat16
            Console.WriteLine($"  loading as {type,-9} {bytes / seconds / 1e6,8:0} MB/s of file (page cache {bytes / read / 1e6:0}); peak {peak / held:0.00}x the {held / 1e6:0} MB of weights held");
        }
    }

    /// <summary>
    /// On the CPU our float32 against the peers' and our own bfloat16 (PyTorch 1.13 without AVX-512 takes minutes for it); on a GPU bfloat16 alone, against
    /// PEFT's as well: there it is what one trains in, and a card of 24 GB hasn't room for more models.
    /// </summary>
    private void Training(long parameters)
    {
        var gpu = device == ComputeDevice.Cuda;
        var type = gpu ? WeightType.BFloat16 : WeightType.Float32;
        using var ours = Load(type);
        using var half = gpu ? null : Load(WeightType.BFloat16);
        using var peer = Peer("lora.py", gpu ? "bfloat16" : "float32");
        using var peft = Peer("peft_lora.py", gpu ? "bfloat16" : "float32");
        var contenders = Contenders(Train, $"train {steps}", peer, peft);

        // Forwards twice a product's parameters per token, and once more for the inputs' gradients; the attention's products come on top and aren't counted.
        Report("training", "tokens/s", steps * rows * length, contenders, token => 4.0 * parameters * token);

        var bandwidth = Bandwidth();
        Report("generation", "tokens/s", NewTokens, Contenders(Generate, $"generate {NewTokens}", peer), null);
        Console.WriteLine($"  memory's limit for one token at a time: {bandwidth / (4.0 * parameters):0.0} tokens/s in float32, {bandwidth / (2.0 * parameters):0.0} in bfloat16 ({bandwidth / 1e9:0} GB/s)");

        List<(string Name, WeightType Type, Func<double[]> Run)> Contenders(Func<CausalLanguageModel, double[]> own, string command, params PythonPeer?[] others) =>
        [
            ($"ours, {Shown(type)}", type, () => own(ours)),
            .. half is null ? [] : new (string, WeightType, Func<double[]>)[] { ("ours, bfloat16", WeightType.BFloat16, () => own(half)) },
            .. others.OfType<PythonPeer>().Select(other => ($"{other.Name}, {Shown(type)}", type, (Func<double[]>)(() => other.Do(command)))),
        ];

        static string Shown(WeightType type) => type == WeightType.Float32 ? "float32" : "bfloat16";
    }

    private void Report(string what, string unit, double amount, List<(string Name, WeightType Type, Func<double[]> Run)> contenders, Func<double, double>? operations)
    {
        var seconds = contenders.ConvertAll(_ => new List<double>());
        var losses = new double[contenders.Count][];
        for (var round = -1; round < rounds; round++) // the first warms up, and its losses are those of equal weights
        {
            for (var i = 0; i < contenders.Count; i++)
            {
                var answer = contenders[i].Run();
                losses[i] = round < 0 ? answer[1..] : losses[i];
                if (round >= 0)
                {
                    seconds[i].Add(answer[0]);
                }
            }
        }

        for (var i = 0; i < contenders.Count; i++)
        {
            var rate = amount / Median(seconds[i]);
            var share = operations is null ? "" : $", {operations(rate) / peaks[contenders[i].Type]:0%} of the product's peak";
            var loss = losses[i].Length == 0 ? "" : $", losses {string.Join(" -> ", losses[i].Select(l => l.ToString("0.0000", System.Globalization.CultureInfo.InvariantCulture)))}";
            Console.WriteLine($"  {what,-10} {contenders[i].Name,-34} {rate,8:0.0} {unit} ({amount / seconds[i].Min():0.0}, {amount / seconds[i].Max():0.0}){share}{loss}");
        }

        for (var i = 1; i < contenders.Count; i++)
        {
            Console.WriteLine($"  {what}: {contenders[0].Name} is {Median(seconds[i]) / Median(seconds[0]):0.00}x {contenders[i].Name}");
        }
    }

    private void Memory()
    {
        foreach (var checkpointing in new[] { false, true })
        {
            using var model = Load(WeightType.Float32);
            MemoryUse.ResetPeak();
            var before = MemoryUse.Resident;
            var seconds = Seconds(() => model.TrainAdapter(_examples, Options() with { GradientCheckpointing = checkpointing }));
            Console.WriteLine($"  {(checkpointing ? "with" : "without")} gradient checkpointing: {(MemoryUse.Peak - before) / 1e6:0} MB beside the weights, {steps * rows * length / seconds:0} tokens/s");
        }
    }

    /// <summary>Whether anything grows over many steps: tensors by count, and the process by its pages.</summary>
    private void Steadiness()
    {
        const int Steps = 200;
        using var model = Load(WeightType.Float32);
        var seen = new List<(long Tensors, long Resident)>();
        model.TrainAdapter(
            [.. _examples.Select(e => e with { Tokens = e.Tokens[..(length / 4)] })], Options() with { Steps = Steps, BatchSize = 1, AccumulationSteps = 2, Dropout = 0.1 },
            new Each(_ => seen.Add((torch.Tensor.TotalCount, MemoryUse.Resident))));
        Console.WriteLine($"  over {Steps} steps: {seen[9].Tensors} live tensors after 10, {seen[^1].Tensors} at the end; {string.Join(", ", new[] { 10, 50, 100, 150, 200 }.Select(s => $"{seen[s - 1].Resident / 1e6:0}"))} MB resident after 10, 50, 100, 150, 200");
    }

    private CausalLanguageModel Load(WeightType type)
    {
        var model = CausalLanguageModel.Load(_model, device, type);
        model.AttachAdapter(PeftFolder.Read(Path.Combine(folder, "adapter")));
        return model;
    }

    private PythonPeer? Peer(string script, string type) =>
        PythonPeer.Start(script, _model, Path.Combine(folder, "adapter"), device == ComputeDevice.Cuda ? "cuda" : "cpu", type, $"{Compute.Threads}", $"{rows}", $"{length}");

    private TrainingOptions Options() => new() { Steps = steps, BatchSize = rows, LearningRate = 1e-3, Schedule = LearningRateSchedule.Constant };

    private double[] Train(CausalLanguageModel model)
    {
        TrainingResult? result = null;
        var seconds = Seconds(() => result = model.TrainAdapter(_examples, Options()));
        return [seconds, result!.FirstLoss, result.LastLoss];
    }

    private double[] Generate(CausalLanguageModel model) =>
        [Seconds(() => _ = model.Generate(_examples[0].Tokens[..16], new() { MaxTokens = NewTokens, StopAtEnd = false }).Count())];

    /// <summary>Bytes per second of summing up a large vector; on a GPU too.</summary>
    private double Bandwidth()
    {
        using var scope = torch.NewDisposeScope();
        using var _ = torch.no_grad();
        var large = torch.ones(1 << 27, device: device == ComputeDevice.Cuda ? torch.CUDA : torch.CPU);
        return Enumerable.Range(0, 5).Max(_ => 4.0 * large.NumberOfElements / Seconds(() => large.sum().item<float>()));
    }

    private sealed class Each(Action<TrainingProgress> action) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => action(value);
    }

    private static double Seconds(Action work)
    {
        var started = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}

using System.Diagnostics;
using System.Globalization;
using FedChain.Learning;
using FedChain.Learning.Models;

namespace FedChain.Bench;

/// <summary>Loads a model once, in a process that did nothing before, and prints seconds and the most memory it took.</summary>
internal static class LoadingBenchmark
{
    public static void Run(string folder, string type)
    {
        _ = Compute.Threads; // libtorch is in the process from here on
        CausalLanguageModel.Create(
            new DecoderConfig { VocabSize = 8, HiddenSize = 8, IntermediateSize = 8, Layers = 1, Heads = 1, KeyValueHeads = 1, HeadSize = 8, ContextLength = 8 }, 1, ComputeDevice.Cpu).Dispose();
        MemoryUse.ResetPeak();
        var (before, started) = (MemoryUse.Resident, Stopwatch.GetTimestamp());
        using var model = CausalLanguageModel.Load(folder, ComputeDevice.Cpu, Enum.Parse<WeightType>(type));
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{seconds} {MemoryUse.Peak - before}"));
    }

    /// <summary>The same in a child of this process.</summary>
    public static (double Seconds, double PeakBytes) RunApart(string folder, WeightType type)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["load", folder, $"{type}"]) { RedirectStandardOutput = true, UseShellExecute = false };
        using var process = Process.Start(start)!;
        var answer = process.StandardOutput.ReadToEnd().Split(' ');
        process.WaitForExit();
        return (double.Parse(answer[0], CultureInfo.InvariantCulture), double.Parse(answer[1], CultureInfo.InvariantCulture));
    }
}

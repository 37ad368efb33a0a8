using FedChain.Learning;
using FedChain.Learning.Models;
using FedChain.Node.Homes;

namespace FedChain.Node.Models;

/// <summary>Where a model runs, and how its weights are held there.</summary>
/// <param name="Device">The device.</param>
/// <param name="Weights">Null for the device's usual type: float32 on the CPU, bfloat16 on CUDA.</param>
/// <param name="Threads">CPU threads of one operation; 0 leaves the choice to the library.</param>
internal sealed record ModelPlacement(ComputeDevice Device, WeightType? Weights, int Threads)
{
    public static IReadOnlyList<string> Devices { get; } = ["auto", "cpu", "cuda"];

    public static IReadOnlyList<string> WeightTypes { get; } = ["auto", "f32", "bf16", "int8"];

    /// <exception cref="UserErrorException">A setting has a value that it can't have.</exception>
    public static ModelPlacement Of(HomeSettings settings) => Of(settings.Device, settings.Weights, settings.Threads);

    /// <exception cref="UserErrorException">A value that isn't known.</exception>
    public static ModelPlacement Of(string device, string weights, int threads)
    {
        var where = device switch
        {
            "auto" => ComputeDevice.Auto,
            "cpu" => ComputeDevice.Cpu,
            "cuda" => ComputeDevice.Cuda,
            _ => throw Fault("device", Devices, device),
        };
        WeightType? type = weights switch
        {
            "auto" => null,
            "f32" => WeightType.Float32,
            "bf16" => WeightType.BFloat16,
            "int8" => WeightType.Int8,
            _ => throw Fault("weights", WeightTypes, weights),
        };
        return threads >= 0 ? new(where, type, threads)
            : throw new UserErrorException($"threads must be at least 0; found {threads}.");
    }

    /// <summary>How weights are held here: as chosen, or as is usual on the device.</summary>
    public WeightType HeldAs => Weights ?? Compute.UsualWeights(Device);

    /// <summary>Device and weight type where results differ from those of float32 on a CPU, such as "cuda BFloat16"; null on a CPU with float32.</summary>
    public string? Unusual => Compute.IsCuda(Device) ? $"cuda {HeldAs}" : HeldAs == WeightType.Float32 ? null : $"cpu {HeldAs}";

    /// <summary>Loads a base model as placed.</summary>
    public CausalLanguageModel Load(BaseModel model)
    {
        if (Threads > 0)
        {
            Compute.Threads = Threads;
        }

        return CausalLanguageModel.Load(model.Path, Device, Weights);
    }

    private static UserErrorException Fault(string name, IReadOnlyList<string> known, string found) =>
        new($"{name} must be {string.Join(", ", known.SkipLast(1))} or {known[^1]}; found '{found}'.");
}

using FedChain.Learning.Models;
using FedChain.Learning.Native;
using TorchSharp;

namespace FedChain.Learning;

/// <summary>Where tensors live and are computed on; chosen when the program runs, nothing else differs.</summary>
public enum ComputeDevice
{
    /// <summary>CUDA where libtorch finds a device, else the CPU.</summary>
    Auto,

    /// <summary>The CPU.</summary>
    Cpu,

    /// <summary>The first CUDA device; an error where there is none.</summary>
    Cuda,
}

/// <summary>Process-wide settings of torch.</summary>
public static class Compute
{
    /// <summary>
    /// Threads that one operation may use on the CPU, at least 1. The sums of floating-point numbers, and so the last bits, may depend on it:
    /// with 1 the same seed gives the same bits.
    /// </summary>
    public static int Threads
    {
        get
        {
            NativeTorch.Load();
            return torch.get_num_threads();
        }
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            NativeTorch.Load();
            torch.set_num_threads(value);
        }
    }

    /// <summary>Whether a choice means a CUDA device here.</summary>
    /// <exception cref="InvalidOperationException">CUDA was asked for and isn't there.</exception>
    public static bool IsCuda(ComputeDevice device) => Resolve(device).type == DeviceType.CUDA;

    /// <summary>How weights are held on a device unless something else is asked for: float32 on the CPU, bfloat16 on CUDA.</summary>
    public static WeightType UsualWeights(ComputeDevice device) => IsCuda(device) ? WeightType.BFloat16 : WeightType.Float32;

    /// <summary>The torch device that a choice means here.</summary>
    /// <exception cref="InvalidOperationException">CUDA was asked for and isn't there.</exception>
    internal static torch.Device Resolve(ComputeDevice device)
    {
        NativeTorch.Load();
        var cuda = device != ComputeDevice.Cpu && torch.cuda.is_available();
        if (device == ComputeDevice.Cuda && !cuda)
        {
            throw new InvalidOperationException(
                $"No CUDA device: this libtorch ({NativeTorch.LibtorchFolder ?? "from the package"}) is built without CUDA or finds no device. Choose the CPU, build with -p:Cuda=true, or set {NativeTorch.FolderVariable} to a CUDA build of libtorch 2.10.");
        }

        return cuda ? torch.CUDA : torch.CPU;
    }
}

using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace FedChain.Learning;

/// <summary>Values of tensors on this side.</summary>
internal static class TensorData
{
    /// <summary>Copies a float32 tensor's values, row-major, from whatever device.</summary>
    public static void Copy(Tensor tensor, Span<float> destination)
    {
        using var scope = NewDisposeScope();
        MemoryMarshal.Cast<byte, float>(tensor.detach().cpu().contiguous().bytes).CopyTo(destination);
    }

    /// <summary>A float32 tensor's values, row-major, from whatever device.</summary>
    public static float[] Values(Tensor tensor)
    {
        var values = new float[tensor.NumberOfElements];
        Copy(tensor, values);
        return values;
    }

    /// <summary>Sets a float32 tensor's values, row-major, on whatever device.</summary>
    public static void Fill(Tensor target, float[] values)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        target.copy_(tensor(values, target.shape));
    }
}

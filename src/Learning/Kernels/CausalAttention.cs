using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using TorchSharp;
using static TorchSharp.torch;

namespace FedChain.Learning.Kernels;

/// <summary><see cref="CausalAttentionKernel"/> as an operation that torch differentiates through.</summary>
internal sealed unsafe class CausalAttention : autograd.SingleTensorFunction<CausalAttention>
{
    private const int LargestHead = 16; // beyond, torch's matrix products are as fast

    /// <summary>Halves of 256 bits would do as well, but bring a training step little and slow an evaluation.</summary>
    internal static bool Vectors => Vector512.IsHardwareAccelerated;

    public override string Name => nameof(CausalAttention);

    /// <summary>Whether the kernel serves this case; torch's scaled_dot_product_attention serves all.</summary>
    public static bool Serves(Tensor q) =>
        q.device_type == DeviceType.CPU && q.dtype == ScalarType.Float32 && Vectors && q.shape[3] % CausalAttentionKernel.Chunk == 0 && q.shape[3] <= LargestHead;

    /// <summary>(B, T, H, D), (B, T, K, D), (B, T, K, D) -> (B, T, H, D).</summary>
    public static Tensor Apply(Tensor q, Tensor k, Tensor v)
    {
        if (is_grad_enabled() && (q.requires_grad || k.requires_grad || v.requires_grad))
        {
            return apply(q.contiguous(), k.contiguous(), v.contiguous());
        }

        var (output, _) = Forward(q.contiguous(), k.contiguous(), v.contiguous());
        return output;
    }

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (q, k, v) = ((Tensor)vars[0], (Tensor)vars[1], (Tensor)vars[2]);
        var (output, logSums) = Forward(q, k, v);
        ctx.save_for_backward([q, k, v, output, logSums]);
        return output;
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        var saved = ctx.get_saved_variables();
        var (q, k, v, output, logSums) = (saved[0], saved[1], saved[2], saved[3], saved[4]);
        var (dq, dk, dv) = (empty_like(q), empty_like(k), empty_like(v));
        KernelFor(q, k).Backward(Data(q), Data(k), Data(v), Data(output), Data(logSums), Data(grad_output.contiguous()), Data(dq), Data(dk), Data(dv));
        return [dq, dk, dv];
    }

    private static (Tensor Output, Tensor LogSums) Forward(Tensor q, Tensor k, Tensor v)
    {
        var output = empty_like(q);
        var logSums = empty(q.shape[0], q.shape[2], q.shape[1]);
        KernelFor(q, k).Forward(Data(q), Data(k), Data(v), Data(output), Data(logSums));
        return (output, logSums);
    }

    private static CausalAttentionKernel KernelFor(Tensor q, Tensor k) =>
        new((int)q.shape[0], (int)q.shape[1], (int)q.shape[2], (int)k.shape[2], (int)q.shape[3], get_num_threads());

    private static float* Data(Tensor tensor) =>
        (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(MemoryMarshal.Cast<byte, float>(tensor.bytes)));
}

// Symmetric per-channel int8: for each output row w of a matrix, s = max|w| / 127 and q = round(w / s), half to even, so w ≈ s q.
// Source: Dettmers et al., LLM.int8() (arXiv 2208.07339), section 2.1 (absmax, vector-wise), without its mixed decomposition: activations stay floating-point.
using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace FedChain.Learning.Models;

/// <summary>A linear layer's weight in 8 bits.</summary>
/// <param name="Values">(out, in), int8.</param>
/// <param name="Scales">(out), float32.</param>
internal sealed record QuantizedWeight(Tensor Values, Tensor Scales) : IDisposable
{
    public void Dispose()
    {
        Values.Dispose();
        Scales.Dispose();
    }

    /// <summary>One row, and its scale.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // as FloatFormats
    public static float Quantize(ReadOnlySpan<float> row, Span<sbyte> values)
    {
        var most = 0f;
        foreach (var weight in row)
        {
            most = Math.Max(most, Math.Abs(weight));
        }

        var scale = most == 0 ? 1 : most / 127;
        for (var i = 0; i < row.Length; i++)
        {
            values[i] = (sbyte)MathF.Round(row[i] / scale);
        }

        return scale;
    }

    /// <summary>x qᵀ scaled by column: (…, in) -> (…, out). The matrix is converted for the product alone, and again for the gradient.</summary>
    public Tensor Apply(Tensor x) =>
        is_grad_enabled() && x.requires_grad ? Product.apply(x, Values, Scales) : Product.Forward(x, Values, Scales);

    private sealed class Product : autograd.SingleTensorFunction<Product>
    {
        public override string Name => nameof(QuantizedWeight);

        public static Tensor Forward(Tensor x, Tensor values, Tensor scales)
        {
            using var scope = NewDisposeScope();
            return nn.functional.linear(x, values.to(x.dtype)).mul_(scales.to(x.dtype)).MoveToOuterDisposeScope();
        }

        public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
        {
            var (x, values, scales) = ((Tensor)vars[0], (Tensor)vars[1], (Tensor)vars[2]);
            ctx.save_for_backward([values, scales]);
            return Forward(x, values, scales);
        }

        public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
        {
            var saved = ctx.get_saved_variables();
            var scaled = grad_output.mul(saved[1].to(grad_output.dtype));
            return [scaled.matmul(saved[0].to(grad_output.dtype)), null!, null!];
        }
    }
}

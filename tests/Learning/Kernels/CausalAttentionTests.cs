using System.Runtime.Intrinsics;
using FedChain.Learning.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace FedChain.Tests.Learning.Kernels;

public sealed class CausalAttentionTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Theory]
    [InlineData(1, 1, 1, 1, 8)]
    [InlineData(2, 5, 2, 1, 8)]
    [InlineData(3, 16, 4, 4, 8)]
    [InlineData(2, 17, 8, 2, 16)]
    [InlineData(1, 100, 6, 3, 24)]
    [InlineData(2, 257, 2, 2, 32)]
    public void It_computes_and_differentiates_as_torch_does(int b, int t, int heads, int keyHeads, int size)
    {
        Assert.SkipUnless(CausalAttention.Vectors, "This processor computes attention with torch.");
        Tensor Leaf(int h) => randn(b, t, h, size).mul_(2).requires_grad_();
        var (q, k, v, gradient) = (Leaf(heads), Leaf(keyHeads), Leaf(keyHeads), randn(b, t, heads, size));

        var own = CausalAttention.Apply(q, k, v);
        var ownGradients = autograd.grad([own], [q, k, v], [gradient]);
        var reference = Reference(q, k, v);
        var gradients = autograd.grad([reference], [q, k, v], [gradient]);

        Golden.Near(Golden.Values(reference), own, 3e-5, "output");
        foreach (var (name, expected, actual) in new[] { "q", "k", "v" }.Zip(gradients, ownGradients))
        {
            Golden.Near(Golden.Values(expected), actual, 1e-4, name);
        }

        using var _ = no_grad();
        Assert.Equal(Golden.Values(own), Golden.Values(CausalAttention.Apply(q, k, v)));
    }

    [Fact]
    public void Scores_far_apart_neither_overflow_nor_vanish()
    {
        Assert.SkipUnless(CausalAttention.Vectors, "This processor computes attention with torch.");
        var (q, k, v) = (randn(1, 40, 1, 8).mul_(60).requires_grad_(), randn(1, 40, 1, 8).mul_(60).requires_grad_(), randn(1, 40, 1, 8).requires_grad_());

        var own = CausalAttention.Apply(q, k, v);
        var gradients = autograd.grad([own], [q, k, v], [ones_like(own)]);

        Golden.Near(Golden.Values(Reference(q, k, v)), own, 1e-3, "output");
        Assert.All(gradients, g => Assert.All(Golden.Values(g), x => Assert.True(float.IsFinite(x))));
    }

    [Fact]
    public void The_number_of_threads_does_not_change_a_bit()
    {
        Assert.SkipUnless(CausalAttention.Vectors, "This processor computes attention with torch.");
        var random = new Random(5);
        float[] Random(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
        var (q, k, v) = (Random(2 * 50 * 4 * 8), Random(2 * 50 * 2 * 8), Random(2 * 50 * 2 * 8));

        Assert.Equal(Forward(1), Forward(3));

        unsafe float[] Forward(int threads)
        {
            var (o, sums) = (new float[q.Length], new float[2 * 4 * 50]);
            fixed (float* pq = q, pk = k, pv = v, po = o, ps = sums)
            {
                new CausalAttentionKernel(2, 50, 4, 2, 8, threads).Forward(pq, pk, pv, po, ps);
            }

            return o;
        }
    }

    [Fact]
    public void The_exponential_is_right_to_the_last_bits()
    {
        for (var x = -86.9f; x <= 0; x += 0.0173f)
        {
            var expected = Math.Exp(x);
            Assert.InRange(SimdMath.Exp(Vector512.Create(x))[7] / expected, 1 - 2e-7, 1 + 2e-7);
        }

        Assert.Equal(1, SimdMath.Exp(Vector512<float>.Zero)[0]);
        Assert.InRange(SimdMath.Exp(Vector512.Create(float.NegativeInfinity))[0], 0, 2e-38);
    }

    private static Tensor Reference(Tensor q, Tensor k, Tensor v)
    {
        var group = q.shape[2] / k.shape[2];
        Tensor Shared(Tensor x) => x.repeat_interleave(group, 2).transpose(1, 2);
        return nn.functional.scaled_dot_product_attention(q.transpose(1, 2), Shared(k), Shared(v), is_casual: true).transpose(1, 2);
    }
}

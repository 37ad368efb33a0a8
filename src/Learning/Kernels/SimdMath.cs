using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace FedChain.Learning.Kernels;

/// <summary>Elementary functions on vectors of float32.</summary>
internal static class SimdMath
{
    /// <summary>
    /// e^x for x ≤ 0, with a relative error below 2e-7; below -87 it stays at e^-87. x = n ln 2 + r with |r| ≤ ln 2 / 2 (ln 2 in two parts: Cody, Waite),
    /// e^r by its Taylor polynomial of degree 6, and 2^n through the exponent's bits.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp(Vector512<float> x)
    {
        x = Vector512.MaxNative(x, Vector512.Create(-87f));
        var n = Vector512.Round(x * Vector512.Create(1.44269504f));
        var r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-0.693359375f), x);
        r = Vector512.FusedMultiplyAdd(n, Vector512.Create(2.12194440e-4f), r);
        var y = Vector512.FusedMultiplyAdd(Vector512.Create(1 / 720f), r, Vector512.Create(1 / 120f));
        y = Vector512.FusedMultiplyAdd(y, r, Vector512.Create(1 / 24f));
        y = Vector512.FusedMultiplyAdd(y, r, Vector512.Create(1 / 6f));
        y = Vector512.FusedMultiplyAdd(y, r, Vector512.Create(0.5f));
        y = Vector512.FusedMultiplyAdd(y, r, Vector512<float>.One);
        y = Vector512.FusedMultiplyAdd(y, r, Vector512<float>.One);
        var exponent = (Vector512.ConvertToInt32Native(n) + Vector512.Create(127)) << 23;
        return y * exponent.AsSingle();
    }
}

using TorchSharp;
using static TorchSharp.torch;

namespace FedChain.Learning.Models;

/// <summary>
/// Arithmetic with numbers that live as long as the operation. TorchSharp 0.107 passes a number as a <see cref="Scalar"/>, a native object with a
/// finaliser, and nothing keeps it alive during the call: a garbage collection at that moment frees it while native code reads it. Then the operation
/// fails ("Unknown scalar type") or, worse, computes with another number. Seen in training on a busy machine; with collections forced, after some
/// 10,000 additions. <c>add</c>, <c>add_</c> and <c>square</c> make such numbers of their own, also where none is passed: none of them is used in this project.
/// </summary>
internal static class HeldScalars
{
    private static readonly Scalar One = 1;

    /// <summary>x + y.</summary>
    public static Tensor Plus(this Tensor x, Tensor y) => x.add(y, One);

    /// <summary>x += value.</summary>
    public static Tensor PlusInPlace(this Tensor x, double value)
    {
        using Scalar held = value;
        return x.add_(held, One);
    }

    /// <summary>x += factor y.</summary>
    public static Tensor PlusInPlace(this Tensor x, Tensor y, double factor)
    {
        using Scalar held = factor;
        return x.add_(y, held);
    }

    /// <summary>x + y z, element by element.</summary>
    public static Tensor PlusProduct(this Tensor x, Tensor y, Tensor z) => x.addcmul(y, z, One);

    /// <summary>x += factor y z, element by element.</summary>
    public static Tensor PlusProductInPlace(this Tensor x, Tensor y, Tensor z, double factor)
    {
        using Scalar held = factor;
        return x.addcmul_(y, z, held);
    }

    /// <summary>x += factor y / z, element by element.</summary>
    public static Tensor PlusQuotientInPlace(this Tensor x, Tensor y, Tensor z, double factor)
    {
        using Scalar held = factor;
        return x.addcdiv_(y, z, held);
    }

    /// <summary>factor x.</summary>
    public static Tensor Times(this Tensor x, double factor)
    {
        using Scalar held = factor;
        return x.mul(held);
    }

    /// <summary>x *= factor.</summary>
    public static Tensor TimesInPlace(this Tensor x, double factor)
    {
        using Scalar held = factor;
        return x.mul_(held);
    }

    /// <summary>x / divisor.</summary>
    public static Tensor Over(this Tensor x, double divisor)
    {
        using Scalar held = divisor;
        return x.div(held);
    }

    /// <summary>x /= divisor.</summary>
    public static Tensor OverInPlace(this Tensor x, double divisor)
    {
        using Scalar held = divisor;
        return x.div_(held);
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FedChain.Protocol.Files;

namespace FedChain.Learning.Models;

/// <summary>
/// Conversions between the floating-point formats that weights are stored and held in. Compiled with optimisation at once: a model is loaded once, and
/// would be loaded by code that waits for its second, faster compilation.
/// </summary>
internal static class FloatFormats
{
    /// <summary>Stored F32, F16 or BF16 as float32, exactly.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Widen(ReadOnlySpan<byte> stored, TensorType type, Span<float> values)
    {
        switch (type)
        {
            case TensorType.Float32:
                MemoryMarshal.Cast<byte, float>(stored).CopyTo(values);
                break;
            case TensorType.BFloat16:
                Widen(MemoryMarshal.Cast<byte, ushort>(stored), MemoryMarshal.Cast<float, uint>(values));
                break;
            case TensorType.Float16:
                var halves = MemoryMarshal.Cast<byte, Half>(stored);
                for (var i = 0; i < halves.Length; i++)
                {
                    values[i] = (float)halves[i];
                }

                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(type), type, "Not a floating-point format of weights.");
        }
    }

    /// <summary>float32 as bfloat16, to nearest, ties to even. The values must be finite.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Narrow(ReadOnlySpan<float> values, Span<ushort> narrowed)
    {
        var bits = MemoryMarshal.Cast<float, uint>(values);
        var i = 0;
        for (; i <= bits.Length - (2 * Vector<uint>.Count); i += 2 * Vector<uint>.Count)
        {
            Vector.Narrow(Rounded(new Vector<uint>(bits[i..])), Rounded(new Vector<uint>(bits[(i + Vector<uint>.Count)..]))).CopyTo(narrowed[i..]);
        }

        for (; i < bits.Length; i++)
        {
            narrowed[i] = (ushort)((bits[i] + 0x7FFF + ((bits[i] >> 16) & 1)) >> 16);
        }

        static Vector<uint> Rounded(Vector<uint> v) => (v + new Vector<uint>(0x7FFF) + ((v >>> 16) & Vector<uint>.One)) >>> 16;
    }

    /// <summary>Whether none is NaN or infinite.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool AreFinite(ReadOnlySpan<float> values)
    {
        var bits = MemoryMarshal.Cast<float, uint>(values);
        var exponent = new Vector<uint>(0x7F80_0000);
        var i = 0;
        for (; i <= bits.Length - Vector<uint>.Count; i += Vector<uint>.Count)
        {
            if (Vector.EqualsAny(new Vector<uint>(bits[i..]) & exponent, exponent))
            {
                return false;
            }
        }

        for (; i < bits.Length; i++)
        {
            if (!float.IsFinite(values[i]))
            {
                return false;
            }
        }

        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Widen(ReadOnlySpan<ushort> upperHalves, Span<uint> bits)
    {
        var i = 0;
        for (; i <= upperHalves.Length - Vector<ushort>.Count; i += Vector<ushort>.Count)
        {
            Vector.Widen(new Vector<ushort>(upperHalves[i..]), out var low, out var high);
            (low << 16).CopyTo(bits[i..]);
            (high << 16).CopyTo(bits[(i + Vector<uint>.Count)..]);
        }

        for (; i < upperHalves.Length; i++)
        {
            bits[i] = (uint)upperHalves[i] << 16;
        }
    }
}

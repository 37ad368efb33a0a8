// Causal attention for small heads on the CPU, one pass of keys per query, no T x T matrix:
//   sᵢⱼ = qᵢ·kⱼ / √D  (j ≤ i)      Lᵢ = log Σⱼ exp sᵢⱼ      pᵢⱼ = exp(sᵢⱼ - Lᵢ)      oᵢ = Σⱼ pᵢⱼ vⱼ
// and backwards, with δᵢ = doᵢ·oᵢ and the probabilities computed again from Lᵢ:
//   dsᵢⱼ = pᵢⱼ (doᵢ·vⱼ - δᵢ)    dqᵢ = Σⱼ dsᵢⱼ kⱼ / √D    dkⱼ = Σᵢ dsᵢⱼ qᵢ / √D    dvⱼ = Σᵢ pᵢⱼ doᵢ
// Source: Dao et al., FlashAttention (arXiv 2205.14135), sections 3.1 and B.2, without its tiles: a head's keys and values fit the first cache.
// torch's own kernels are built on matrix products that are slow with 8 numbers per head, and compute the half that causality hides:
// for 8 x 256 tokens and 8 heads of 8 they took three times as long forwards and backwards (one core, AVX-512).
using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace FedChain.Learning.Kernels;

/// <summary>
/// Queries are (B, T, H, D), keys and values (B, T, K, D), all float32 and contiguous; H/K query heads share a key head. Each pair of sequence and
/// key head is computed by itself in a fixed order, so the number of threads doesn't change a bit.
/// </summary>
internal sealed unsafe class CausalAttentionKernel(int batch, int length, int queryHeads, int keyHeads, int headSize, int threads)
{
    /// <summary>Dimensions handled at a time, in registers; a head's size is a multiple of it.</summary>
    public const int Chunk = 8;

    private const int Lanes = 16;
    private const int Tile = Chunk * Lanes;

    private readonly int _padded = (length + Lanes - 1) / Lanes * Lanes;
    private readonly int _group = queryHeads / keyHeads;
    private readonly float _scale = 1 / MathF.Sqrt(headSize);

    /// <summary>Fills o (B, T, H, D) and L (B, H, T).</summary>
    public void Forward(float* q, float* k, float* v, float* o, float* logSums) => ForEachKeyHead((b, head, scratch) =>
    {
        float* keys = scratch, values = keys + Plane, s = values + Plane;
        Gather(k, b, head, keys);
        Gather(v, b, head, values);
        for (var h = head * _group; h < (head + 1) * _group; h++)
        {
            for (var i = 0; i < length; i++)
            {
                var at = (((b * length) + i) * queryHeads + h) * headSize;
                logSums[(((b * queryHeads) + h) * length) + i] = Attend(q + at, keys, values, s, o + at, i + 1);
            }
        }
    });

    /// <summary>Fills dq, dk and dv, shaped as q, k and v.</summary>
    public void Backward(float* q, float* k, float* v, float* o, float* logSums, float* gradient, float* dq, float* dk, float* dv) => ForEachKeyHead((b, head, scratch) =>
    {
        float* keys = scratch, values = keys + Plane, dKeys = values + Plane, dValues = dKeys + Plane, s = dValues + Plane, ds = s + _padded;
        Gather(k, b, head, keys);
        Gather(v, b, head, values);
        new Span<float>(dKeys, 2 * Plane).Clear();
        for (var h = head * _group; h < (head + 1) * _group; h++)
        {
            for (var i = 0; i < length; i++)
            {
                var at = (((b * length) + i) * queryHeads + h) * headSize;
                Probabilities(q + at, keys, values, o + at, gradient + at, logSums[(((b * queryHeads) + h) * length) + i], s, ds, i + 1);
                for (var d = 0; d < headSize; d += Chunk)
                {
                    var plane = d * _padded;
                    Accumulate(q + at + d, gradient + at + d, keys + plane, dKeys + plane, dValues + plane, s, ds, dq + at + d, i + 1);
                }
            }
        }

        Scatter(dKeys, b, head, dk);
        Scatter(dValues, b, head, dv);
    });

    private int Plane => headSize * _padded;

    private delegate void KeyHeadWork(int batchIndex, int keyHead, float* scratch);

    private void ForEachKeyHead(KeyHeadWork work)
    {
        var size = (4 * Plane) + (2 * _padded) + Lanes;
        void One(int unit)
        {
            var rented = ArrayPool<float>.Shared.Rent(size);
            fixed (float* start = rented)
            {
                var aligned = (float*)(((nint)start + 63) & ~63);
                work(unit / keyHeads, unit % keyHeads, aligned);
            }

            ArrayPool<float>.Shared.Return(rented);
        }

        if (threads == 1)
        {
            for (var unit = 0; unit < batch * keyHeads; unit++)
            {
                One(unit);
            }
        }
        else
        {
            Parallel.For(0, batch * keyHeads, new ParallelOptions { MaxDegreeOfParallelism = threads }, One);
        }
    }

    /// <summary>
    /// One head's keys or values in tiles of <see cref="Chunk"/> dimensions by <see cref="Lanes"/> tokens, a row of tokens per dimension, tiles of the
    /// same dimensions one after the other; zeros behind the last token.
    /// </summary>
    private void Gather(float* source, int b, int head, float* tiles)
    {
        new Span<float>(tiles, Plane).Clear();
        for (var t = 0; t < length; t++)
        {
            var row = source + ((((b * length) + t) * keyHeads + head) * headSize);
            for (var d = 0; d < headSize; d++)
            {
                tiles[Place(t, d)] = row[d];
            }
        }
    }

    private void Scatter(float* tiles, int b, int head, float* target)
    {
        for (var t = 0; t < length; t++)
        {
            var row = target + ((((b * length) + t) * keyHeads + head) * headSize);
            for (var d = 0; d < headSize; d++)
            {
                row[d] = tiles[Place(t, d)];
            }
        }
    }

    private int Place(int t, int d) => (d / Chunk * Chunk * _padded) + (t / Lanes * Tile) + (d % Chunk * Lanes) + (t % Lanes);

    /// <summary>One query over the first <paramref name="count"/> keys; returns its L.</summary>
    private float Attend(float* q, float* keys, float* values, float* s, float* o, int count)
    {
        var most = Vector512.Create(float.NegativeInfinity);
        for (var j = 0; j < count; j += Lanes)
        {
            var score = Vector512.ConditionalSelect(Within(j, count), Dot(q, keys, j), Vector512.Create(float.NegativeInfinity)) * _scale;
            score.Store(s + j);
            most = Vector512.MaxNative(most, score);
        }

        var shift = Highest(most);
        var sums = Vector512<float>.Zero;
        for (var j = 0; j < count; j += Lanes)
        {
            var p = Vector512.ConditionalSelect(Within(j, count), SimdMath.Exp(Vector512.Load(s + j) - Vector512.Create(shift)), Vector512<float>.Zero);
            p.Store(s + j);
            sums += p;
        }

        var total = Vector512.Sum(sums);
        for (var d = 0; d < headSize; d += Chunk)
        {
            WeightedSum(values + (d * _padded), s, o + d, 1 / total, count);
        }

        return shift + MathF.Log(total);
    }

    /// <summary>o = factor · Σⱼ sⱼ vⱼ for a chunk of dimensions.</summary>
    private static void WeightedSum(float* v, float* s, float* o, float factor, int count)
    {
        Vector512<float> o0 = default, o1 = default, o2 = default, o3 = default, o4 = default, o5 = default, o6 = default, o7 = default;
        for (var j = 0; j < count; j += Lanes, v += Tile)
        {
            var p = Vector512.Load(s + j);
            o0 = Vector512.FusedMultiplyAdd(p, Vector512.Load(v + (0 * Lanes)), o0);
            o1 = Vector512.FusedMultiplyAdd(p, Vector512.Load(v + (1 * Lanes)), o1);
            o2 = Vector512.FusedMultiplyAdd(p, Vector512.Load(v + (2 * Lanes)), o2);
            o3 = Vector512.FusedMultiplyAdd(p, Vector512.Load(v + (3 * Lanes)), o3);
            o4 = Vector512.FusedMultiplyAdd(p, Vector512.Load(v + (4 * Lanes)), o4);
            o5 = Vector512.FusedMultiplyAdd(p, Vector512.Load(v + (5 * Lanes)), o5);
            o6 = Vector512.FusedMultiplyAdd(p, Vector512.Load(v + (6 * Lanes)), o6);
            o7 = Vector512.FusedMultiplyAdd(p, Vector512.Load(v + (7 * Lanes)), o7);
        }

        o[0] = factor * Vector512.Sum(o0);
        o[1] = factor * Vector512.Sum(o1);
        o[2] = factor * Vector512.Sum(o2);
        o[3] = factor * Vector512.Sum(o3);
        o[4] = factor * Vector512.Sum(o4);
        o[5] = factor * Vector512.Sum(o5);
        o[6] = factor * Vector512.Sum(o6);
        o[7] = factor * Vector512.Sum(o7);
    }

    /// <summary>One query's p and ds over the first <paramref name="count"/> keys.</summary>
    private void Probabilities(float* q, float* keys, float* values, float* o, float* gradient, float logSum, float* p, float* ds, int count)
    {
        float delta = 0;
        for (var d = 0; d < headSize; d++)
        {
            delta += gradient[d] * o[d];
        }

        var (shift, shared) = (Vector512.Create(logSum), Vector512.Create(delta));
        for (var j = 0; j < count; j += Lanes)
        {
            var score = (Dot(q, keys, j) * _scale) - shift;
            var probability = Vector512.ConditionalSelect(Within(j, count), SimdMath.Exp(score), Vector512<float>.Zero);
            probability.Store(p + j);
            (probability * (Dot(gradient, values, j) - shared) * _scale).Store(ds + j);
        }
    }

    /// <summary>dq = Σⱼ dsⱼ kⱼ, dkⱼ += dsⱼ q, dvⱼ += pⱼ do for a chunk of dimensions.</summary>
    private static void Accumulate(float* q, float* gradient, float* k, float* dk, float* dv, float* p, float* ds, float* dq, int count)
    {
        Vector512<float> a0 = default, a1 = default, a2 = default, a3 = default, a4 = default, a5 = default, a6 = default, a7 = default;
        for (var j = 0; j < count; j += Lanes, k += Tile, dk += Tile, dv += Tile)
        {
            var (weight, slope) = (Vector512.Load(p + j), Vector512.Load(ds + j));
            a0 = Row(k + (0 * Lanes), dk + (0 * Lanes), dv + (0 * Lanes), q[0], gradient[0], weight, slope, a0);
            a1 = Row(k + (1 * Lanes), dk + (1 * Lanes), dv + (1 * Lanes), q[1], gradient[1], weight, slope, a1);
            a2 = Row(k + (2 * Lanes), dk + (2 * Lanes), dv + (2 * Lanes), q[2], gradient[2], weight, slope, a2);
            a3 = Row(k + (3 * Lanes), dk + (3 * Lanes), dv + (3 * Lanes), q[3], gradient[3], weight, slope, a3);
            a4 = Row(k + (4 * Lanes), dk + (4 * Lanes), dv + (4 * Lanes), q[4], gradient[4], weight, slope, a4);
            a5 = Row(k + (5 * Lanes), dk + (5 * Lanes), dv + (5 * Lanes), q[5], gradient[5], weight, slope, a5);
            a6 = Row(k + (6 * Lanes), dk + (6 * Lanes), dv + (6 * Lanes), q[6], gradient[6], weight, slope, a6);
            a7 = Row(k + (7 * Lanes), dk + (7 * Lanes), dv + (7 * Lanes), q[7], gradient[7], weight, slope, a7);
        }

        dq[0] = Vector512.Sum(a0);
        dq[1] = Vector512.Sum(a1);
        dq[2] = Vector512.Sum(a2);
        dq[3] = Vector512.Sum(a3);
        dq[4] = Vector512.Sum(a4);
        dq[5] = Vector512.Sum(a5);
        dq[6] = Vector512.Sum(a6);
        dq[7] = Vector512.Sum(a7);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Row(float* k, float* dk, float* dv, float q, float gradient, Vector512<float> weight, Vector512<float> slope, Vector512<float> sum)
    {
        Vector512.FusedMultiplyAdd(slope, Vector512.Create(q), Vector512.Load(dk)).Store(dk);
        Vector512.FusedMultiplyAdd(weight, Vector512.Create(gradient), Vector512.Load(dv)).Store(dv);
        return Vector512.FusedMultiplyAdd(slope, Vector512.Load(k), sum);
    }

    /// <summary>Products of one vector with those of sixteen tokens, from <paramref name="j"/> on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector512<float> Dot(float* vector, float* tiles, int j)
    {
        var tile = tiles + (j * Chunk);
        Vector512<float> even = default, odd = default;
        for (var d = 0; d < headSize; d += Chunk, tile += Chunk * _padded, vector += Chunk)
        {
            even = Vector512.FusedMultiplyAdd(Vector512.Create(vector[0]), Vector512.Load(tile), even);
            odd = Vector512.FusedMultiplyAdd(Vector512.Create(vector[1]), Vector512.Load(tile + Lanes), odd);
            even = Vector512.FusedMultiplyAdd(Vector512.Create(vector[2]), Vector512.Load(tile + (2 * Lanes)), even);
            odd = Vector512.FusedMultiplyAdd(Vector512.Create(vector[3]), Vector512.Load(tile + (3 * Lanes)), odd);
            even = Vector512.FusedMultiplyAdd(Vector512.Create(vector[4]), Vector512.Load(tile + (4 * Lanes)), even);
            odd = Vector512.FusedMultiplyAdd(Vector512.Create(vector[5]), Vector512.Load(tile + (5 * Lanes)), odd);
            even = Vector512.FusedMultiplyAdd(Vector512.Create(vector[6]), Vector512.Load(tile + (6 * Lanes)), even);
            odd = Vector512.FusedMultiplyAdd(Vector512.Create(vector[7]), Vector512.Load(tile + (7 * Lanes)), odd);
        }

        return even + odd;
    }

    /// <summary>All ones in the lanes whose token, from <paramref name="j"/> on, is below <paramref name="count"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Within(int j, int count) =>
        Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count - j)).AsSingle();

    private static float Highest(Vector512<float> x)
    {
        var half = Vector256.Max(x.GetLower(), x.GetUpper());
        var quarter = Vector128.Max(half.GetLower(), half.GetUpper());
        return MathF.Max(MathF.Max(quarter[0], quarter[1]), MathF.Max(quarter[2], quarter[3]));
    }
}

using System.Buffers;
using System.IO.MemoryMappedFiles;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FedChain.Protocol.Files;
using TorchSharp;
using static TorchSharp.torch;

namespace FedChain.Learning.Models;

/// <summary>
/// Reads tensors out of one safetensors file, mapped a window at a time: so much of the file, and no copy of it, is in memory beside the weights
/// themselves. Windows are converted by several threads.
/// </summary>
internal sealed unsafe class WeightReader : IDisposable
{
    private const int WindowElements = 1 << 18;

    private readonly string _file;
    private readonly SafetensorsHeader _header;
    private readonly MemoryMappedFile _mapped;

    public WeightReader(string file, SafetensorsHeader header)
    {
        (_file, _header) = (file, header);
        _mapped = MemoryMappedFile.CreateFromFile(file, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
    }

    public void Dispose() => _mapped.Dispose();

    /// <summary>Fills a float32 or bfloat16 tensor of the entry's shape.</summary>
    /// <exception cref="InvalidDataException">A weight is NaN or infinite; the message names the tensor.</exception>
    public void Fill(SafetensorsTensor entry, Tensor target)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var onCpu = OnCpu(target);
        var start = Start(onCpu);
        var wide = target.dtype == float32;
        ForEachWindow(entry.Count, WindowElements, get_num_threads(), (at, count) => Read(entry, at, count, wide ? (float*)start + at : null, values =>
        {
            if (!wide)
            {
                FloatFormats.Narrow(values, new Span<ushort>((ushort*)start + at, count));
            }
        }));
        Deliver(onCpu, target);
    }

    /// <summary>Quantises a matrix row by row.</summary>
    /// <exception cref="InvalidDataException">A weight is NaN or infinite; the message names the tensor.</exception>
    public void Fill(SafetensorsTensor entry, QuantizedWeight target)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var (values, scales) = (OnCpu(target.Values), OnCpu(target.Scales));
        var q = (sbyte*)Start(values);
        var s = (float*)Start(scales);
        var width = (int)entry.Shape[1];
        ForEachWindow(entry.Shape[0], Math.Max(1, WindowElements / width), get_num_threads(), (row, rows) => Read(entry, row * width, rows * width, null, weights =>
        {
            for (var i = 0; i < rows; i++)
            {
                s[row + i] = QuantizedWeight.Quantize(weights.Slice(i * width, width), new Span<sbyte>(q + ((row + i) * width), width));
            }
        }));
        Deliver(values, target.Values);
        Deliver(scales, target.Scales);
    }

    /// <summary>The values of a whole tensor, in float32; works without torch.</summary>
    /// <exception cref="InvalidDataException">A value is NaN or infinite; the message names the tensor.</exception>
    public void Read(SafetensorsTensor entry, Span<float> values)
    {
        fixed (float* start = values)
        {
            var target = start;
            ForEachWindow(entry.Count, WindowElements, 1, (at, count) => Read(entry, at, count, target + at, _ => { }));
        }
    }

    /// <exception cref="InvalidDataException">A value is NaN or infinite; the message names the tensor.</exception>
    public void RequireFinite(SafetensorsTensor entry) => ForEachWindow(entry.Count, WindowElements, get_num_threads(), (at, count) => Read(entry, at, count, null, _ => { }));

    private delegate void Use(ReadOnlySpan<float> values);

    /// <summary>Converts some of a tensor's elements, into the given place or one of its own, and hands them on.</summary>
    private void Read(SafetensorsTensor entry, long at, int count, float* place, Use use)
    {
        using var view = _mapped.CreateViewAccessor(_header.DataOffset + entry.Offset + (at * entry.Type.Size()), count * (long)entry.Type.Size(), MemoryMappedFileAccess.Read);
        var rented = place is null ? ArrayPool<float>.Shared.Rent(count) : [];
        byte* stored = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref stored);
        try
        {
            var values = place is null ? rented.AsSpan(0, count) : new Span<float>(place, count);
            FloatFormats.Widen(new ReadOnlySpan<byte>(stored + view.PointerOffset, count * entry.Type.Size()), entry.Type, values);
            if (!FloatFormats.AreFinite(values))
            {
                throw new InvalidDataException($"{_file}: tensor '{entry.Name}' holds NaN or infinity. The file is damaged, or was saved from a training that diverged.");
            }

            use(values);
        }
        finally
        {
            view.SafeMemoryMappedViewHandle.ReleasePointer();
            if (place is null)
            {
                ArrayPool<float>.Shared.Return(rented);
            }
        }
    }

    private static void ForEachWindow(long total, int size, int threads, Action<long, int> work)
    {
        try
        {
            Parallel.For(0, (total + size - 1) / size, new ParallelOptions { MaxDegreeOfParallelism = threads }, i => work(i * size, (int)Math.Min(size, total - (i * size))));
        }
        catch (AggregateException e) when (e.InnerException is InvalidDataException inner)
        {
            throw new InvalidDataException(inner.Message, inner);
        }
    }

    private static Tensor OnCpu(Tensor target) => target.device_type == DeviceType.CPU && target.is_contiguous() ? target.detach() : empty(target.shape, target.dtype);

    private static void Deliver(Tensor onCpu, Tensor target)
    {
        if (target.device_type != DeviceType.CPU || !target.is_contiguous())
        {
            target.copy_(onCpu);
        }
    }

    private static void* Start(Tensor tensor)
    {
        using var first = tensor.reshape(-1).narrow(0, 0, 1);
        return Unsafe.AsPointer(ref MemoryMarshal.GetReference(first.bytes));
    }
}

using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using FedChain.Protocol.Files;

namespace FedChain.Aggregator;

/// <summary>
/// Reads an update's differences: in place where they are written as they are, and else decoded, code * 2^shift, into memory of the caller's. Any number
/// of threads may read at once.
/// </summary>
internal sealed class DifferenceReader
{
    private readonly UpdatePlaintext _plaintext;
    private readonly UpdateHeader _header;
    private readonly int[] _ends;

    /// <param name="plaintext">The file.</param>
    /// <param name="header">Its header, which fits the layout.</param>
    /// <param name="layout">The federation's.</param>
    /// <param name="factors">The round's.</param>
    public DifferenceReader(UpdatePlaintext plaintext, UpdateHeader header, AdapterLayout layout, Factors factors)
    {
        (_plaintext, _header) = (plaintext, header);
        _ends = [.. layout.Of(factors).Select(t => t.Count)];
        for (var i = 1; i < _ends.Length; i++)
        {
            _ends[i] += _ends[i - 1];
        }
    }

    /// <summary>How many differences there are.</summary>
    public int Count => _ends[^1];

    /// <summary>Some of the differences.</summary>
    /// <param name="start">The first one's index.</param>
    /// <param name="scratch">As many as are wanted, for where they have to be decoded.</param>
    public ReadOnlySpan<int> Read(int start, Span<int> scratch)
    {
        if (_header.Encoding == UpdateEncoding.Int32)
        {
            return _plaintext.Integers<int>(_header.DataOffset + (sizeof(int) * (long)start), scratch.Length);
        }

        Decode(start, scratch);
        return scratch;
    }

    /// <summary>Some of the differences, into <paramref name="target"/>.</summary>
    public void CopyTo(int start, Span<int> target)
    {
        var read = Read(start, target);
        if (_header.Encoding == UpdateEncoding.Int32)
        {
            read.CopyTo(target);
        }
    }

    private void Decode(int start, Span<int> target)
    {
        var found = Array.BinarySearch(_ends, start);
        for (var tensor = found < 0 ? ~found : found + 1; !target.IsEmpty; tensor++)
        {
            var part = target[..Math.Min(target.Length, _ends[tensor] - start)];
            if (_header.Encoding == UpdateEncoding.Int8)
            {
                Shift(_plaintext.Integers<sbyte>(_header.DataOffset + start, part.Length), _header.Shifts[tensor], part);
            }
            else
            {
                Shift(_plaintext.Integers<short>(_header.DataOffset + (sizeof(short) * (long)start), part.Length), _header.Shifts[tensor], part);
            }

            start += part.Length;
            target = target[part.Length..];
        }
    }

    private static void Shift(ReadOnlySpan<sbyte> codes, int shift, Span<int> target)
    {
        var wide = MemoryMarshal.Cast<sbyte, Vector512<sbyte>>(codes);
        var into = MemoryMarshal.Cast<int, Vector512<int>>(target);
        for (var i = 0; i < wide.Length; i++)
        {
            var (low, high) = Vector512.Widen(wide[i]);
            Shift(low, shift, into[(4 * i)..]);
            Shift(high, shift, into[((4 * i) + 2)..]);
        }

        for (var i = wide.Length * Vector512<sbyte>.Count; i < codes.Length; i++)
        {
            target[i] = codes[i] << shift;
        }
    }

    private static void Shift(ReadOnlySpan<short> codes, int shift, Span<int> target)
    {
        var wide = MemoryMarshal.Cast<short, Vector512<short>>(codes);
        var into = MemoryMarshal.Cast<int, Vector512<int>>(target);
        for (var i = 0; i < wide.Length; i++)
        {
            Shift(wide[i], shift, into[(2 * i)..]);
        }

        for (var i = wide.Length * Vector512<short>.Count; i < codes.Length; i++)
        {
            target[i] = codes[i] << shift;
        }
    }

    private static void Shift(Vector512<short> codes, int shift, Span<Vector512<int>> target)
    {
        var (low, high) = Vector512.Widen(codes);
        target[0] = low << shift;
        target[1] = high << shift;
    }
}

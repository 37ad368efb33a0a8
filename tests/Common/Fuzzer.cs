using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.ExceptionServices;

namespace FedChain.Tests;

/// <summary>
/// Feeds a decoder with valid inputs that were changed: bits flipped, ends cut off, lengths and numbers replaced, parts repeated, left out or taken from
/// another input. It must come to an end, throw nothing but what it documents, and allocate no more than a multiple of the input and a constant.
/// The nth input follows from n alone, so that what a failure names can be made again. FEDCHAIN_FUZZ sets how many inputs a decoder gets.
/// </summary>
public static class Fuzzer
{
    private const int Usual = 3000;
    private const int LongestInput = 1 << 16;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2); // for one input: far beyond what a busy machine takes

    private static readonly ulong[] Lengths =
    [
        0, 1, 2, 0x1f, 0x20, 0x37, 0x38, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff, ulong.MaxValue,
    ];

    private static readonly string[] Texts =
    [
        "0", "-1", "1e9", "2147483647", "2147483648", "9007199254740993", "18446744073709551616", "null", "[]", "{}", "\"\"", "\\ud800", "\\u0000", "0x", "[[[[[[[[", "\n", " ", "é",
    ];

    /// <summary>How many inputs each decoder is given.</summary>
    public static int Count { get; } =
        Environment.GetEnvironmentVariable("FEDCHAIN_FUZZ") is { Length: > 0 } text ? int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture) : Usual;

    /// <param name="seeds">Valid inputs.</param>
    /// <param name="decode">Reads one.</param>
    /// <param name="documented">Whether the decoder says that it throws this.</param>
    /// <param name="perByte">The most bytes it may allocate for each byte of input.</param>
    /// <param name="constant">The most bytes it may allocate besides, with the exception that it throws.</param>
    /// <param name="regressions">Inputs, in hex, that were once mishandled.</param>
    public static void Run(
        IReadOnlyList<byte[]> seeds, Action<byte[]> decode, Func<Exception, bool> documented, long perByte, long constant, params IEnumerable<string> regressions)
    {
        foreach (var seed in seeds)
        {
            decode(seed); // valid, or it tests little; and what is allocated once is allocated here
        }

        byte[] current = [];
        var (number, tried) = (-1L, 0L);
        ExceptionDispatchInfo? failure = null;
        var inputs = regressions.Select(Convert.FromHexString).Concat(Enumerable.Range(0, Count).Select(n => Changed(seeds, n)));
        var running = new Thread(() =>
        {
            try
            {
                foreach (var input in inputs)
                {
                    Volatile.Write(ref current, input);
                    Try(input, decode, documented, (perByte * input.Length) + constant);
                    Volatile.Write(ref tried, tried + 1);
                }
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        })
        { IsBackground = true };
        running.Start();
        while (!running.Join(Patience))
        {
            Assert.True(Volatile.Read(ref tried) != number, $"no end after {Patience.TotalSeconds} s: {Convert.ToHexStringLower(Volatile.Read(ref current))}");
            number = Volatile.Read(ref tried);
        }

        failure?.Throw();
    }

    /// <summary>The same for a decoder of streams, which are in memory here, so that it ends on the thread on which it began.</summary>
    public static void RunAsync(
        IReadOnlyList<byte[]> seeds, Func<byte[], Task> decode, Func<Exception, bool> documented, long perByte, long constant, params IEnumerable<string> regressions) =>
        Run(seeds, input => decode(input).GetAwaiter().GetResult(), documented, perByte, constant, regressions);

    private static void Try(byte[] input, Action<byte[]> decode, Func<Exception, bool> documented, long bound)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            decode(input);
        }
        catch (Exception e) when (documented(e))
        {
            // refused
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{e.GetType().Name} ({e.Message}) for {Convert.ToHexStringLower(input)}", e);
        }

        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        if (allocated > bound)
        {
            Assert.Fail($"{allocated} bytes allocated for {input.Length}, at most {bound} allowed: {Convert.ToHexStringLower(input)}");
        }
    }

    private static byte[] Changed(IReadOnlyList<byte[]> seeds, int number)
    {
        var random = new Random(number);
        var input = seeds[random.Next(seeds.Count)].ToList();
        for (var changes = 1 + random.Next(4); changes > 0; changes--)
        {
            Change(input, seeds[random.Next(seeds.Count)], random);
        }

        return [.. input.Take(LongestInput)];
    }

    private static void Change(List<byte> input, byte[] other, Random random)
    {
        var at = random.Next(input.Count + 1);
        var rest = input.Count - at;
        switch (random.Next(9))
        {
            case 0 when rest > 0:
                input[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1 when rest > 0:
                input[at] = (byte)random.Next(256);
                break;
            case 2:
                input.RemoveRange(at, rest);
                break;
            case 3:
                input.RemoveRange(at, Math.Min(rest, random.Next(40)));
                break;
            case 4:
                var piece = input.GetRange(at, Math.Min(rest, 1 + random.Next(64)));
                input.InsertRange(at, Enumerable.Repeat(piece, 1 + random.Next(20)).SelectMany(p => p));
                break;
            case 5:
                var from = random.Next(other.Length + 1);
                input.RemoveRange(at, Math.Min(rest, random.Next(rest + 1)));
                input.InsertRange(at, other.AsSpan(from, random.Next(other.Length - from + 1)).ToArray());
                break;
            case 6:
                var length = Number(random);
                input.RemoveRange(at, Math.Min(rest, length.Length));
                input.InsertRange(at, length);
                break;
            case 7:
                input.RemoveRange(at, Math.Min(rest, random.Next(8)));
                input.InsertRange(at, System.Text.Encoding.UTF8.GetBytes(Texts[random.Next(Texts.Length)]));
                break;
            default:
                var noise = new byte[random.Next(20)];
                random.NextBytes(noise);
                input.InsertRange(at, noise);
                break;
        }
    }

    /// <summary>A length as formats write them: 1, 2, 4, 8 or 32 bytes in either order, or a varint.</summary>
    private static byte[] Number(Random random)
    {
        var value = Lengths[random.Next(Lengths.Length)];
        var big = new byte[32];
        BinaryPrimitives.WriteUInt64BigEndian(big.AsSpan(24), value);
        var size = ((int[])[1, 2, 4, 8, 32, 0])[random.Next(6)];
        if (size > 0)
        {
            var bytes = big[^size..];
            if (random.Next(2) == 0)
            {
                Array.Reverse(bytes);
            }

            return bytes;
        }

        var varint = new List<byte>();
        for (; value >= 0x80; value >>= 7)
        {
            varint.Add((byte)(value | 0x80));
        }

        return [.. varint, (byte)value];
    }
}

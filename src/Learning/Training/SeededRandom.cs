// SplitMix64: state += 0x9e3779b97f4a7c15, output = mix(state). Source: Steele, Lea, Flood, Fast Splittable Pseudorandom Number Generators (OOPSLA 2014).
// Bounded integers without bias: Lemire, Fast Random Integer Generation in an Interval (arXiv 1805.10941).
namespace FedChain.Learning.Training;

/// <summary>A generator that gives the same numbers for a seed in every version and on every machine, which torch's and .NET's don't promise.</summary>
internal sealed class SeededRandom(ulong seed)
{
    private ulong _state = seed;

    public ulong NextUInt64()
    {
        var z = _state += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }

    /// <summary>Uniform from 0 to <paramref name="bound"/> - 1.</summary>
    public int Next(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bound, 1);
        while (true)
        {
            var product = (UInt128)NextUInt64() * (ulong)bound;
            if ((ulong)product >= (0 - (ulong)bound) % (ulong)bound)
            {
                return (int)(product >> 64);
            }
        }
    }

    /// <summary>Uniform from -1 to 1, in steps of 2^-23.</summary>
    public float NextSymmetric() => ((long)(NextUInt64() >> 40) - (1 << 23)) * (1f / (1 << 23));

    /// <summary>Fisher-Yates.</summary>
    public void Shuffle<T>(Span<T> items)
    {
        for (var i = items.Length - 1; i > 0; i--)
        {
            var j = Next(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }
}

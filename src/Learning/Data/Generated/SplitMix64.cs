namespace FedChain.Learning.Data.Generated;

/// <summary>SplitMix64 (Steele, Lea and Flood 2014): the same numbers on every machine and every version of .NET, which <see cref="Random"/> doesn't promise.</summary>
internal sealed class SplitMix64(ulong seed)
{
    private ulong _state = seed;

    public ulong Next()
    {
        _state += 0x9E3779B97F4A7C15;
        var z = _state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>Uniform in [0, bound).</summary>
    public int Below(int bound) => (int)(((UInt128)Next() * (ulong)bound) >> 64);

    /// <summary>Uniform in [from, to].</summary>
    public int Between(int from, int to) => from + Below(to - from + 1);

    public T Pick<T>(IReadOnlyList<T> items) => items[Below(items.Count)];

    public string Either(params ReadOnlySpan<string> items) => items[Below(items.Length)];

    /// <summary>A generator of its own for a part, so that the parts don't depend on each other's length.</summary>
    public static SplitMix64 For(ulong seed, string part) => new(seed ^ SplitByHash.Order("generate", part));
}

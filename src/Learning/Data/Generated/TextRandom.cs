using FedChain.Learning.Training;

namespace FedChain.Learning.Data.Generated;

/// <summary>The choices of a grammar, drawn from a seed: the same on every machine and every version of .NET.</summary>
internal sealed class TextRandom
{
    private readonly SeededRandom _random;

    private TextRandom(SeededRandom random) => _random = random;

    /// <summary>A generator of its own for a part, so that the parts don't depend on each other's length.</summary>
    public static TextRandom For(ulong seed, string part) => new(new SeededRandom(seed ^ SplitByHash.Order("generate", part)));

    /// <summary>Uniform in [0, bound).</summary>
    public int Below(int bound) => _random.Next(bound);

    /// <summary>Uniform in [from, to].</summary>
    public int Between(int from, int to) => from + _random.Next(to - from + 1);

    public T Pick<T>(IReadOnlyList<T> items) => items[_random.Next(items.Count)];

    public string Either(params ReadOnlySpan<string> items) => items[_random.Next(items.Length)];
}

namespace FedChain.Protocol.Ethereum.Keys;

/// <summary>What a new key file costs to open, and thus to guess at: time and 128 · N · r bytes of memory.</summary>
public sealed class KeystoreOptions
{
    /// <summary>For tests and demonstrations whose keys guard nothing.</summary>
    public static KeystoreOptions Light { get; } = new() { N = 1 << 10 };

    /// <summary>A power of two from 2 on; by default 2^18, as geth writes it: 256 MiB, about a second.</summary>
    public int N { get; init; } = 1 << 18;

    /// <summary>Block size, from 1 on; by default 8.</summary>
    public int R { get; init; } = 8;

    /// <summary>Lanes, from 1 on; by default 1.</summary>
    public int P { get; init; } = 1;
}

using System.Numerics;

namespace FedChain.Network.Chain;

/// <summary>How to talk to a node, and how to follow and write the chain behind it.</summary>
public sealed class ChainOptions
{
    /// <summary>For one HTTP request; by default 30 s.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often a request is repeated after a transient failure, from 0 on; by default 4.</summary>
    public int Retries { get; init; } = 4;

    /// <summary>The wait before the first repetition; it doubles each time. By default 200 ms.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The most bytes of one answer; by default 64 MiB.</summary>
    public int MaxResponseBytes { get; init; } = 64 << 20;

    /// <summary>The most requests in one batch, from 1 on; by default 50.</summary>
    public int MaxBatch { get; init; } = 50;

    /// <summary>The most blocks to ask for logs of at once; halved where a node wants less. By default 10,000.</summary>
    public ulong MaxLogRange { get; init; } = 10_000;

    /// <summary>The chain that is meant, where several nodes might be on different ones; by default the one that all of them are on.</summary>
    public ulong? ChainId { get; init; }

    /// <summary>How many blocks a node may be behind the highest of the others before it is passed over; by default 5.</summary>
    public ulong MaxLag { get; init; } = 5;

    /// <summary>How long a node that failed is passed over at first; twice as long each time, up to 5 minutes. By default 5 s.</summary>
    public TimeSpan ProviderRest { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Between two looks at all nodes, where there are several; by default 30 s.</summary>
    public TimeSpan ProviderLookInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Blocks that must follow a block before its events and receipts count; by default 0, for chains of one node.</summary>
    public ulong Confirmations { get; init; }

    /// <summary>Between two looks for a receipt; by default 1 s.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a transaction may wait before it is sent again with higher fees; by default 60 s.</summary>
    public TimeSpan ReplaceAfter { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The most that a transaction may pay for each gas, in wei, base fee and tip together; by default 500 gwei.</summary>
    public BigInteger MaxFee { get; init; } = 500_000_000_000;

    /// <summary>The tip in wei where the node suggests none; by default 1 gwei.</summary>
    public BigInteger DefaultTip { get; init; } = 1_000_000_000;
}

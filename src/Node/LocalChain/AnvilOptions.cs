namespace FedChain.Node.LocalChain;

/// <summary>How to run the local chain.</summary>
public sealed record AnvilOptions
{
    /// <summary>The folder that holds package-lock.json and node_modules.</summary>
    public required string RepositoryRoot { get; init; }

    /// <summary>The port on 127.0.0.1; 0, the default, takes a free one.</summary>
    public int Port { get; init; }

    /// <summary>Default 31337.</summary>
    public ulong ChainId { get; init; } = 31337;

    /// <summary>Where the chain is kept: loaded if it exists, saved on a graceful stop and at an interval. Null: nowhere.</summary>
    public string? StateFile { get; init; }

    /// <summary>How often the state is saved while running, in whole seconds; default 5. What came later is lost if the machine fails.</summary>
    public TimeSpan SaveInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long it may take until it listens; default 30 s. Loading a long chain takes longer.</summary>
    public TimeSpan StartLimit { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>For how many blocks back it can be asked for a balance or a call; default 128. Older states are dropped, and none is written into the user's home, where nobody would delete it.</summary>
    public int PastStates { get; init; } = 128;

    /// <summary>A block at this interval. Null, the default: one at once for each transaction.</summary>
    public TimeSpan? BlockTime { get; init; }
}

namespace FedChain.Node.Demo;

/// <summary>What the demonstration is asked to do.</summary>
public sealed record DemoOptions
{
    public const int MostMembers = 16;

    /// <summary>
    /// Institutions in all, 2 to 16; with <see cref="Data"/> as many as the folder has, if not given. From three on, and with at least two rounds, the
    /// last one is no founder: it is admitted by vote before the last round.
    /// </summary>
    public int? Members { get; init; }

    /// <summary>Rounds in all.</summary>
    public int Rounds { get; init; } = DemoDefaults.Rounds;

    /// <summary>Fixes data, first adapter and order of records: the same seed gives the same global adapters. Keys are always random.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>A folder of *.jsonl or *.jsonl.gz, one institution each; null for the demo's own generated text.</summary>
    public string? Data { get; init; }

    /// <summary>A base model in Hugging Face layout; null for the one that comes with the program.</summary>
    public string? Model { get; init; }

    /// <summary>Where everything goes: a new or empty folder.</summary>
    public required string Home { get; init; }

    public string? Report { get; init; }
}

using FedChain.Network.Chain;
using FedChain.Node.Training;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Files;

namespace FedChain.Node.Demo;

/// <summary>Sizes at which the demonstration shows something in a few minutes on two cores.</summary>
internal static class DemoDefaults
{
    /// <summary>Four found the federation; the fifth is admitted by vote.</summary>
    public const int Members = 5;

    /// <summary>Three by the founders, then one with the newcomer.</summary>
    public const int Rounds = 4;

    public const int PollMilliseconds = 30;

    public static LocalTraining Training { get; } = new() { Steps = 30, BatchSize = 8, LearningRate = 1e-2, MaxValidationRecords = 16 };

    public static AdapterConfig Adapter { get; } =
        new(rank: 8, alpha: 16, ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]);

    /// <summary>A local chain answers at once, so it is asked often.</summary>
    public static ChainOptions Chain { get; } = new() { PollInterval = TimeSpan.FromMilliseconds(20) };

    /// <summary>Time for voting: far more than is needed on the slowest machine, since once all have voted, the local chain's clock is moved past it.</summary>
    public static TimeSpan VotingPeriod => TimeSpan.FromMinutes(2);

    /// <summary>Deadlines far beyond what is needed: the chain's clock runs ahead, since each block is at least a second after the last.</summary>
    public static PolicyParams Params(int rounds) => new(Training: 1800, Publishing: 300, Attesting: 300, Interval: 0, Minimum: 1, MaxTurns: 4, Rounds: (uint)rounds);
}

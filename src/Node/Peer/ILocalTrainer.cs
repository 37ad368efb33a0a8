using FedChain.Protocol;
using FedChain.Protocol.Files;
using FedChain.Protocol.Numerics;

namespace FedChain.Node.Peer;

/// <summary>What a peer needs from the learning engine. The tests of the protocol put a trainer of small integer vectors in its place.</summary>
public interface ILocalTrainer
{
    /// <summary>Names and shapes of the adapter's tensors, from the base model and the policy.</summary>
    AdapterLayout Layout { get; }

    /// <summary>Names base model and validation records: losses on one set can be compared with each other, and with no others.</summary>
    Hash256 ValidationSet { get; }

    /// <summary>The most bytes that it has in <see cref="TrainingTask.Folder"/> at a time, checkpoints and all.</summary>
    long WorkingBytes => 0;

    /// <summary>Trains a round's factors on the institution's own records. Cancelled or killed, the same task goes on where it was.</summary>
    Task<TrainedAdapter> TrainAsync(TrainingTask task, IProgress<TrainingStep> progress, CancellationToken cancellationToken);

    /// <summary>The loss of an adapter on the institution's validation records, as <see cref="TrainedAdapter.StartLoss"/> would be.</summary>
    Task<Micronats> MeasureAsync(Adapter adapter, CancellationToken cancellationToken);
}

/// <summary>What a round asks of a trainer.</summary>
/// <param name="Round">Seeds the order of the records together with the institution's own seed.</param>
/// <param name="Progress">How far the federation's rounds are.</param>
/// <param name="Start">The adapter that the round starts from.</param>
/// <param name="Factors">What is trained.</param>
/// <param name="Folder">Where the trainer keeps what it needs for going on, in this round and in later ones. It is there, and the trainer's alone.</param>
/// <param name="Earlier">The same of earlier rounds, the latest first.</param>
/// <param name="Tell">Takes sentences for the operator, of files there that can't be read or written.</param>
public sealed record TrainingTask(RoundId Round, RoundsProgress Progress, Adapter Start, Factors Factors, string Folder, IEnumerable<string> Earlier, Action<string> Tell);

/// <summary>How far a federation's rounds from its genesis on are: what everybody's learning rate goes by.</summary>
/// <param name="Finalised">Rounds finalised since the genesis.</param>
/// <param name="Rounds">
/// Rounds that could be opened under the policy of the first of them, at least 1. Votes for other policies and for more rounds change nothing here, so
/// that <paramref name="Finalised"/> may go beyond it.
/// </param>
public readonly record struct RoundsProgress(int Finalised, int Rounds);

/// <param name="Loss">Of this step's batch, nats per token.</param>
public sealed record TrainingStep(int Step, int Steps, double Loss, double TokensPerSecond, int Records, int CutRecords);

/// <param name="Samples">How many records were trained on.</param>
/// <param name="BaseModelLoss">Of the untouched base model on the institution's validation records.</param>
/// <param name="StartLoss">Of the adapter that training started from.</param>
/// <param name="ResultLoss">Of <paramref name="Adapter"/>.</param>
/// <param name="OwnLoss">Of <paramref name="Adapter"/> with the institution's own beside it; null where it has none.</param>
public sealed record TrainedAdapter(Adapter Adapter, long Samples, Micronats BaseModelLoss, Micronats StartLoss, Micronats ResultLoss, Micronats? OwnLoss = null);

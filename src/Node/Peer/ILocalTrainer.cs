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

    /// <summary>Trains the given factors from <paramref name="start"/> on the institution's own records.</summary>
    /// <param name="round">Seeds the order of the records together with the institution's own seed.</param>
    Task<TrainedAdapter> TrainAsync(RoundId round, Adapter start, Factors factors, IProgress<TrainingStep> progress, CancellationToken cancellationToken);

    /// <summary>The loss of an adapter on the institution's validation records, as <see cref="TrainedAdapter.StartLoss"/> would be.</summary>
    Task<Micronats> MeasureAsync(Adapter adapter, CancellationToken cancellationToken);
}

/// <param name="Loss">Of this step's batch, nats per token.</param>
public sealed record TrainingStep(int Step, int Steps, double Loss, double TokensPerSecond, int Records, int CutRecords);

/// <param name="Samples">How many records were trained on.</param>
/// <param name="BaseModelLoss">Of the untouched base model on the institution's validation records.</param>
/// <param name="StartLoss">Of the adapter that training started from.</param>
/// <param name="ResultLoss">Of <paramref name="Adapter"/>.</param>
public sealed record TrainedAdapter(Adapter Adapter, long Samples, Micronats BaseModelLoss, Micronats StartLoss, Micronats ResultLoss);

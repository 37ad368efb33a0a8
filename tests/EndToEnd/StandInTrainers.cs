using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Files;
using FedChain.Protocol.Numerics;

namespace FedChain.EndToEnd.Tests;

/// <summary>Never comes to an end: its peer is caught in the middle of the training phase.</summary>
internal sealed class EndlessTrainer(AdapterLayout layout) : ILocalTrainer
{
    public AdapterLayout Layout => layout;

    public Hash256 ValidationSet => default;

    public Task<Micronats> MeasureAsync(Adapter adapter, CancellationToken cancellationToken) => Task.FromResult(default(Micronats));

    public async Task<TrainedAdapter> TrainAsync(RoundId round, Adapter start, Factors factors, IProgress<TrainingStep> progress, CancellationToken cancellationToken)
    {
        progress.Report(new TrainingStep(1, 2, 1, 1, 1, 0));
        await Task.Delay(Timeout.Infinite, cancellationToken);
        throw new InvalidOperationException("Only a cancellation ends this.");
    }
}

/// <summary>Must not be asked: its peer has trained already.</summary>
internal sealed class IdleTrainer(AdapterLayout layout) : ILocalTrainer
{
    public int Asked { get; private set; }

    public AdapterLayout Layout => layout;

    public Hash256 ValidationSet => default;

    public Task<Micronats> MeasureAsync(Adapter adapter, CancellationToken cancellationToken) => Task.FromResult(default(Micronats));

    public Task<TrainedAdapter> TrainAsync(RoundId round, Adapter start, Factors factors, IProgress<TrainingStep> progress, CancellationToken cancellationToken)
    {
        Asked++;
        throw new InvalidOperationException($"Round {round} was trained for before.");
    }
}

/// <summary>Waits until it may.</summary>
internal sealed class HeldTrainer(ILocalTrainer trainer, Task may) : ILocalTrainer
{
    public AdapterLayout Layout => trainer.Layout;

    public Hash256 ValidationSet => trainer.ValidationSet;

    public Task<Micronats> MeasureAsync(Adapter adapter, CancellationToken cancellationToken) => trainer.MeasureAsync(adapter, cancellationToken);

    public async Task<TrainedAdapter> TrainAsync(RoundId round, Adapter start, Factors factors, IProgress<TrainingStep> progress, CancellationToken cancellationToken)
    {
        await may.WaitAsync(cancellationToken);
        return await trainer.TrainAsync(round, start, factors, progress, cancellationToken);
    }
}

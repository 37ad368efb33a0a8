using System.Collections.Concurrent;
using FedChain.Learning.Training;
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

    public async Task<TrainedAdapter> TrainAsync(TrainingTask task, IProgress<TrainingStep> progress, CancellationToken cancellationToken)
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

    public Task<TrainedAdapter> TrainAsync(TrainingTask task, IProgress<TrainingStep> progress, CancellationToken cancellationToken)
    {
        Asked++;
        throw new InvalidOperationException($"Round {task.Round} was trained for before.");
    }
}

/// <summary>Waits until it may.</summary>
internal sealed class HeldTrainer(ILocalTrainer trainer, Task may) : ILocalTrainer
{
    public AdapterLayout Layout => trainer.Layout;

    public Hash256 ValidationSet => trainer.ValidationSet;

    public Task<Micronats> MeasureAsync(Adapter adapter, CancellationToken cancellationToken) => trainer.MeasureAsync(adapter, cancellationToken);

    public async Task<TrainedAdapter> TrainAsync(TrainingTask task, IProgress<TrainingStep> progress, CancellationToken cancellationToken)
    {
        await may.WaitAsync(cancellationToken);
        return await trainer.TrainAsync(task, progress, cancellationToken);
    }
}

/// <summary>Adds to each tensor's first value a thousand times the member's number and to the others 3, which a byte a value can't hold beside it.</summary>
internal sealed class SkewedTrainer(AdapterLayout layout, int member) : ILocalTrainer
{
    public AdapterLayout Layout => layout;

    public Hash256 ValidationSet => default;

    /// <summary>What it adds to the value at a place of the layout.</summary>
    public static int Step(AdapterLayout layout, int member, int at) => layout.Tensors.Any(t => t.Offset == at) ? 1000 * member : 3;

    public Task<Micronats> MeasureAsync(Adapter adapter, CancellationToken cancellationToken) => Task.FromResult(new Micronats(2));

    public Task<TrainedAdapter> TrainAsync(TrainingTask task, IProgress<TrainingStep> progress, CancellationToken cancellationToken)
    {
        int[] values = [.. task.Start.Values.ToArray().Select(v => v + 3)];
        foreach (var tensor in layout.Tensors)
        {
            values[tensor.Offset] += Step(layout, member, tensor.Offset) - 3;
        }

        progress.Report(new TrainingStep(1, 1, 1, 1, 1, 0));
        return Task.FromResult(new TrainedAdapter(new Adapter(layout, task.Start.FractionBits, values), 1, new Micronats(3), new Micronats(2), new Micronats(1)));
    }
}

/// <summary>Diverges in its first round, and does as another one after it.</summary>
internal sealed class DivergingTrainer(ILocalTrainer trainer) : ILocalTrainer
{
    private readonly List<RoundId> _asked = [];

    /// <summary>The rounds that it was asked to train for, each as often as it was.</summary>
    public IReadOnlyList<RoundId> Asked => _asked;

    public AdapterLayout Layout => trainer.Layout;

    public Hash256 ValidationSet => trainer.ValidationSet;

    public Task<Micronats> MeasureAsync(Adapter adapter, CancellationToken cancellationToken) => trainer.MeasureAsync(adapter, cancellationToken);

    public Task<TrainedAdapter> TrainAsync(TrainingTask task, IProgress<TrainingStep> progress, CancellationToken cancellationToken)
    {
        _asked.Add(task.Round);
        return task.Round.Value == 1 ? throw new TrainingDivergedException(step: 5, lastGoodStep: 3, "The loss") : trainer.TrainAsync(task, progress, cancellationToken);
    }
}

/// <summary>Trains for a round when that is opened to it.</summary>
internal sealed class GatedTrainer(ILocalTrainer trainer) : ILocalTrainer
{
    private readonly ConcurrentDictionary<RoundId, TaskCompletionSource> _gates = [];

    public AdapterLayout Layout => trainer.Layout;

    public Hash256 ValidationSet => trainer.ValidationSet;

    public void Open(RoundId round) => GateOf(round).TrySetResult();

    public Task<Micronats> MeasureAsync(Adapter adapter, CancellationToken cancellationToken) => trainer.MeasureAsync(adapter, cancellationToken);

    public async Task<TrainedAdapter> TrainAsync(TrainingTask task, IProgress<TrainingStep> progress, CancellationToken cancellationToken)
    {
        await GateOf(task.Round).Task.WaitAsync(cancellationToken);
        return await trainer.TrainAsync(task, progress, cancellationToken);
    }

    private TaskCompletionSource GateOf(RoundId round) => _gates.GetOrAdd(round, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
}

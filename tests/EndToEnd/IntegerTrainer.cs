using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Files;
using FedChain.Protocol.Numerics;

namespace FedChain.EndToEnd.Tests;

/// <summary>Stands in for the learning engine where only the protocol matters: adds the member's number to every value of the round's factors.</summary>
/// <param name="layout">Of the adapters.</param>
/// <param name="member">The member's number.</param>
/// <param name="loss">What an adapter is worth on the validation set; if not given, all are worth the same.</param>
/// <param name="samples">How many records it says that it trained on.</param>
internal sealed class IntegerTrainer(AdapterLayout layout, int member, Func<Adapter, Micronats>? loss = null, long samples = 1) : ILocalTrainer
{
    public AdapterLayout Layout => layout;

    public Hash256 ValidationSet => default;

    public Task<TrainedAdapter> TrainAsync(TrainingTask task, IProgress<TrainingStep> progress, CancellationToken cancellationToken)
    {
        var values = task.Start.Values.ToArray();
        foreach (var tensor in layout.Of(task.Factors))
        {
            foreach (ref var value in values.AsSpan(tensor.Offset, tensor.Count))
            {
                value += member;
            }
        }

        progress.Report(new TrainingStep(1, 1, 1, 1, 1, 0));
        return Task.FromResult(new TrainedAdapter(new Adapter(layout, task.Start.FractionBits, values), samples, new Micronats(3), LossOf(task.Start), new Micronats(1)));
    }

    public Task<Micronats> MeasureAsync(Adapter adapter, CancellationToken cancellationToken) => Task.FromResult(LossOf(adapter));

    private Micronats LossOf(Adapter adapter) => loss?.Invoke(adapter) ?? new Micronats(2);
}

using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Files;
using FedChain.Protocol.Numerics;

namespace FedChain.EndToEnd.Tests;

/// <summary>Stands in for the learning engine where only the protocol matters: adds the member's number to every value of the round's factors.</summary>
internal sealed class IntegerTrainer(AdapterLayout layout, int member) : ILocalTrainer
{
    public AdapterLayout Layout => layout;

    public Task<TrainedAdapter> TrainAsync(RoundId round, Adapter start, Factors factors, IProgress<TrainingStep> progress, CancellationToken cancellationToken)
    {
        var values = start.Values.ToArray();
        foreach (var tensor in layout.Of(factors))
        {
            foreach (ref var value in values.AsSpan(tensor.Offset, tensor.Count))
            {
                value += member;
            }
        }

        progress.Report(new TrainingStep(1, 1, 1, 1, 1, 0));
        return Task.FromResult(new TrainedAdapter(new Adapter(layout, start.FractionBits, values), 1, new Micronats(3), new Micronats(2), new Micronats(1)));
    }
}

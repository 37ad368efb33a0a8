using FedChain.Node.Adapters;
using FedChain.Protocol;
using FedChain.Protocol.Numerics;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Peer;

/// <summary>
/// Says what each global adapter is worth on this institution's own validation set, and when an earlier one was worth more. Training measures its
/// start in any case; only where none follows soon, the adapter is measured for itself.
/// </summary>
internal sealed class Measurement(PeerContext context)
{
    public async Task MeasureAsync(FederationState federation, RoundState round, CancellationToken cancellationToken)
    {
        var digest = round.Winner!.Aggregate;
        var adapter = context.ReadAdapter(digest, PeerContext.PolicyOf(federation, round));
        Note(federation, round, await context.Trainer.MeasureAsync(adapter, cancellationToken));
    }

    /// <summary>Notes what a training measured of the base model and of the adapter that it started from.</summary>
    public void Note(FederationState federation, Hash256 start, TrainedAdapter trained)
    {
        context.Losses.Note(AdapterLoss.OfBaseModel(trained.BaseModelLoss));
        if (federation.Rounds.LastOrDefault(r => r.Winner?.Aggregate == start) is { } round)
        {
            Note(federation, round, trained.StartLoss);
        }
    }

    private void Note(FederationState federation, RoundState round, Micronats loss)
    {
        var measured = new AdapterLoss(round.Id, round.Winner!.Aggregate, loss);
        var isNew = context.Losses.Losses.Of(measured.Adapter) is null;
        context.Losses.Note(measured);
        if (isNew)
        {
            var best = context.Losses.Losses.BestBefore(measured, Stands);
            context.Tell(new PeerEvent.AdapterMeasured(round.Id.Value, loss.Nats, best?.Round.Value, best?.Loss.Nats));
        }

        bool Stands(AdapterLoss earlier) => earlier.Round.Value == 0 || federation.Round(earlier.Round)?.Winner?.Aggregate == earlier.Adapter;
    }
}

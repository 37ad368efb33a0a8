using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Peer;

/// <summary>Gets the adapter that a round starts from: the genesis, which everybody can compute, or a global adapter that others hold.</summary>
internal sealed class BaseAdapters(PeerContext context)
{
    public async Task ObtainAsync(FederationState federation, RoundState round, CancellationToken cancellationToken)
    {
        if (context.HasAdapter(round.Base))
        {
            return;
        }

        var policy = PeerContext.PolicyOf(federation, round);
        var first = Adapter.First(context.Trainer.Layout, policy.Seed, policy.Adapter.FractionBits);
        if (AdapterFile.Digest(first) == round.Base)
        {
            context.WriteAdapter(first, round.Base);
            return;
        }

        var source = federation.Rounds.LastOrDefault(r => r.Winner?.Aggregate == round.Base)
            ?? throw new InvalidDataException(
                $"round {round.Id} starts from {round.Base}, which no round finalised, and the genesis that this model and the policy make is {AdapterFile.Digest(first)}. "
                + "Is this home's base model the one that the policy names?");
        var winner = source.Winner!;
        var manifest = GlobalManifest.Parse(await context.Content.ManifestAsync(source, winner.Aggregator, winner.Manifest, cancellationToken));
        var (plaintext, _) = await context.Content.OpenAsync(
            source, winner.Aggregator, manifest.Payload!.Value, manifest.Size, winner.Aggregate, AdapterFile.LengthOf(context.Trainer.Layout), cancellationToken);
        using var file = new MemoryStream(plaintext);
        context.WriteAdapter(AdapterFile.Read(file, file.Length, policy.Adapter.FractionBits, context.Trainer.Layout, out var digest), digest);
    }
}

using FedChain.Network;
using FedChain.Protocol;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Peer;

/// <summary>Gets an adapter that this home lacks: the genesis, which everybody can compute, or a global adapter that others hold.</summary>
internal sealed class BaseAdapters(PeerContext context)
{
    public async Task ObtainAsync(FederationState federation, RoundState round, Hash256 digest, CancellationToken cancellationToken)
    {
        if (context.HasAdapter(digest))
        {
            return;
        }

        var policy = PeerContext.PolicyOf(federation, round);
        var first = Adapter.First(context.Trainer.Layout, policy.Seed, policy.Adapter.FractionBits);
        if (AdapterFile.Digest(first) == digest)
        {
            context.WriteAdapter(first, digest);
            Crash.At(CrashPoint.GenesisMade);
            return;
        }

        var source = federation.Rounds.LastOrDefault(r => r.Winner?.Aggregate == digest)
            ?? throw new InvalidDataException(
                $"round {round.Id} needs {digest}, which no round finalised, and the genesis that this model and the policy make is {AdapterFile.Digest(first)}. "
                + "Is this home's base model the one that the policy names?");
        var winner = source.Winner!;
        var manifest = GlobalManifest.Parse(await context.Content.ManifestAsync(source, winner.Aggregator, winner.Manifest, cancellationToken));
        using (var opened = await context.Content.OpenAsync(
            source, winner.Aggregator, manifest.Payload!.Value, manifest.Size, winner.Aggregate, AdapterFile.LengthOf(context.Trainer.Layout), cancellationToken))
        {
            Crash.At(CrashPoint.AdapterFetched);
            using var file = new MemoryStream(opened.Plaintext);
            context.WriteAdapter(AdapterFile.Read(file, file.Length, policy.Adapter.FractionBits, context.Trainer.Layout, out var found), found);
            Crash.At(CrashPoint.AdapterKept);
            context.Tell(new PeerEvent.AdapterObtained(source.Id.Value, digest.ToString(), opened.From));
        }

        await new Velocities(context).AfterAsync(source, cancellationToken); // who starts from the adapter recomputes the next one from both
    }
}

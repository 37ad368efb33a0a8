using FedChain.Network;
using FedChain.Node.Homes;
using FedChain.Protocol;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Peer;

/// <summary>What server momentum carries from one finalised round to the next: kept by who recomputed it, fetched by who did not.</summary>
internal sealed class Velocities(PeerContext context)
{
    /// <summary>The velocity that a round goes on from; null, which is zero, after a reset, where the round before carried none, and for other rules.</summary>
    /// <exception cref="ContentUnavailableException">There is one, and nobody serves it now.</exception>
    public async Task<StateVector?> BeforeAsync(FederationState federation, RoundState round, CancellationToken cancellationToken)
    {
        if (PeerContext.PolicyOf(federation, round).Rule is not AggregationRule.Momentum || federation.FinalisedBefore(round).FirstOrDefault() is not { } source)
        {
            return null;
        }

        return await AfterAsync(source, cancellationToken);
    }

    /// <summary>The velocity that a finalised round carries on, read from the home or else from who serves it; null if it carries none.</summary>
    /// <exception cref="ContentUnavailableException">There is one, and nobody serves it now.</exception>
    public async Task<StateVector?> AfterAsync(RoundState round, CancellationToken cancellationToken)
    {
        var winner = round.Winner!;
        var manifest = GlobalManifest.Parse(await context.Content.ManifestAsync(round, winner.Aggregator, winner.Manifest, cancellationToken));
        if (manifest.State is not { } state)
        {
            return null;
        }

        var path = context.Home.VelocityFile(state.Plaintext);
        if (!File.Exists(path))
        {
            using var opened = await context.Content.OpenAsync(
                round, winner.Aggregator, state.Payload, state.Size, state.Plaintext, StateFile.LengthOf(StateKind.Velocity, context.Trainer.Layout), cancellationToken);
            Crash.At(CrashPoint.VelocityFetched);
            AtomicFile.Write(path, opened.Plaintext);
            Crash.At(CrashPoint.VelocityKept);
            context.Tell(new PeerEvent.VelocityObtained(round.Id.Value, state.Plaintext.ToString(), opened.From));
        }

        return PeerContext.ReadNamed(path, state.Plaintext, file => (StateFile.Read(file, file.Length, StateKind.Velocity, context.Trainer.Layout, out var digest), digest));
    }

    /// <summary>Keeps a velocity that was computed here.</summary>
    public Hash256 Write(StateVector velocity)
    {
        using var bytes = new MemoryStream();
        var digest = StateFile.Write(bytes, StateKind.Velocity, velocity);
        AtomicFile.Write(context.Home.VelocityFile(digest), bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
        Crash.At(CrashPoint.VelocityWritten);
        return digest;
    }
}

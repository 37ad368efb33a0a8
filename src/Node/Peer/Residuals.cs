using FedChain.Node.Homes;
using FedChain.Protocol;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Peer;

/// <summary>
/// What encoding left out of this member's updates. Each update's residual lies in the folder of its round, and the one in force is that of the latest
/// update that entered a finalised aggregate under the genesis: nothing has to be undone when a round comes to nothing, and a lost file counts as zero.
/// </summary>
internal sealed class Residuals(PeerContext context)
{
    /// <summary>The residual to be added to an update of this round.</summary>
    public async Task<StateVector> BeforeAsync(FederationState federation, RoundState round, CancellationToken cancellationToken)
    {
        var source = await SourceAsync(federation, round, context.Me, async earlier =>
        {
            var winner = earlier.Winner!;
            return GlobalManifest.Parse(await context.Content.ManifestAsync(earlier, winner.Aggregator, winner.Manifest, cancellationToken)).Included;
        });
        return source is null ? StateVector.Zero(context.Trainer.Layout) : Read(context.FolderOf(source).Own, source.SubmissionOf(context.Me)!);
    }

    /// <summary>The latest round before this one, finalised under its genesis, whose aggregate has the member's update; null if there is none.</summary>
    /// <param name="included">Reads which submissions a finalised round's aggregate was made of.</param>
    internal static async Task<RoundState?> SourceAsync(FederationState federation, RoundState round, MemberId me, Func<RoundState, Task<SubmissionBitmap>> included)
    {
        foreach (var earlier in federation.FinalisedBefore(round))
        {
            if (earlier.SubmissionOf(me) is { } mine && (await included(earlier))[mine.Index])
            {
                return earlier;
            }
        }

        return null;
    }

    /// <summary>Notes what an update leaves out, before its manifest is written.</summary>
    public static void Write(OwnUpdate update, StateVector residual)
    {
        if (residual.Values.IndexOfAnyExcept(0) < 0)
        {
            File.Delete(update.ResidualPath);
            return;
        }

        using var bytes = new MemoryStream();
        StateFile.Write(bytes, StateKind.Residual, residual);
        AtomicFile.Write(update.ResidualPath, bytes.GetBuffer().AsSpan(0, (int)bytes.Length), secret: true);
    }

    private StateVector Read(OwnUpdate update, Submission mine)
    {
        if (!File.Exists(update.ResidualPath) || update.ReadManifest() is not { } manifest || OwnUpdate.DigestOf(manifest) != mine.Manifest)
        {
            return StateVector.Zero(context.Trainer.Layout);
        }

        try
        {
            using var file = File.OpenRead(update.ResidualPath);
            return StateFile.Read(file, file.Length, StateKind.Residual, context.Trainer.Layout, out _);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            context.TellDamage(AtomicFile.PutAside(update.ResidualPath, e.Message));
            return StateVector.Zero(context.Trainer.Layout);
        }
    }
}

using System.Security.Cryptography;
using FedChain.Learning.Training;
using FedChain.Network;
using FedChain.Network.Content;
using FedChain.Node.Homes;
using FedChain.Protocol;
using FedChain.Protocol.Content;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Peer;

/// <summary>A member's own part in a round: train, seal, submit the digest, and serve the update once the submissions are closed.</summary>
internal sealed class Contribution(PeerContext context)
{
    private readonly Measurement _measurement = new(context);
    private readonly Residuals _residuals = new(context);

    /// <summary>For tests of lying members. Never set by the program.</summary>
    internal Deceit? Deceit { get; init; }

    /// <summary>
    /// Trains, then writes plaintext, residual, sealed file and, last, the manifest: only what has a manifest counts as done. A training that diverges costs this
    /// member the round, and nobody else anything.
    /// </summary>
    public async Task TrainAsync(FederationState federation, RoundState round, CancellationToken cancellationToken)
    {
        var policy = PeerContext.PolicyOf(federation, round);
        var factors = policy.FactorsAt(round.FinalisedBefore);
        var start = context.ReadAdapter(round.Base, policy);
        var before = await _residuals.BeforeAsync(federation, round, cancellationToken);
        var folder = context.FolderOf(round);
        var first = federation.FinalisedBefore(round).LastOrDefault() ?? round;
        var progress = new RoundsProgress((int)Math.Min(round.FinalisedBefore, int.MaxValue), (int)federation.Policies[first.Policy].Params.Rounds);
        var task = new TrainingTask(round.Id, progress, start, factors, folder.Trainer, folder.EarlierTrainers, context.TellDamage);
        var began = context.Time.GetTimestamp();
        TrainedAdapter trained;
        Crash.At(CrashPoint.TrainingBegun);
        try
        {
            trained = await context.Trainer.TrainAsync(task, new Relay(context, round.Id, factors), cancellationToken);
        }
        catch (TrainingDivergedException e)
        {
            context.Diverged[(round.Id, round.Base, round.Policy)] = true;
            context.Tell(new PeerEvent.Diverged(round.Id.Value, e.Step, e.LastGoodStep, e.Message));
            return;
        }

        context.Tell(new PeerEvent.Trained(
            round.Id.Value, trained.BaseModelLoss.Nats, trained.StartLoss.Nats, trained.ResultLoss.Nats, trained.OwnLoss?.Nats, context.Time.GetElapsedTime(began).TotalSeconds));
        Crash.At(CrashPoint.TrainingDone);
        _measurement.Note(federation, round.Base, trained);
        Crash.At(CrashPoint.LossNoted);

        var own = folder.Own;
        var id = context.Identity;
        var metadata = new UpdateMetadata(
            id.ChainId, id.Rounds, round.Id, context.Me, round.Policy, round.Base, new Hash256(RandomNumberGenerator.GetBytes(Hash256.Size)),
            Math.Min(trained.Samples, policy.MostSamples), new UpdateLosses(trained.BaseModelLoss, trained.StartLoss, trained.ResultLoss));
        var (update, residual) = ErrorFeedback.Encode(policy.Encoding, start, factors, trained.Adapter.DifferenceTo(start, factors), before);
        Hash256 plaintext;
        var unfinished = own.PlaintextPath + AtomicFile.Unfinished;
        await using (var file = File.Create(unfinished))
        {
            plaintext = UpdateFile.Write(file, metadata, update);
            file.Flush(flushToDisk: true);
        }

        AtomicFile.Replace(unfinished, own.PlaintextPath);
        Crash.At(CrashPoint.PlaintextWritten);
        Residuals.Write(own, residual);
        Crash.At(CrashPoint.ResidualWritten);
        var recipients = Sealing.RecipientsOf(round, policy.PostQuantum).Recipients;
        await Sealing.SealAsync(own.PlaintextPath, own.SealedPath, Deceit?.SealTo?.Invoke(round.Id, recipients) ?? recipients, cancellationToken);
        Crash.At(CrashPoint.UpdateSealed);
        await using var sealedFile = File.OpenRead(own.SealedPath);
        var size = sealedFile.Length;
        var payload = await UnixFsImporter.ImportAsync(sealedFile, UnixFsLayout.Default, sink: null, cancellationToken);
        own.WriteManifest(new UpdateManifest(id.ChainId, id.Rounds, round.Id, context.Me, round.Policy, round.Base, payload.Cid, size, plaintext).ToBytes());
        Crash.At(CrashPoint.UpdateWritten);
    }

    public async Task SubmitAsync(RoundState round, CancellationToken cancellationToken)
    {
        var bytes = context.FolderOf(round).Own.ReadManifest()!;
        var manifest = UpdateManifest.Parse(bytes);
        var digest = new Hash256(SHA256.HashData(bytes));
        var receipt = await context.Rounds.SubmitAsync(round, digest, cancellationToken);
        if (receipt is not null)
        {
            context.Tell(new PeerEvent.Submitted(
                round.Id.Value, Cid.RawOf(digest).ToString(), manifest.Payload.ToString(), manifest.Size, receipt.GasUsed, receipt.Transaction.ToString()));
        }
    }

    /// <summary>Puts manifest and sealed file into the public store. Before the close nobody may have them, lest they be copied and submitted as another's.</summary>
    public async Task ExposeAsync(RoundState round, CancellationToken cancellationToken)
    {
        var folder = context.FolderOf(round);
        var bytes = folder.Own.ReadManifest()!;
        var manifest = UpdateManifest.Parse(bytes);
        Crash.At(CrashPoint.UpdateExposing);
        await using (var file = File.OpenRead(folder.Own.SealedPath))
        {
            await context.Store.AddAsync(file, cancellationToken);
        }

        Crash.At(CrashPoint.UpdateStored);
        await context.Store.AddBlockAsync(bytes, cancellationToken);
        Crash.At(CrashPoint.UpdateManifestStored);
        if (!File.Exists(context.Home.UpdateFile(manifest.Plaintext)))
        {
            AtomicFile.Write(context.Home.UpdateFile(manifest.Plaintext), await File.ReadAllBytesAsync(folder.Own.PlaintextPath, cancellationToken));
        }

        Crash.At(CrashPoint.UpdateKept);
        if (round.SubmissionOf(context.Me) is { } mine)
        {
            folder.MarkHeld(mine.Index, manifest.Plaintext);
        }

        folder.Own.MarkExposed();
        Crash.At(CrashPoint.UpdateExposed);
    }

    private sealed class Relay(PeerContext context, RoundId round, Factors factors) : IProgress<TrainingStep>
    {
        private bool _started;

        public void Report(TrainingStep value)
        {
            if (!_started)
            {
                _started = true;
                context.Tell(new PeerEvent.TrainingStarted(round.Value, factors.ToString(), value.Records, value.CutRecords, value.Step - 1, value.Steps));
            }

            context.Tell(new PeerEvent.Training(round.Value, value.Step, value.Steps, value.Loss, value.TokensPerSecond));
        }
    }
}

using System.Collections.Immutable;
using System.Security.Cryptography;
using FedChain.Aggregator;
using FedChain.Network;
using FedChain.Network.Content;
using FedChain.Node.Homes;
using FedChain.Protocol;
using FedChain.Protocol.Content;
using FedChain.Protocol.Envelope;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Peer;

/// <summary>Computing the aggregate: to publish it when it is this member's turn, and to hold others' candidates against it.</summary>
internal sealed class Aggregation(PeerContext context)
{
    private readonly Velocities _velocities = new(context);

    /// <summary>For tests of lying members. Never set by the program.</summary>
    internal Deceit? Deceit { get; init; }

    public async Task PublishAsync(FederationState federation, RoundState round, int turn, CancellationToken cancellationToken)
    {
        var folder = context.FolderOf(round);
        var holdings = round.Submissions.Select(s => folder.Holdings(s.Index)).OfType<byte[]>()
            .Select(bytes => Holdings.Parse(bytes).Holding).OrderBy(h => h.Member).ToImmutableArray();
        var included = CandidateRules.Included(round, holdings);
        var (manifest, digest) = await PublishedBeforeAsync(round, turn, included, cancellationToken) ?? await MakePublicAsync(federation, round, turn, holdings, included, cancellationToken);
        var receipt = await context.Rounds.PublishAsync(round, turn, digest, manifest.Aggregate, cancellationToken);
        if (receipt is not null)
        {
            context.Tell(new PeerEvent.Published(
                round.Id.Value, turn, Cid.RawOf(digest).ToString(), manifest.Aggregate.ToString(), included.Count, receipt.GasUsed, receipt.Transaction.ToString()));
        }
    }

    /// <summary>What this member made public of the same turn, and could not tell the chain of: sealing it again would fill the disk, one attempt after the other.</summary>
    private async Task<(GlobalManifest Manifest, Hash256 Digest)?> PublishedBeforeAsync(RoundState round, int turn, SubmissionBitmap included, CancellationToken cancellationToken)
    {
        foreach (var digest in context.FolderOf(round).Published())
        {
            if (await context.Store.GetAsync(Cid.RawOf(digest), cancellationToken: cancellationToken) is { } bytes && GlobalManifest.Parse(bytes.Span) is var manifest
                && manifest.Turn == turn && manifest.Set == round.Set && manifest.Included == included
                && (manifest.Payload is not { } payload || await context.Store.HasAsync(payload, cancellationToken))
                && (manifest.State is not { } state || await context.Store.HasAsync(state.Payload, cancellationToken)))
            {
                return (manifest, digest);
            }
        }

        return null;
    }

    private async Task<(GlobalManifest Manifest, Hash256 Digest)> MakePublicAsync(
        FederationState federation, RoundState round, int turn, ImmutableArray<SignedHolding> holdings, SubmissionBitmap included, CancellationToken cancellationToken)
    {
        var id = context.Identity;
        var policy = PeerContext.PolicyOf(federation, round);
        var manifest = new GlobalManifest(
            id.ChainId, id.Rounds, round.Id, turn, context.Me, round.Policy, round.Base, round.Set, included,
            new HoldingsSource.Inline(holdings), default, Payload: null, Size: 0, State: null);
        if (included.Count >= CandidateRules.Needed(round, policy.Rule))
        {
            var (adapter, aggregate, velocity) = await AggregateAsync(federation, round, included, cancellationToken);
            if (Deceit?.Publish is { } publish)
            {
                adapter = publish(round.Id, adapter);
                aggregate = AdapterFile.Digest(adapter);
            }

            Crash.At(CrashPoint.AggregateMade);
            context.WriteAdapter(adapter, aggregate);
            Crash.At(CrashPoint.AggregateWritten);
            var recipients = Sealing.RecipientsOf(round, policy.PostQuantum).Recipients;
            var (payload, size) = await ServeSealedAsync(context.Home.AdapterFile(aggregate), recipients, cancellationToken);
            Crash.At(CrashPoint.AggregateStored);
            manifest = manifest with { Aggregate = aggregate, Payload = payload, Size = size };
            if (velocity is not null)
            {
                var state = _velocities.Write(Deceit?.Carry?.Invoke(round.Id, velocity) ?? velocity);
                var (sealedState, stateSize) = await ServeSealedAsync(context.Home.VelocityFile(state), recipients, cancellationToken);
                Crash.At(CrashPoint.VelocityStored);
                manifest = manifest with { State = new CarriedState(sealedState, stateSize, state) };
            }
        }

        var bytes = manifest.ToBytes();
        await context.Store.AddBlockAsync(bytes, cancellationToken);
        Crash.At(CrashPoint.GlobalManifestStored);
        var digest = new Hash256(SHA256.HashData(bytes));
        context.FolderOf(round).MarkPublished(digest);
        Crash.At(CrashPoint.Published);
        return (manifest, digest);
    }

    /// <summary>Decides on a candidate and writes the verdict. What can't be fetched leaves it open: silence is not a vote against.</summary>
    public async Task CheckAsync(FederationState federation, RoundState round, int turn, CancellationToken cancellationToken)
    {
        var candidate = round.CandidateOf(turn)!;
        Crash.At(CrashPoint.CandidateChecking);
        var (valid, reason) = await JudgeAsync(federation, round, candidate, cancellationToken);
        context.FolderOf(round).WriteVerdict(turn, valid, reason);
        Crash.At(CrashPoint.VerdictWritten);
    }

    public async Task AttestAsync(RoundState round, int turn, Hash256 candidate, bool valid, CancellationToken cancellationToken)
    {
        var receipt = await context.Rounds.AttestAsync(round, turn, candidate, valid, cancellationToken);
        if (receipt is not null)
        {
            var reason = context.FolderOf(round).Verdict(turn)?.Reason ?? "";
            context.Tell(new PeerEvent.Attested(round.Id.Value, turn, valid, reason, receipt.GasUsed, receipt.Transaction.ToString()));
        }
    }

    private async Task<(bool Valid, string Reason)> JudgeAsync(FederationState federation, RoundState round, Candidate candidate, CancellationToken cancellationToken)
    {
        GlobalManifest manifest;
        try
        {
            manifest = GlobalManifest.Parse(await context.Content.ManifestAsync(round, candidate.Aggregator, candidate.Manifest, cancellationToken));
        }
        catch (InvalidDataException e)
        {
            return (false, e.Message);
        }

        if (manifest.Holdings is not HoldingsSource.Inline(var holdings))
        {
            throw new ContentUnavailableException("holdings in a file of their own, for federations of more members than this version reads them for");
        }

        var rule = PeerContext.PolicyOf(federation, round).Rule;
        if (CandidateRules.Refusal(manifest, holdings, round, rule, candidate, context.Identity.Domain) is { } refusal)
        {
            return (false, refusal);
        }

        if (manifest.Aggregate.IsZero)
        {
            return (true, $"only {manifest.Included.Count} updates can be included, and {CandidateRules.Needed(round, rule)} are needed");
        }

        var (adapter, aggregate, velocity) = await AggregateAsync(federation, round, manifest.Included, cancellationToken);
        if (Deceit?.Expect is { } expect)
        {
            adapter = await expect(round.Id, candidate, adapter);
            aggregate = AdapterFile.Digest(adapter);
        }

        if (aggregate != candidate.Aggregate)
        {
            return (false, $"the included updates make {aggregate}, but {candidate.Aggregate} was published");
        }

        var carried = velocity is null ? default : StateFile.Digest(StateKind.Velocity, velocity);
        if (manifest.State is { } state && state.Plaintext != carried)
        {
            return (false, $"the included updates carry on the velocity {carried}, but {state.Plaintext} is named");
        }

        try
        {
            await HoldSealedAsync("adapter", manifest.Payload!.Value, manifest.Size, AdapterFile.LengthOf(context.Trainer.Layout));
            if (manifest.State is { } named)
            {
                await HoldSealedAsync("velocity", named.Payload, named.Size, StateFile.LengthOf(StateKind.Velocity, context.Trainer.Layout));
            }
        }
        catch (InvalidDataException e)
        {
            return (false, e.Message);
        }

        Crash.At(CrashPoint.CandidateRecomputed);
        context.WriteAdapter(adapter, aggregate);
        if (velocity is not null)
        {
            _velocities.Write(velocity);
        }

        Crash.At(CrashPoint.CandidateKept);

        return (true, $"recomputed from {manifest.Included.Count} updates: {aggregate}");

        async Task HoldSealedAsync(string what, Cid payload, long size, long plaintextSize)
        {
            var fetched = await context.Content.FetchSealedAsync(
                round, candidate.Aggregator, payload, size, ContentExchange.SealedBound(plaintextSize, round), cancellationToken);
            if (!fetched.IsComplete)
            {
                throw new ContentUnavailableException($"sealed {what} {payload} of member {candidate.Aggregator}: {fetched}");
            }
        }
    }

    /// <summary>Seals a file of the home and puts it into the public store.</summary>
    private async Task<(Cid Payload, long Size)> ServeSealedAsync(string path, IReadOnlyCollection<AgeRecipient> recipients, CancellationToken cancellationToken)
    {
        var sealedPath = path + ".age";
        await Sealing.SealAsync(path, sealedPath, recipients, cancellationToken);
        await using (var file = File.OpenRead(sealedPath))
        {
            var stored = await context.Store.AddAsync(file, cancellationToken);
            File.Delete(sealedPath);
            return stored;
        }
    }

    /// <summary>The one aggregate that base, included updates and policy allow.</summary>
    private async Task<Aggregate> AggregateAsync(FederationState federation, RoundState round, SubmissionBitmap included, CancellationToken cancellationToken)
    {
        var folder = context.FolderOf(round);
        var terms = context.TermsOf(federation, round);
        var velocity = await _velocities.BeforeAsync(federation, round, cancellationToken);
        var updates = new List<ValidUpdate>();
        var opened = new List<UpdatePlaintext>();
        try
        {
            foreach (var index in included.Indices)
            {
                var submission = round.Submissions[index];
                var digest = folder.Held(index)
                    ?? throw new ContentUnavailableException($"the update of member {submission.Member} is included, but not held here{(folder.Refused(index) is { } why ? $" ({why})" : "")}");
                var manifest = UpdateManifest.Parse(await context.Content.ManifestAsync(round, submission.Member, submission.Manifest, cancellationToken));
                opened.Add(UpdatePlaintext.Open(context.Home.UpdateFile(digest)));
                updates.Add(UpdateValidator.Validate(opened[^1], manifest, submission.Member, terms, cancellationToken) switch
                {
                    UpdateVerdict.Accepted(var update) => update,
                    UpdateVerdict.Refused refused => throw new DamagedFileException(AtomicFile.PutAside(context.Home.UpdateFile(digest), refused.Detail)),
                    var verdict => throw new InvalidOperationException($"Unknown verdict {verdict}."),
                });
            }

            return await Task.Run(() => Recomputation.Compute(terms, updates, velocity, cancellationToken: cancellationToken), cancellationToken);
        }
        finally
        {
            opened.ForEach(o => o.Dispose());
        }
    }
}

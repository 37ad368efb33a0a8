using FedChain.Aggregator;
using FedChain.Network;
using FedChain.Node.Homes;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Peer;

/// <summary>After the close: get everybody's update, validate it, and sign which ones are held.</summary>
internal sealed class Collection(PeerContext context)
{
    public async Task FetchUpdateAsync(FederationState federation, RoundState round, int index, CancellationToken cancellationToken)
    {
        var submission = round.Submissions[index];
        var folder = context.FolderOf(round);
        var terms = context.TermsOf(federation, round);
        try
        {
            var manifest = UpdateManifest.Parse(await context.Content.ManifestAsync(round, submission.Member, submission.Manifest, cancellationToken));
            Accept(UpdateValidator.CheckManifest(manifest, submission.Member, terms));
            using var opened = await context.Content.OpenAsync(
                round, submission.Member, manifest.Payload, manifest.Size, manifest.Plaintext, UpdateFile.MaxLength(terms.Policy.Encoding, terms.Base.Layout, terms.Factors), cancellationToken);
            using var update = UpdatePlaintext.Of(opened.Plaintext);
            Accept(UpdateValidator.Validate(update, manifest, submission.Member, terms, cancellationToken) as UpdateVerdict.Refused);
            Crash.At(CrashPoint.ForeignUpdateOpened);
            AtomicFile.Write(context.Home.UpdateFile(manifest.Plaintext), opened.Plaintext);
            Crash.At(CrashPoint.ForeignUpdateKept);
            folder.MarkHeld(index, manifest.Plaintext);
            Crash.At(CrashPoint.ForeignUpdateHeld);
            context.Tell(new PeerEvent.UpdateHeld(round.Id.Value, submission.Member.Value, manifest.Size, opened.From));
        }
        catch (InvalidDataException e)
        {
            folder.MarkRefused(index, e.Message);
            context.Tell(new PeerEvent.UpdateRefused(round.Id.Value, submission.Member.Value, e.Message));
        }
    }

    /// <summary>Signs the holdings, once and for all: another statement would contradict this one.</summary>
    public void SignHoldings(RoundState round)
    {
        var folder = context.FolderOf(round);
        var mine = round.SubmissionOf(context.Me)!.Index;
        if (folder.Holdings(mine) is not null)
        {
            return;
        }

        var n = round.Submissions.Length;
        var held = SubmissionBitmap.Of(n, context.LocalOf(round).Held);
        var named = round.Seats[context.Me].Operator; // holdings count by the operator at the opening, also after it was replaced
        var key = context.Identity.Keys.OperatorAt(named)
            ?? throw new UserErrorException($"Round {round.Id} counts holdings signed by {named}, the operator of seat {context.Me} at its opening, and this home has no such key. Restore it to keys/former/, or wait for the next round.");
        var signature = key.Sign(context.Identity.Domain.Digest(new Protocol.Ethereum.Signing.Holdings(round.Id, round.Set, held.Bytes.ToArray())));
        Crash.At(CrashPoint.HoldingsSigned);
        folder.WriteHoldings(mine, new Holdings(round.Id, round.Set, new SignedHolding(context.Me, held, signature)).ToBytes());
        Crash.At(CrashPoint.HoldingsWritten);
        context.Tell(new PeerEvent.HoldingsSigned(round.Id.Value, held.Count, n));
    }

    /// <summary>Fetches a submitter's signed holdings and keeps them if they are its own, of this round and these submissions.</summary>
    public async Task FetchHoldingsAsync(RoundState round, int index, CancellationToken cancellationToken)
    {
        var member = round.Submissions[index].Member;
        var bytes = await context.Content.HoldingsAsync(round, member, cancellationToken);
        var holdings = Holdings.Parse(bytes);
        if (holdings.Round != round.Id || holdings.Set != round.Set || holdings.Holding.Member != member
            || CandidateRules.Refusal(holdings.Holding, round, context.Identity.Domain) is not null)
        {
            throw new InvalidDataException($"member {member} serves holdings of round {holdings.Round}, set {holdings.Set}, which aren't its own of round {round.Id}, set {round.Set}");
        }

        Crash.At(CrashPoint.HoldingsFetched);
        context.FolderOf(round).WriteHoldings(index, bytes);
        Crash.At(CrashPoint.HoldingsKept);
    }

    private static void Accept(UpdateVerdict.Refused? refusal)
    {
        if (refusal is not null)
        {
            throw new InvalidDataException($"{refusal.Reason}: {refusal.Detail}");
        }
    }
}

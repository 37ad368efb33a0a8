using System.Runtime.CompilerServices;
using FedChain.Aggregator;
using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Content;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Audit;

/// <summary>One round of a <see cref="KeyedAudit"/>: its sealed files opened, its updates validated, its candidates recomputed.</summary>
internal sealed class KeyedRound(
    FederationState federation,
    RoundState round,
    Policy policy,
    Address contract,
    ulong chainId,
    RoundContent content,
    ContentSources sources,
    PlaintextSource plaintexts,
    string folder,
    Findings findings)
{
    private const string AdapterCheck = "adapter-file";
    private const string StateCheck = "state-file";
    private const string Recomputed = "recomputed";

    private readonly Dictionary<int, PlaintextSource.Opened> _opened = [];

    private ulong Id => round.Id.Value;

    /// <summary>Opens the adapter that was finalised; null if there is none, or it can't be opened, which is a finding.</summary>
    public async Task<string?> OpenWinnerAsync(CancellationToken cancellationToken)
    {
        if (round.Winner is not { } winner)
        {
            return null;
        }

        if (content.Global is not { Payload: { } payload, Size: var size })
        {
            findings.Unavailable(AdapterCheck, Id, "its manifest could not be had, or names no file");
            return null;
        }

        var path = Path.Combine(folder, "adapter");
        var file = await FileAsync(payload, size, winner.Aggregator, cancellationToken);
        var opened = await plaintexts.OpenAsync(file, payload, winner.Aggregate, KeyedAudit.MostBytes, round, Endpoints(winner.Aggregator), path, cancellationToken);
        switch (opened.Result)
        {
            case CheckResult.Held:
                findings.Say(AdapterCheck, Id, $"{opened.Detail}, it is {winner.Aggregate}");
                return path;
            case CheckResult.Failed:
                findings.Fail(AdapterCheck, Id, $"{opened.Detail}; {Supporters(winner)}");
                return null;
            default:
                findings.Unavailable(AdapterCheck, Id, opened.Detail);
                return null;
        }
    }

    /// <summary>Opens the velocity that the finalised round carries on; null if it carries none, or it can't be opened, which is a finding.</summary>
    public async Task<StateVector?> OpenStateAsync(AdapterLayout layout, CancellationToken cancellationToken)
    {
        if (round.Winner is not { } winner || content.Global?.State is not { } state)
        {
            return null;
        }

        var path = Path.Combine(folder, "state");
        var file = await FileAsync(state.Payload, state.Size, winner.Aggregator, cancellationToken);
        var length = StateFile.LengthOf(StateKind.Velocity, layout);
        var opened = await plaintexts.OpenAsync(file, state.Payload, state.Plaintext, length, round, Endpoints(winner.Aggregator), path, cancellationToken);
        if (opened.Result == CheckResult.Unavailable)
        {
            findings.Unavailable(StateCheck, Id, opened.Detail);
            return null;
        }

        try
        {
            findings.Compare(StateCheck, Id, opened.Result == CheckResult.Held, $"{opened.Detail}; {Supporters(winner)}");
            if (opened.Result != CheckResult.Held)
            {
                return null;
            }

            using var source = File.OpenRead(path);
            var velocity = StateFile.Read(source, source.Length, StateKind.Velocity, layout, out _);
            findings.Say(StateCheck, Id, $"{opened.Detail}, it is {state.Plaintext}");
            return velocity;
        }
        catch (InvalidDataException e)
        {
            findings.Fail(StateCheck, Id, $"{state.Plaintext} is no velocity of this federation: {e.Message} {Supporters(winner)}");
            return null;
        }
    }

    /// <summary>Reads the opened adapter: canonical, in range, and of the layout of the round's base. Null if it isn't.</summary>
    public Adapter? ReadWinner(string path, Adapter? @base)
    {
        try
        {
            using var file = File.OpenRead(path);
            var adapter = AdapterFile.Read(file, file.Length, policy.Adapter.FractionBits, @base?.Layout, out _);
            findings.Compare(AdapterCheck, Id, holds: true, $"");
            return adapter;
        }
        catch (InvalidDataException e)
        {
            findings.Fail(AdapterCheck, Id, $"{round.Winner!.Aggregate} is no adapter of this federation: {e.Message} {Supporters(round.Winner)}");
            return null;
        }
    }

    /// <summary>Layouts that files of the round show, and whose file: the adapter's, then those of updates that train both factors.</summary>
    public async IAsyncEnumerable<(AdapterLayout Layout, string From)> LayoutsAsync(string? winnerPath, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (winnerPath is not null && LayoutOf(winnerPath) is { } layout)
        {
            yield return (layout, "the adapter");
        }

        foreach (var submission in round.Submissions)
        {
            if ((await OpenUpdateAsync(submission, KeyedAudit.MostBytes, cancellationToken)).Result == CheckResult.Held && LayoutOf(PathOf(submission)) is { } other)
            {
                yield return (other, $"the update of member {submission.Member}");
            }
        }
    }

    /// <summary>Validates the updates that candidates include, and recomputes each candidate.</summary>
    /// <param name="base">The adapter that the round starts from.</param>
    /// <param name="velocity">What server momentum carried on to it; null for nothing.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What was finalised, if it could be recomputed.</returns>
    public async Task<Aggregate?> RecomputeAsync(Adapter @base, StateVector? velocity, CancellationToken cancellationToken)
    {
        var terms = new RoundTerms(chainId, contract, round.Id, round.Policy, policy, round.FinalisedBefore, round.Base, @base, round.Beacon);
        var manifests = new Dictionary<int, (GlobalManifest? Manifest, string? Refusal)>();
        foreach (var candidate in round.Candidates)
        {
            manifests[candidate.Turn] = await ManifestAsync(candidate, cancellationToken);
        }

        var decided = Decided();
        var included = manifests.Values.Select(m => m.Manifest).OfType<GlobalManifest>().Where(m => m.Included.IsOf(round.Submissions.Length)).SelectMany(m => m.Included.Indices).ToHashSet();
        var plain = new List<UpdatePlaintext>();
        var verdicts = new Dictionary<int, UpdateVerdict>();
        try
        {
            foreach (var submission in round.Submissions.Where(s => included.Contains(s.Index)))
            {
                var matters = decided is not null && manifests[decided.Turn].Manifest?.Included[submission.Index] == true;
                if (await ValidateAsync(submission, terms, matters, plain, cancellationToken) is { } verdict)
                {
                    verdicts[submission.Index] = verdict;
                }
            }

            Aggregate? final = null;
            foreach (var candidate in round.Candidates)
            {
                var (manifest, refusal) = manifests[candidate.Turn];
                var judgement = refusal is not null ? new Judgement(false, refusal)
                    : manifest is null ? new Judgement(null, "its manifest could not be had")
                    : Judgement.Of(candidate, manifest, round, verdicts, terms, velocity, Name, cancellationToken);
                if (candidate == decided)
                {
                    Decision(candidate, judgement);
                    final = judgement.Right == true ? judgement.Made : null;
                }
                else
                {
                    Rejection(candidate, judgement);
                }
            }

            return final;
        }
        finally
        {
            plain.ForEach(p => p.Dispose());
        }
    }

    /// <summary>The candidate that a quorum decided the round by: the winner, or the one that ended it without a result.</summary>
    private Candidate? Decided() => round.Winner
        ?? (round.AbortedAt is not null && round.Candidates.LastOrDefault() is { Aggregate.IsZero: true } last
            && last.Votes.Values.Count(valid => valid) >= Quorum.Of(round.Submissions.Length) ? last : null);

    private async Task<(GlobalManifest? Manifest, string? Refusal)> ManifestAsync(Candidate candidate, CancellationToken cancellationToken)
    {
        if (candidate == round.Winner)
        {
            return (content.Global, content.GlobalRefusal);
        }

        var found = await sources.BlockAsync(Cid.RawOf(candidate.Manifest), Endpoints(candidate.Aggregator), Manifest.MaxSize, cancellationToken);
        try
        {
            return (found.Bytes is null ? null : GlobalManifest.Parse(found.Bytes), null);
        }
        catch (InvalidDataException e)
        {
            return (null, e.Message);
        }
    }

    private async Task<UpdateVerdict?> ValidateAsync(
        Submission submission, RoundTerms terms, bool matters, List<UpdatePlaintext> plain, CancellationToken cancellationToken)
    {
        var name = $"opened-update-{submission.Member}";
        var opened = await OpenUpdateAsync(submission, UpdateFile.MaxLength(policy.Encoding, terms.Base.Layout, terms.Factors), cancellationToken);
        if (opened.Result == CheckResult.Unavailable)
        {
            findings.Unavailable(name, Id, opened.Detail);
            return null;
        }

        UpdateVerdict verdict;
        if (opened.Result == CheckResult.Failed)
        {
            verdict = new UpdateVerdict.Refused(UpdateRefusal.WrongPlaintext, opened.Detail);
        }
        else
        {
            plain.Add(UpdatePlaintext.Open(PathOf(submission)));
            verdict = UpdateValidator.Validate(plain[^1], content.Updates[submission.Index], submission.Member, terms, cancellationToken);
        }

        var invalid = verdict as UpdateVerdict.Refused;
        findings.Compare(name, Id, invalid is null || !matters, $"{invalid?.Reason}: {invalid?.Detail} It was included all the same.");
        findings.Say(
            name, Id, verdict is UpdateVerdict.Accepted(var update) ? $"{opened.Detail}, it is valid: {update.Header.Metadata.Samples:N0} samples, weight {update.Weight}"
                : $"invalid ({invalid?.Reason}: {invalid?.Detail}), and in nothing that was finalised");
        return verdict;
    }

    /// <summary>A candidate that a quorum decided on has to be right; else the lie is told, with the names of those who attested it.</summary>
    private void Decision(Candidate candidate, Judgement judgement)
    {
        if (judgement.Right is not { } right)
        {
            findings.Unavailable(Recomputed, Id, judgement.Reason);
            return;
        }

        findings.Compare(Recomputed, Id, right, $"{judgement.Reason}; {Supporters(candidate)}{Opponents(candidate, "invalid")}");
        findings.Say(Recomputed, Id, $"{judgement.Reason}, as was finalised{Opponents(candidate, "invalid all the same")}");
    }

    /// <summary>A candidate that did not become final: rightly, if it is wrong. Voting against a right one is a lie, too.</summary>
    private void Rejection(Candidate candidate, Judgement judgement)
    {
        var name = $"turn-{candidate.Turn}";
        if (judgement.Right is not { } right)
        {
            findings.Unavailable(name, Id, judgement.Reason);
            return;
        }

        findings.Compare(name, Id, !right || candidate.Votes.Values.All(valid => valid), $"it was right and did not become final: {judgement.Reason}{Opponents(candidate, "invalid")}");
        findings.Say(name, Id, right ? $"right, but not final: {judgement.Reason}" : $"wrong, and not final: {judgement.Reason}; {Supporters(candidate)}");
    }

    private async Task<PlaintextSource.Opened> OpenUpdateAsync(Submission submission, long maxSize, CancellationToken cancellationToken)
    {
        if (_opened.TryGetValue(submission.Index, out var known))
        {
            return known;
        }

        var opened = !content.Updates.TryGetValue(submission.Index, out var manifest)
            ? new PlaintextSource.Opened(CheckResult.Unavailable, "its manifest could not be had, or not be read")
            : await plaintexts.OpenAsync(
                await FileAsync(manifest.Payload, manifest.Size, submission.Member, cancellationToken), manifest.Payload, manifest.Plaintext, maxSize, round, Endpoints(submission.Member), PathOf(submission), cancellationToken);
        return _opened[submission.Index] = opened;
    }

    private async Task<ContentSources.Found> FileAsync(Cid payload, long size, MemberId author, CancellationToken cancellationToken) =>
        content.Files.TryGetValue(payload, out var found) ? found : await sources.FileAsync(payload, size, Endpoints(author), cancellationToken);

    private static AdapterLayout? LayoutOf(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            return AdapterLayout.FromHeader(SafetensorsHeader.ReadCanonical(file, file.Length, AdapterFile.MaxHeaderSize));
        }
        catch (InvalidDataException)
        {
            return null; // what reads the file says in what it is wrong
        }
    }

    private IReadOnlyList<Uri> Endpoints(MemberId author) => ContentAudit.Endpoints(federation, round, author);

    private string PathOf(Submission submission) => Path.Combine(folder, $"update-{submission.Index}");

    private string Supporters(Candidate candidate) => $"attested valid by {Names(candidate, valid: true)}";

    private string Opponents(Candidate candidate, string @as) => candidate.Votes.ContainsValue(false) ? $"; attested {@as} by {Names(candidate, valid: false)}" : "";

    private string Names(Candidate candidate, bool valid) => string.Join(", ", candidate.Votes.Where(v => v.Value == valid).Select(v => Name(v.Key)));

    /// <summary>A member's id and, as it calls itself, its name.</summary>
    private string Name(MemberId member) => Sealing.ProfileOf(round.Profiles.GetValueOrDefault(member)) is { } profile ? $"{member} ({profile.Name})" : member.ToString();
}

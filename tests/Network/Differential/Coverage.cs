using System.Text;
using FedChain.Protocol.Ethereum.Abi;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Rounds;

namespace FedChain.Network.Tests.Differential;

/// <summary>How often each outcome came up: sequences that never get anywhere agree on everything.</summary>
internal sealed class Coverage
{
    /// <summary>What can come in the middle of a round, and is counted by phase.</summary>
    private static readonly AbiFunction[] Changes =
    [
        RoundsAbi.SetPolicy, RoundsAbi.SetPaused, RoundsAbi.Recommit, MembershipAbi.Admit, MembershipAbi.Expel, MembershipAbi.Resign, MembershipAbi.SetOperator,
        MembershipAbi.Recover, MembershipAbi.SetRounds,
    ];

    /// <summary>What any long enough run has to come across: each refusal of each call, each event, each way for a round to end, changes in each phase.</summary>
    private static readonly string[] Required =
    [
        .. Each("open", "accepted", "refused: OnlyRounds StillFounding NotOperator UnexpectedPhase TooEarly OpeningPaused Resting TooFewMembers"),
        .. Each("submit", "accepted", "refused: WrongRound UnexpectedPhase WrongPolicy WrongBase EmptyManifest NotOperator NotEligible AlreadySubmitted EmptyCommitment WrongReveal"),
        .. Each("publish", "accepted", "refused: WrongRound UnexpectedPhase WrongTurn EmptyManifest NotOperator NotYourTurn"),
        .. Each("attest", "accepted", "refused: WrongRound UnexpectedPhase WrongTurn WrongCandidate NotOperator NotSubmitter AlreadyAttested"),
        .. Each("attestBySignatures", "accepted", "refused: WrongRound UnexpectedPhase WrongTurn WrongCandidate"),
        .. Each("recommit", "accepted in: None Training Aggregation Attestation Finalised Aborted", "refused: NotOperator EmptyCommitment"),
        .. Each("setPolicy", "accepted in: None Training Aggregation Attestation Finalised Aborted", "refused: OnlyGovernance WrongPolicy ParamOutOfBounds EmptyGenesis"),
        .. Each("setPaused", "accepted in: Training Aggregation Attestation Finalised Aborted", "refused: OnlyGovernance"),
        .. Each("activate", "accepted", "refused: NotFounder FoundingOver ProfileLength AddressTaken ZeroAddress EmptyCommitment"),
        .. Each("applyForSeat", "accepted", "refused: AddressTaken ZeroAddress EmptyCommitment ProfileLength"),
        .. Each("admit", "accepted in: Training Aggregation Attestation Finalised Aborted", "refused: OnlyGovernance UnknownApplication AddressTaken"),
        .. Each("setOperator", "accepted in: Training Aggregation Attestation Finalised Aborted", "refused: NotHolder AddressTaken ZeroAddress EmptyCommitment"),
        .. Each("updateProfile", "accepted", "refused: NotMember ProfileLength"),
        .. Each("wake", "accepted", "refused: NotMember"),
        .. Each("resign", "accepted in: Training Aggregation Attestation Finalised Aborted", "refused: NotHolder LastMember"),
        .. Each("expel", "accepted in: Training Aggregation Attestation Finalised Aborted", "refused: OnlyGovernance UnknownSeat LastMember"),
        .. Each("recover", "accepted in: Training Aggregation Attestation Finalised Aborted", "refused: OnlyGovernance UnknownSeat AddressTaken ZeroAddress"),
        .. Each("grantAuditor", "accepted", "refused: ZeroAddress RecipientLength"),
        .. Each("revokeAuditor", "accepted", "refused: UnknownAuditor"),
        .. Each("dormant", "accepted", "refused: UnknownSeat AlreadyDormant LastMember NotIdle"),
        .. Each("setRounds", "accepted", "refused: WrongWiring AlreadyStarted"),
        .. Each("voted", "accepted", "refused: OnlyGovernance"),
        .. Each("opening", "refused: OnlyRounds"),
        .. new[] { "register", "departed", "succeed" }.SelectMany(call => Each(call, "refused: OnlyMembership")),
        .. Each("event", "Applied SeatActivated SeatVacated SeatRecovered OperatorChanged ProfileUpdated DormancyNoticed SeatDormant SeatAwakened RoundsReplaced AuditorGranted AuditorRevoked"),
        .. Each("event", "PolicySet PauseSet CommitmentMade RoundOpened UpdateSubmitted TargetLowered TrainingClosed CandidatePublished Attested"),
        .. Each("event", "CandidateRejected RoundFinalised RoundAborted Succeeded"),
        .. Each("aborted:", "TooFewUpdates TurnsExhausted TooFewIncluded"),
        "finalised after the first turn", "opened on a result", "rejected by votes", "rejected by time",
        "closed by a departure", "departed in its turn", "departed with its candidate out", "submitted though dormant for the next round",
        "event of a contract that may succeed", "event of a contract that was replaced",
        "batch that counts in full", "batch that counts in part", "batch that counts for nothing",
    ];

    private readonly Dictionary<string, int> _counts = [];

    /// <summary>What should have come up and didn't; also, most sequences should have a finalised round, and most an aborted one.</summary>
    public IReadOnlyList<string> Missing =>
    [
        .. Required.Where(what => !_counts.ContainsKey(what)),
        .. new[] { "a finalised round", "an aborted round" }.Select(what => $"sequences with {what}").Where(what => 2 * _counts.GetValueOrDefault(what) < _counts["sequences"]),
    ];

    public void Add(Operation o, Outcome outcome, Mirror mirror)
    {
        Count("calls");
        Count(outcome.Refusal is null ? $"{o.Function.Name} accepted" : $"{o.Function.Name} refused: {outcome.Refusal.Name}");
        var round = mirror.InUse.RoundAt(o.Time);
        if (outcome.Refusal is null && Changes.Contains(o.Function))
        {
            Count($"{o.Function.Name} accepted in {round.Phase}");
        }

        foreach (var (emitter, e) in outcome.Events)
        {
            Count($"event {e.GetType().Name}");
            switch (e)
            {
                case RoundAborted aborted:
                    Count($"aborted: {aborted.Reason}");
                    break;
                case RoundFinalised { Turn: > 0 }:
                    Count("finalised after the first turn");
                    break;
                case RoundOpened { Finalised: > 0 }:
                    Count("opened on a result");
                    break;
                case CandidateRejected rejected:
                    Count(rejected.Time == o.Time && o.Function.Name.StartsWith("attest", StringComparison.Ordinal) ? "rejected by votes" : "rejected by time");
                    break;
                case TrainingClosed when o.Function.Name != "submit":
                    Count("closed by a departure");
                    break;
                case SeatVacated vacated when round.Phase == RoundPhase.Aggregation && mirror.InUse.Current!.AggregatorOf((int)round.Turn).Member == vacated.Id:
                    Count("departed in its turn");
                    break;
                case SeatVacated vacated when round.Phase == RoundPhase.Attestation && round.Aggregator == vacated.Id:
                    Count("departed with its candidate out");
                    break;
                case UpdateSubmitted submitted when mirror.Federation.Seats[submitted.Id].DormantFrom is not null:
                    Count("submitted though dormant for the next round");
                    break;
                default:
                    break;
            }

            if (emitter != mirror.InUse.Address && emitter != Scene.Membership)
            {
                Count(mirror.RoundsAt(emitter).Current is null ? "event of a contract that may succeed" : "event of a contract that was replaced");
            }
        }

        if (o.Function == RoundsAbi.AttestBySignatures && outcome.Refusal is null)
        {
            var (signatures, counted) = (o.Arguments.List(3).Count, outcome.Events.Count(e => e.Event is Attested));
            Count(counted == signatures ? "batch that counts in full" : counted > 0 ? "batch that counts in part" : "batch that counts for nothing");
        }
    }

    /// <summary>At a sequence's end: how its rounds ended.</summary>
    public void Add(Mirror mirror)
    {
        var ends = mirror.Federation.Rounds.Select(r => r.PhaseAt(mirror.Time)).ToList();
        Count("sequences");
        if (ends.Exists(p => p is Phase.Finalised))
        {
            Count("sequences with a finalised round");
        }

        if (ends.Exists(p => p is Phase.Aborted))
        {
            Count("sequences with an aborted round");
        }
    }

    /// <summary>"open", "refused: A B" gives "open refused: A" and "open refused: B".</summary>
    private static IEnumerable<string> Each(string call, params string[] groups) =>
        from g in groups
        let parts = g.Split(": ")
        from what in parts[^1].Split(' ')
        select parts.Length == 1 ? $"{call} {what}" : parts[0] == "refused" ? $"{call} refused: {what}" : $"{call} {parts[0]} {what}";

    private void Count(string what) => _counts[what] = _counts.GetValueOrDefault(what) + 1;

    /// <summary>A line for each outcome, with its number.</summary>
    public override string ToString() => _counts.OrderBy(c => c.Key, StringComparer.Ordinal).Aggregate(new StringBuilder(), (text, c) => text.AppendLine($"{c.Value,9:N0}  {c.Key}")).ToString();
}

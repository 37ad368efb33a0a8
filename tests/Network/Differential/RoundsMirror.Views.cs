using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Rounds;

namespace FedChain.Network.Tests.Differential;

/// <content>What has happened, and what follows from it at a moment.</content>
internal sealed partial class RoundsMirror
{
    private readonly List<IContractEvent> _log = [];
    private readonly Dictionary<MemberId, List<(RoundId From, Hash256 Commitment)>> _commitments = []; // in the order of their beginnings
    private readonly Dictionary<MemberId, uint> _made = [];
    private readonly Dictionary<MemberId, ulong> _seenAt = [];
    private RoundId _before; // the last round of the contract that this one succeeded

    public Address Address => address;

    /// <summary>The federation as peers of this contract know it: what it says belongs to the fold while Membership names it, and from its own beginning.</summary>
    public FederationState Fold { get; private set; } = FederationState.Empty;

    /// <summary>The last round opened here.</summary>
    public RoundState? Current => Fold.Current is { IsSuperseded: false } round ? round : null;

    public RoundId Number => Current?.Id ?? _before;

    public RoundId NextRound => new(Number.Value + 1);

    public RoundPhase PhaseNow => PhaseOf(Current?.PhaseAt(Now));

    /// <summary>The candidate that is voted on, or that ended the round.</summary>
    public Candidate? Standing => StandingAt(Now);

    /// <summary>How many submissions close the training.</summary>
    public uint Target { get; private set; }

    private ulong TurnNow => Current?.PhaseAt(Now) switch { Phase.Aggregation p => (ulong)p.Turn, Phase.Attestation p => (ulong)p.Turn, _ => 0 };

    /// <summary>When the seat last submitted here.</summary>
    public ulong SeenAt(MemberId id) => _seenAt.GetValueOrDefault(id);

    /// <summary>How many commitments the seat has made here.</summary>
    public uint MadeBy(MemberId id) => _made.GetValueOrDefault(id);

    /// <summary>What the seat has to open in a round; zero if it has committed to nothing.</summary>
    public Hash256 Due(MemberId id, RoundId round) =>
        _commitments.TryGetValue(id, out var made) ? made.LastOrDefault(c => c.From.CompareTo(round) <= 0).Commitment : default;

    /// <summary>An event of Membership, while it names this contract.</summary>
    public void NoteOfSeats(IContractEvent e) => Fold = Fold.Apply(e);

    /// <summary>An event of this contract.</summary>
    public void Note(IContractEvent e)
    {
        _log.Add(e);
        Fold = Fold.Apply(e);
        switch (e)
        {
            case CommitmentMade made:
                Commitments(made.Id).Add((made.FromRound, made.Commitment));
                _made[made.Id] = (uint)made.Index + 1;
                break;
            case UpdateSubmitted submitted:
                Commitments(submitted.Id).Clear();
                Commitments(submitted.Id).Add((new RoundId(submitted.Round.Value + 1), submitted.NextCommitment));
                _made[submitted.Id]++;
                _seenAt[submitted.Id] = Now;
                break;
            case RoundOpened opened:
                Target = opened.Members;
                break;
            case TargetLowered lowered:
                Target = lowered.Target;
                break;
            case Succeeded succeeded:
                _before = succeeded.Round;
                break;
            default:
                break;
        }
    }

    /// <summary>From now on Membership names this contract: its log is read as if it stood right here (docs/protocol.md, "Contracts").</summary>
    public void Succeed(RoundsMirror previous, RoundsReplaced replaced) =>
        Fold = _log.Aggregate(previous.Fold.Apply(replaced), (state, e) => state.Apply(e));

    public RoundView RoundAt(ulong time)
    {
        if (Current is not { } round)
        {
            return new RoundView(Number, RoundPhase.None, 0, 0, 0, 0, default, default, default, default, 0, 0, 0, 0, 0, 0, 0, default, default, default, 0, 0);
        }

        var phase = round.PhaseAt(time);
        var (turn, since, until) = phase switch
        {
            Phase.Training p => (0, round.OpenedAt, p.Until),
            Phase.Aggregation p => (p.Turn, p.Since, p.Until),
            Phase.Attestation p => (p.Turn, p.Since, p.Until),
            Phase.Finalised p => (round.Winner!.Turn, p.At, 0UL),
            Phase.Aborted p => (round.AbortedAt is null ? 0 : round.Candidates[^1].Turn, p.At, 0UL),
            _ => throw new NotSupportedException($"{phase} is no phase."),
        };
        var standing = StandingAt(time);
        return new RoundView(
            round.Id, PhaseOf(phase), (ulong)turn, since, until, round.ClosesAt, round.Policy, round.Base, round.Set, round.Beacon, (uint)round.Eligible,
            (uint)round.Minimum, Target, (uint)round.Submissions.Length, (uint)round.PublishWindow, (uint)round.AttestWindow, (byte)round.MaxTurns,
            standing?.Id ?? default, standing?.Aggregate ?? default, standing?.Aggregator ?? default,
            (uint)(standing?.Votes.Values.Count(v => v) ?? 0), (uint)(standing?.Votes.Values.Count(v => !v) ?? 0));
    }

    public MemberView Member(MemberId id)
    {
        var rounds = Fold.Rounds.Where(r => r.Id.CompareTo(_before) > 0).ToList();
        var counters = MemberCounters.Of(id, rounds, Now);
        var isClosedToIt = Current is not { } round || Now >= round.ClosesAt || round.SubmissionOf(id) is not null;
        return new MemberView(
            Due(id, isClosedToIt ? NextRound : Number), MadeBy(id), rounds.FindLast(r => r.SubmissionOf(id) is not null)?.Id ?? default, SeenAt(id),
            (uint)counters.Submitted, (uint)counters.Published, (uint)counters.Rejected, (uint)counters.Contradicted);
    }

    public PolicyView Policy => new(Fold.LatestPolicy!.Policy, Fold.LatestPolicy.Params, Fold.LatestPolicy.Genesis, new RoundId(Fold.LastRound));

    public Hash256 PolicyInForce => Current?.Policy ?? default;

    /// <summary>What the next round starts from, but for a new genesis.</summary>
    public Hash256 Base => Current?.Winner?.Aggregate ?? Current?.Base ?? Fold.LatestPolicy!.Genesis;

    public ulong Finalised => Current is not { } round ? 0 : round.FinalisedBefore + (round.Winner is null ? 0UL : 1);

    /// <summary>The base of a round that is opened now, and how many results are in it.</summary>
    private (Hash256 Base, ulong Finalised) NextBase()
    {
        var latest = Fold.LatestPolicy!;
        var genesisInForce = Current is { } round ? Fold.Policies[round.Policy].Genesis : default;
        return latest.Policy != PolicyInForce && latest.Genesis != genesisInForce ? (latest.Genesis, 0) : (Base, Finalised);
    }

    /// <summary>The last candidate, if its time has run out without a decision and no event has told so yet.</summary>
    private (Candidate Candidate, ulong At)? Lapsed => LapsedAt(Now);

    private (Candidate Candidate, ulong At)? LapsedAt(ulong time) =>
        Current is { FinalisedAt: null, AbortedAt: null, Candidates: [.., { RejectedAt: null } last] } round && time >= last.PublishedAt + round.AttestWindow
            ? (last, last.PublishedAt + round.AttestWindow)
            : null;

    private Candidate? StandingAt(ulong time) =>
        Current is { Candidates: [.., { RejectedAt: null } last] } && LapsedAt(time) is null ? last : null;

    private IEnumerable<Emission> ToldOfLapse() => Lapsed is var (c, at) ? [By(new CandidateRejected(Number, c.Aggregator, (uint)c.Turn, c.Id, at))] : [];

    /// <summary>Why the current round is over if no event has said so; null otherwise.</summary>
    private AbortReason? AbortedByTime() => Current is not { AbortedAt: null } round || round.PhaseAt(Now) is not Phase.Aborted ? null
        : round.Submissions.Length < round.Minimum ? AbortReason.TooFewUpdates
        : AbortReason.TurnsExhausted;

    private ulong? EndOf(RoundState? round) => round?.PhaseAt(Now) switch { Phase.Finalised p => p.At, Phase.Aborted p => p.At, _ => null };

    private List<(RoundId From, Hash256 Commitment)> Commitments(MemberId id)
    {
        if (!_commitments.TryGetValue(id, out var made))
        {
            _commitments[id] = made = [];
        }

        return made;
    }

    private static RoundPhase PhaseOf(Phase? phase) => phase switch
    {
        null => RoundPhase.None,
        Phase.Training => RoundPhase.Training,
        Phase.Aggregation => RoundPhase.Aggregation,
        Phase.Attestation => RoundPhase.Attestation,
        Phase.Finalised => RoundPhase.Finalised,
        _ => RoundPhase.Aborted,
    };
}

using System.Numerics;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum;
using FedChain.Protocol.Ethereum.Abi;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Ethereum.Signing;
using FedChain.Protocol.Governance;
using FedChain.Protocol.Rounds;

namespace FedChain.Network.Tests.Differential;

/// <summary>One Rounds contract in C#: see <see cref="Mirror"/>. Its views, and what others ask of it, are in the other half.</summary>
internal sealed partial class RoundsMirror(Mirror mirror, Address address)
{
    private const uint Longest = 30 * 24 * 3600, MostTurns = 8, MostRounds = (1 << 24) - 1;

    private static readonly AbiValues Nothing = new([]);

    private ulong Now => mirror.Time;

    private FederationState State => Fold;

    public Outcome Predict(Operation o)
    {
        var a = o.Arguments;
        return o.Function.Name switch
        {
            "open" => Open(o.Sender),
            "submit" => Submit(o.Sender, a.Round(0), a.Hash(1), a.Hash(2), a.Hash(3), a.Hash(4), a.Hash(5)),
            "publish" => Publish(o.Sender, a.Round(0), a.UInt32(1), a.Hash(2), a.Hash(3)),
            "attest" => Attest(o.Sender, a.Round(0), a.UInt32(1), a.Hash(2), a.Bool(3)),
            "attestBySignatures" => AttestBySignatures(a.Round(0), a.UInt32(1), a.Hash(2), [.. a.List(3).Cast<AbiValues>().Select(v => (v.Bool(0), v.Bytes(1)))]),
            "recommit" => mirror.Seats.OperatedBy(o.Sender) is not { } seat ? Outcome.Refused(ContractErrors.NotOperator, o.Sender)
                : a.Hash(0).IsZero ? Outcome.Refused(ContractErrors.EmptyCommitment)
                : Outcome.Accepted(Nothing, Commit(seat.Id, a.Hash(0))),
            "register" or "departed" or "succeed" => Outcome.Refused(ContractErrors.OnlyMembership, o.Sender),
            _ when o.Sender != Scene.Governance => Outcome.Refused(ContractErrors.OnlyGovernance, o.Sender),
            "setPolicy" => SetPolicy(a.Hash(0), a.Text(1), RoundsAbi.ReadParams(a.List(2)), a.Hash(3)),
            "setPaused" => Outcome.Accepted(Nothing, By(new PauseSet(a.Bool(0)))),
            _ => throw new NotSupportedException($"The mirror of Rounds knows no {o.Function}."),
        };
    }

    /// <summary>A commitment outside of a submission, for the rounds after the current one.</summary>
    public Emission Commit(MemberId id, Hash256 commitment) => By(new CommitmentMade(id, MadeBy(id), commitment, NextRound));

    /// <summary>What happens here when a seat is given up: if it could still have submitted, one submission less closes the training.</summary>
    public IEnumerable<Emission> Depart(Seat seat)
    {
        if (Current is not { } round || Now >= round.ClosesAt || !seat.CountsFor(round.Id) || round.SubmissionOf(seat.Id) is not null)
        {
            return [];
        }

        var target = Target - 1;
        return [By(new TargetLowered(round.Id, seat.Id, target)), .. CloseIf(round.Submissions.Length == target)];
    }

    private Emission By(IContractEvent e) => new(address, e);

    // ---- opening

    private Outcome Open(Address sender)
    {
        var policy = State.LatestPolicy!;
        var members = (uint)mirror.Seats.Voters;
        var minimum = Math.Max(policy.Params.Minimum, (members / 2) + 1);
        var end = EndOf(Current);
        var refusal = mirror.InUse != this ? Outcome.Refused(ContractErrors.OnlyRounds, address)
            : mirror.Seats.StillFounding ??
            (mirror.Seats.OperatedBy(sender) is null ? Outcome.Refused(ContractErrors.NotOperator, sender)
            : Current is not null && end is null ? Unexpected(RoundPhase.None, RoundPhase.Finalised, RoundPhase.Aborted)
            : end is { } at && Now < at + policy.Params.Interval ? Outcome.Refused(ContractErrors.TooEarlyToOpen, at + policy.Params.Interval)
            : State.Paused ? Outcome.Refused(ContractErrors.OpeningPaused)
            : NextRound.Value > State.LastRound ? Outcome.Refused(ContractErrors.Resting, State.LastRound)
            : members < minimum ? Outcome.Refused(ContractErrors.TooFewMembers, members, minimum)
            : null);
        if (refusal is not null)
        {
            return refusal;
        }

        var (start, finalised) = NextBase();
        return Outcome.Accepted(
            new AbiValues([(BigInteger)NextRound.Value]),
            [
                .. ToldOfLapse(),
                .. AbortedByTime() is { } reason ? [By(new RoundAborted(Current!.Id, reason, end!.Value))] : Array.Empty<Emission>(),
                By(new RoundOpened(
                    NextRound, mirror.Seats.OperatedBy(sender)!.Id, policy.Policy, start, finalised, members, minimum, Now, Now + policy.Params.Training,
                    policy.Params.Publishing, policy.Params.Attesting, policy.Params.MaxTurns)),
            ]);
    }

    // ---- submitting

    private Outcome Submit(Address sender, RoundId round, Hash256 policy, Hash256 start, Hash256 manifest, Hash256 secret, Hash256 next)
    {
        var seat = mirror.Seats.OperatedBy(sender);
        var refusal = round != Number ? Outcome.Refused(ContractErrors.WrongRound, Number, round)
            : Current is not { } current || Now >= current.ClosesAt ? Unexpected(RoundPhase.Training)
            : policy != current.Policy ? Outcome.Refused(ContractErrors.WrongPolicy, current.Policy, policy)
            : start != current.Base ? Outcome.Refused(ContractErrors.WrongBase, current.Base, start)
            : manifest.IsZero ? Outcome.Refused(ContractErrors.EmptyManifest)
            : seat is null ? Outcome.Refused(ContractErrors.NotOperator, sender)
            : !seat.CountsFor(round) ? Outcome.Refused(ContractErrors.NotEligible, seat.Id, round, seat.ActiveFrom, seat.DormantFrom ?? default)
            : current.SubmissionOf(seat.Id) is not null ? Outcome.Refused(ContractErrors.AlreadySubmitted, round, seat.Id)
            : next.IsZero ? Outcome.Refused(ContractErrors.EmptyCommitment)
            : Opens(seat.Id, secret) != Due(seat.Id, round) ? Outcome.Refused(ContractErrors.WrongReveal, seat.Id, Due(seat.Id, round), Opens(seat.Id, secret))
            : null;
        var n = Current?.Submissions.Length ?? 0;
        return refusal ?? Outcome.Accepted(Nothing, [By(new UpdateSubmitted(round, seat!.Id, (uint)n, manifest, secret, next)), .. CloseIf(n + 1 == Target)]);
    }

    private Hash256 Opens(MemberId id, Hash256 secret) => Preimages.Commitment(Scene.ChainId, address, id, secret);

    private IEnumerable<Emission> CloseIf(bool complete) => complete ? [By(new TrainingClosed(Number, Now))] : [];

    // ---- aggregating

    private Outcome Publish(Address sender, RoundId round, uint turn, Hash256 manifest, Hash256 aggregate)
    {
        var seat = mirror.Seats.OperatedBy(sender);
        var refusal = RefusalIn<Phase.Aggregation>(RoundPhase.Aggregation, round, turn)
            ?? (manifest.IsZero ? Outcome.Refused(ContractErrors.EmptyManifest)
            : seat is null ? Outcome.Refused(ContractErrors.NotOperator, sender)
            : Current!.AggregatorOf((int)turn).Member is var aggregator && aggregator != seat.Id ? Outcome.Refused(ContractErrors.NotYourTurn, turn, aggregator, seat.Id)
            : null);
        if (refusal is not null)
        {
            return refusal;
        }

        var candidate = new Candidate((int)turn, seat!.Id, Preimages.Candidate(round, (int)turn, Current!.Set, manifest, aggregate), manifest, aggregate, Now);
        return Outcome.Accepted(
            Nothing,
            [
                .. ToldOfLapse(),
                By(new CandidatePublished(round, seat.Id, turn, candidate.Id, manifest, aggregate, Now)),
                .. Decision(candidate, valid: 1, invalid: 0),
            ]);
    }

    // ---- attesting

    private Outcome Attest(Address sender, RoundId round, uint turn, Hash256 id, bool valid)
    {
        var seat = mirror.Seats.OperatedBy(sender);
        var refusal = RefusalOfVote(round, turn, id)
            ?? (seat is null ? Outcome.Refused(ContractErrors.NotOperator, sender)
            : Current!.SubmissionOf(seat.Id) is null ? Outcome.Refused(ContractErrors.NotSubmitter, round, seat.Id)
            : Standing!.Votes.ContainsKey(seat.Id) ? Outcome.Refused(ContractErrors.AlreadyAttested, round, turn, seat.Id)
            : null);
        return refusal ?? Outcome.Accepted(Nothing, Count(round, turn, [(seat!.Id, valid)]));
    }

    private Outcome AttestBySignatures(RoundId round, uint turn, Hash256 id, IReadOnlyList<(bool Valid, byte[] Signature)> attestations)
    {
        if (RefusalOfVote(round, turn, id) is { } refusal)
        {
            return refusal;
        }

        var counted = new List<(MemberId Id, bool Valid)>();
        foreach (var (valid, bytes) in attestations)
        {
            if (Signer(new Attestation(round, turn, id, valid), bytes) is { } signer
                && mirror.Seats.OperatedBy(signer) is { } seat
                && Current!.SubmissionOf(seat.Id) is not null
                && !Standing!.Votes.ContainsKey(seat.Id)
                && !counted.Exists(c => c.Id == seat.Id)
                && !IsDecided(counted))
            {
                counted.Add((seat.Id, valid));
            }
        }

        return Outcome.Accepted(new AbiValues([(BigInteger)counted.Count]), Count(round, turn, counted));
    }

    private Address? Signer(Attestation attestation, byte[] bytes)
    {
        try
        {
            return Signature.Parse(bytes).TryRecover(new SigningDomain(Scene.ChainId, address).Digest(attestation), out var signer) ? signer : null;
        }
        catch (FormatException)
        {
            return null; // what no reader takes for a signature
        }
    }

    private IEnumerable<Emission> Count(RoundId round, uint turn, IReadOnlyList<(MemberId Id, bool Valid)> votes)
    {
        var (valid, invalid) = Tally(votes);
        return
        [
            .. votes.Select(v => By(new Attested(round, v.Id, turn, Standing!.Id, v.Valid))),
            .. votes.Count == 0 ? [] : Decision(Standing!, valid, invalid),
        ];
    }

    private (int Valid, int Invalid) Tally(IReadOnlyList<(MemberId Id, bool Valid)> more)
    {
        var votes = Standing!.Votes.Values.Concat(more.Select(v => v.Valid)).ToList();
        return (votes.Count(v => v), votes.Count(v => !v));
    }

    private bool IsDecided(IReadOnlyList<(MemberId Id, bool Valid)> more)
    {
        var (valid, invalid) = Tally(more);
        var n = Current!.Submissions.Length;
        return valid >= Quorum.Of(n) || n - invalid < Quorum.Of(n);
    }

    /// <summary>A quorum finalises the candidate, or ends the round if its aggregate is zero; it is rejected once so many are against it that none can come.</summary>
    private IEnumerable<Emission> Decision(Candidate c, int valid, int invalid)
    {
        var round = Current!;
        var n = round.Submissions.Length;
        return valid >= Quorum.Of(n)
            ? [By(c.Aggregate.IsZero
                ? new RoundAborted(round.Id, AbortReason.TooFewIncluded, Now)
                : new RoundFinalised(round.Id, c.Aggregator, (uint)c.Turn, c.Id, c.Aggregate, round.FinalisedBefore + 1, Now))]
            : n - invalid < Quorum.Of(n) ? [By(new CandidateRejected(round.Id, c.Aggregator, (uint)c.Turn, c.Id, Now))]
            : [];
    }

    // ---- policy

    private Outcome SetPolicy(Hash256 expected, string json, PolicyParams p, Hash256 genesis)
    {
        var refusal = expected != State.LatestPolicy!.Policy ? Outcome.Refused(ContractErrors.WrongPolicy, State.LatestPolicy.Policy, expected)
            : Bound("training", p.Training, 1, Longest) ?? Bound("publishing", p.Publishing, 1, Longest) ?? Bound("attesting", p.Attesting, 1, Longest)
            ?? Bound("interval", p.Interval, 0, Longest) ?? Bound("minimum", p.Minimum, 1, uint.MaxValue) ?? Bound("maxTurns", p.MaxTurns, 1, MostTurns)
            ?? Bound("rounds", p.Rounds, 1, MostRounds) ?? (genesis.IsZero ? Outcome.Refused(ContractErrors.EmptyGenesis) : null);
        return refusal ?? Outcome.Accepted(Nothing, By(new PolicySet(ProposedAction.PolicyHash(json, p, genesis), expected, p, genesis, json)));
    }

    private static Outcome? Bound(string name, uint value, uint least, uint most) =>
        value >= least && value <= most ? null : Outcome.Refused(ContractErrors.ParamOutOfBounds, name, value, least, most);

    // ---- refusals that calls share

    private Outcome? RefusalIn<TPhase>(RoundPhase phase, RoundId round, uint turn)
        where TPhase : Phase =>
        round != Number ? Outcome.Refused(ContractErrors.WrongRound, Number, round)
        : Current?.PhaseAt(Now) is not TPhase ? Unexpected(phase)
        : turn != TurnNow ? Outcome.Refused(ContractErrors.WrongTurn, TurnNow, turn)
        : null;

    private Outcome? RefusalOfVote(RoundId round, uint turn, Hash256 candidate) =>
        RefusalIn<Phase.Attestation>(RoundPhase.Attestation, round, turn)
        ?? (candidate != Standing!.Id ? Outcome.Refused(ContractErrors.WrongCandidate, Standing.Id, candidate) : null);

    private Outcome Unexpected(params ReadOnlySpan<RoundPhase> allowed)
    {
        var bits = 0u;
        foreach (var phase in allowed)
        {
            bits |= 1u << (int)phase;
        }

        return Outcome.Refused(ContractErrors.UnexpectedPhase, Number, (byte)PhaseNow, bits);
    }
}

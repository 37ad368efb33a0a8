using System.Collections.Immutable;
using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Tests.Peer;

public sealed class DecisionTests
{
    private const ulong Opened = 1000, Closes = 1100, Window = 60;

    private static readonly MemberId Me = new(2);

    [Fact]
    public void Before_the_first_round_members_open_one_after_the_other()
    {
        var federation = Federation();
        Assert.Equal([new PeerAction.OpenRound(default)], Decision.Decide(federation, new MemberId(1), LocalRound.Empty, LocalRound.Empty, Opened));
        var ended = federation with { Rounds = [Round() with { FinalisedAt = Opened }] };
        Assert.Equal([new PeerAction.OpenRound(new RoundId(1))], Decision.Decide(ended, Me, LocalRound.Empty, LocalRound.Empty, Opened));
        Assert.Empty(Decision.Decide(ended, new MemberId(3), LocalRound.Empty, LocalRound.Empty, Opened + Decision.OpeningStagger - 1));
        Assert.Equal([new PeerAction.OpenRound(new RoundId(1))], Decision.Decide(ended, new MemberId(3), LocalRound.Empty, LocalRound.Empty, Opened + Decision.OpeningStagger));
    }

    [Fact]
    public void Nobody_opens_while_founders_are_missing_or_a_pause_holds_or_the_policys_rounds_are_used_up()
    {
        var one = new MemberId(1);
        Assert.Empty(Decision.Decide(Federation() with { Founders = [.. new Address[5]], FoundingEndsAt = 9999 }, one, LocalRound.Empty, LocalRound.Empty, Opened));
        Assert.NotEmpty(Decision.Decide(Federation() with { Founders = [.. new Address[5]], FoundingEndsAt = 9999 }, one, LocalRound.Empty, LocalRound.Empty, 9999));
        Assert.Empty(Decision.Decide(Federation() with { Paused = true }, one, LocalRound.Empty, LocalRound.Empty, Opened));
        Assert.Empty(Decision.Decide(Federation() with { LastRound = 0 }, one, LocalRound.Empty, LocalRound.Empty, Opened));
    }

    [Fact]
    public void At_a_successor_members_commit_and_its_first_round_waits_for_all_of_them_but_not_for_ever()
    {
        var superseded = Federation() with { Rounds = [Round() with { FinalisedAt = Opened, IsSuperseded = true }] };
        var local = new LocalRound { FollowsSince = Opened };
        Assert.Equal([new PeerAction.Commit()], Decide(superseded, local));
        Assert.Equal([new PeerAction.Commit()], Decide(superseded, local with { IsPaused = true }));
        var mine = superseded with { Commitments = superseded.Commitments.SetItem(Me, new CommitmentMade(Me, 0, default, new RoundId(2))) };
        Assert.Empty(Decide(mine, local, Opened + Decision.SuccessorPatience - 1));
        Assert.Equal([new PeerAction.OpenRound(new RoundId(1))], Decide(mine, local, Opened + Decision.SuccessorPatience));
        var all = superseded with { Commitments = Enumerable.Range(1, 4).Select(i => new MemberId((uint)i)).ToImmutableSortedDictionary(m => m, m => new CommitmentMade(m, 0, default, new RoundId(2))) };
        Assert.Equal([new PeerAction.OpenRound(new RoundId(1))], Decide(all, local));
    }

    [Fact]
    public void A_member_gets_the_base_then_trains_then_submits_then_waits()
    {
        var federation = Running(Round());
        Assert.Equal([new PeerAction.ObtainAdapter(new RoundId(1), Hash(7))], Decide(federation, LocalRound.Empty));
        Assert.Equal([new PeerAction.Train(new RoundId(1))], Decide(federation, new LocalRound { HasBase = true }));
        Assert.Equal([new PeerAction.Submit(new RoundId(1))], Decide(federation, new LocalRound { HasBase = true, HasUpdate = true }));
        Assert.Empty(Decide(federation, new LocalRound { HasBase = true, Diverged = true }));
        Assert.Equal([new PeerAction.Submit(new RoundId(1))], Decide(federation, new LocalRound { HasBase = true, HasUpdate = true, Diverged = true }));
        Assert.Empty(Decide(Running(Round(2)), new LocalRound { HasBase = true, HasUpdate = true }));
    }

    [Fact]
    public void A_paused_member_takes_on_nothing_new_and_sees_through_what_it_submitted()
    {
        var paused = new LocalRound { IsPaused = true, HasBase = true };
        Assert.Empty(Decide(Running(Round()), paused));
        Assert.Empty(Decide(Running(Round()), paused with { HasBase = false }));
        Assert.Empty(Decide(Running(Round()), paused with { HasUpdate = true }));
        Assert.Empty(Decision.Decide(Federation(), new MemberId(1), LocalRound.Empty with { IsPaused = true }, LocalRound.Empty, Opened));
        var submitted = Running(Round(2, 1, 3, 4));
        foreach (var local in new[] { LocalRound.Empty, new LocalRound { HasBase = true, HasUpdate = true }, new LocalRound { HasBase = true, HasUpdate = true, Exposed = true, Held = [0, 1, 2, 3] } })
        {
            Assert.NotEmpty(Decide(submitted, local, Closes));
            Assert.Equal(Decide(submitted, local, Closes), Decide(submitted, local with { IsPaused = true }, Closes));
        }

        var over = submitted with { Rounds = [submitted.Current! with { FinalisedAt = Closes, Candidates = [new Candidate(0, Me, Hash(1), Hash(2), Hash(3), Closes)] }] };
        Assert.Contains(new PeerAction.ObtainAdapter(new RoundId(1), Hash(3)), Decide(over, new LocalRound { IsPaused = true, HasResult = false }, Closes));
    }

    [Fact]
    public void Who_came_after_the_opening_stays_out_of_the_round()
    {
        var round = Round();
        Assert.Empty(Decide(Running(round with { Seats = round.Seats.Remove(Me) }), LocalRound.Empty));
    }

    [Fact]
    public void The_own_update_stays_private_until_the_close_and_is_served_after_it()
    {
        var round = Round(2, 1, 3, 4);
        var local = new LocalRound { HasBase = true, HasUpdate = true };
        Assert.DoesNotContain(new PeerAction.Expose(new RoundId(1)), Decide(Running(round), local, Closes - 1));
        Assert.Contains(new PeerAction.Expose(new RoundId(1)), Decide(Running(round), local, Closes));
        Assert.Contains(new PeerAction.Expose(new RoundId(1)), Decide(Running(round with { FinalisedAt = Closes }), local, Closes));
        Assert.Contains(new PeerAction.FetchUpdate(new RoundId(1), 3), Decide(Running(round), local, Closes));
    }

    [Fact]
    public void Holdings_are_signed_once_everything_was_seen_or_a_third_of_the_window_is_over()
    {
        var federation = Running(Round(2, 1, 3, 4));
        var sign = new PeerAction.SignHoldings(new RoundId(1));
        var local = new LocalRound { HasBase = true, HasUpdate = true, Exposed = true, Held = [0, 1, 2] };
        Assert.DoesNotContain(sign, Decide(federation, local, Closes + (Window / 3) - 1));
        Assert.Contains(sign, Decide(federation, local, Closes + (Window / 3)));
        Assert.Contains(sign, Decide(federation, local with { Refused = [3] }, Closes));
        Assert.DoesNotContain(sign, Decide(federation, local with { Refused = [3], Holdings = [0] }, Closes));
    }

    [Fact]
    public void A_restored_peer_that_lacks_what_it_submitted_asks_the_others_for_it_and_submits_nothing()
    {
        var round = Round(2, 1, 3, 4);
        var lacking = new LocalRound { HasBase = true };
        var own = new PeerAction.FetchUpdate(new RoundId(1), 0);
        Assert.Empty(Decide(Running(round), lacking));
        Assert.Contains(own, Decide(Running(round), lacking, Closes));
        Assert.DoesNotContain(new PeerAction.Expose(new RoundId(1)), Decide(Running(round), lacking, Closes));
        Assert.DoesNotContain(own, Decide(Running(round), lacking with { HasUpdate = true }, Closes));
        Assert.Contains(new PeerAction.SignHoldings(new RoundId(1)), Decide(Running(round), lacking with { Held = [1, 2, 3] }, Closes + (Window / 3)));
    }

    [Fact]
    public void The_aggregator_waits_for_everybodys_holdings_until_half_its_window_and_then_takes_a_quorum()
    {
        var round = Round(2, 1, 3, 4);
        var me = round.AggregatorOf(0).Member;
        var publish = new PeerAction.Publish(new RoundId(1), 0);
        var local = new LocalRound { HasBase = true, HasUpdate = true, Exposed = true, Held = [0, 1, 2, 3], Holdings = [0, 1, 2, 3] };
        Assert.Contains(publish, Decision.Decide(Running(round), me, local, LocalRound.Empty, Closes));
        Assert.Empty(Decision.Decide(Running(round), round.AggregatorOf(1).Member, local, LocalRound.Empty, Closes));

        var three = local with { Holdings = local.Holdings.Remove(round.SubmissionOf(me)!.Index == 0 ? 1 : 0) };
        Assert.DoesNotContain(publish, Decision.Decide(Running(round), me, three, LocalRound.Empty, Closes + (Window / 2) - 1));
        Assert.Contains(publish, Decision.Decide(Running(round), me, three, LocalRound.Empty, Closes + (Window / 2)));
        var two = three with { Holdings = [.. three.Holdings.Take(2)] };
        Assert.DoesNotContain(publish, Decision.Decide(Running(round), me, two, LocalRound.Empty, Closes + (Window / 2)));
    }

    [Fact]
    public void When_an_aggregator_lets_its_turn_pass_the_next_one_publishes()
    {
        var round = Round(2, 1, 3, 4);
        var local = new LocalRound { HasBase = true, HasUpdate = true, Exposed = true, Held = [0, 1, 2, 3], Holdings = [0, 1, 2, 3] };
        Assert.Contains(new PeerAction.Publish(new RoundId(1), 1), Decision.Decide(Running(round), round.AggregatorOf(1).Member, local, LocalRound.Empty, Closes + Window));
    }

    [Fact]
    public void A_candidate_is_recomputed_before_it_is_attested_and_attested_once()
    {
        var round = Round(2, 1, 3, 4);
        var candidate = new Candidate(0, round.AggregatorOf(0).Member, Hash(9), Hash(8), Hash(5), Closes + 1);
        var federation = Running(round with { Candidates = [candidate] });
        var voter = round.AggregatorOf(1).Member;
        var local = new LocalRound { HasBase = true, HasUpdate = true, Exposed = true, Held = [0, 1, 2, 3], Holdings = [0, 1, 2, 3] };
        Assert.Equal([new PeerAction.CheckCandidate(new RoundId(1), 0)], Decision.Decide(federation, voter, local, LocalRound.Empty, Closes + 1));
        var bad = local with { Verdicts = local.Verdicts.Add(0, false) };
        Assert.Equal([new PeerAction.Attest(new RoundId(1), 0, Hash(9), false)], Decision.Decide(federation, voter, bad, LocalRound.Empty, Closes + 1));

        var voted = candidate with { Votes = candidate.Votes.Add(voter, false) };
        Assert.Empty(Decision.Decide(Running(round with { Candidates = [voted] }), voter, bad, LocalRound.Empty, Closes + 1));
    }

    [Fact]
    public void A_new_adapter_is_measured_unless_training_from_it_does_that_soon()
    {
        var round = Round(2, 1, 3, 4);
        var winner = new Candidate(0, round.AggregatorOf(0).Member, Hash(9), Hash(8), Hash(5), Closes + 1);
        var ended = Running(round with { Candidates = [winner], FinalisedAt = Closes + 2 });
        var local = new LocalRound { HasBase = true, HasUpdate = true, Exposed = true, IsMeasured = false };
        PeerAction measure = new PeerAction.Measure(new RoundId(1)), obtain = new PeerAction.ObtainAdapter(new RoundId(1), Hash(5));
        Assert.DoesNotContain(measure, Decide(ended, local, Closes + 2));
        Assert.Contains(measure, Decide(ended with { LastRound = 1 }, local, Closes + 2));
        Assert.Contains(measure, Decide(ended with { Paused = true }, local, Closes + 2));
        Assert.Contains(measure, Decide(ended with { Seats = ended.Seats.Remove(Me) }, local, Closes + 2));
        Assert.Contains(measure, Decide(Waiting(3600), local, Closes + 2));
        Assert.DoesNotContain(measure, Decide(Waiting(3600), local, Closes + 2 + 3600 - (uint)Decision.TrainingSoon));
        Assert.DoesNotContain(measure, Decide(ended with { LastRound = 1 }, local with { IsMeasured = true }, Closes + 2));
        Assert.Equal([obtain], Decide(ended with { LastRound = 1 }, local with { HasResult = false }, Closes + 2));

        FederationState Waiting(uint interval) => ended with { LatestPolicy = ended.LatestPolicy! with { Params = ended.LatestPolicy.Params with { Interval = interval } } };
    }

    private static ImmutableArray<PeerAction> Decide(FederationState federation, LocalRound local, ulong now = Opened) =>
        Decision.Decide(federation, Me, local, LocalRound.Empty, now);

    private static FederationState Federation() => FederationState.Empty with
    {
        Seats = Seats(),
        LatestPolicy = new PolicySet(Hash(1), default, new PolicyParams(100, (uint)Window, (uint)Window, 0, 1, 4, 10), Hash(7), "{}"),
        LastRound = 10,
    };

    private static FederationState Running(RoundState round) => Federation() with { Rounds = [round] };

    private static ImmutableSortedDictionary<MemberId, Seat> Seats() => Enumerable.Range(1, 4)
        .Select(i => new Seat(new MemberId((uint)i), default, default, new RoundId(1), null)).ToImmutableSortedDictionary(s => s.Id, s => s);

    internal static RoundState Round(params uint[] submitters) => new()
    {
        Id = new RoundId(1),
        Contract = Address.Zero,
        Policy = Hash(1),
        Base = Hash(7),
        FinalisedBefore = 0,
        Seats = Seats(),
        Profiles = ImmutableDictionary<MemberId, string>.Empty,
        Auditors = ImmutableSortedDictionary<Address, string>.Empty,
        Eligible = 4,
        Minimum = 3,
        OpenedAt = Opened,
        ClosesAt = Closes,
        PublishWindow = Window,
        AttestWindow = Window,
        MaxTurns = 4,
        Submissions = [.. submitters.Select((m, i) => new Submission(i, new MemberId(m), Hash((byte)m), Hash((byte)(m + 50))))],
    };

    private static Hash256 Hash(byte b) => new([.. Enumerable.Repeat(b, 32)]);
}
